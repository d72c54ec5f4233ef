//! Commands of the program that read a data folder, as an auditor would type them.

use std::{path::Path, process::Stdio};

use serde_json::Value;

use crate::program;

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub output: String,
    pub errors: String,
}

impl Ended {
    /// The JSON it printed.
    ///
    /// # Panics
    ///
    /// If it printed anything else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{self:?} is no JSON: {error}"))
    }
}

/// Runs `charthouse <command> --data <data> <words>` to its end.
///
/// # Panics
///
/// If it cannot be run, or is killed.
pub async fn run(command: &str, data: &Path, words: &[&str]) -> Ended {
    let output = program::command()
        .args([command, "--data"])
        .arg(data)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .await;
    let output = output.expect("the program can be run");
    Ended {
        status: output.status.code().expect("nobody kills it"),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command that must succeed.
///
/// # Panics
///
/// If it does not.
pub async fn told(command: &str, data: &Path, words: &[&str]) -> Ended {
    let ended = run(command, data, words).await;
    assert_eq!(ended.status, 0, "{command} {words:?}: {}", ended.errors);
    ended
}
