//! What was measured, as a table and as a file.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Figures(Vec<(String, f64)>);

impl Figures {
    /// Prints and keeps a figure.
    pub(crate) fn add(&mut self, name: &str, value: f64) {
        let digits = if value.abs() < 100.0 { 2 } else { 0 };
        println!("{name:<34} {value:>12.digits$}");
        self.0.push((name.to_owned(), value));
    }

    /// Adds the figures to those of other benchmarks in `target/bench/results.json`.
    pub(crate) fn write(&self) {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        );
        let folder = target.join("bench");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("results.json");
        let known = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut results: Map<String, Value> = known.unwrap_or_default();
        for (name, value) in &self.0 {
            results.insert(name.clone(), json!(value));
        }
        fs::write(path, serde_json::to_vec_pretty(&results).unwrap()).unwrap();
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
