//! How long a server takes from the start of its process until it answers.
//!
//! `cargo bench -p charthouse-api --bench start` prints a table and adds its figures to `target/bench/results.json`. An
//! argument sets the number of review decisions in the log; each makes four events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

#[path = "../../../eventstore/benches/log/figures.rs"]
mod figures;
#[path = "../export/fill.rs"]
mod fill;
#[path = "../support/filler.rs"]
mod filler;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "only the time is measured here")]
mod process;
#[path = "../export/server.rs"]
#[expect(dead_code, reason = "nothing is exported")]
mod server;

use std::{fs, path::Path, time::Instant};

use figures::{Figures, median};
use server::Server;

/// Decisions, unless an argument says otherwise.
const DECISIONS: u64 = 100_000;
/// A hundred thousand events.
const DECISIONS_BEHIND: u64 = 25_000;
const ROUNDS: usize = 3;

fn main() {
    let decisions = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(DECISIONS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
        let token = fill::decisions(&data, decisions).await;
        fill::publish(&data).await;
        copy(&data.join("blobs/published"), &aside);
        fill::more_decisions(&data, decisions, DECISIONS_BEHIND).await;
        let (mut cold, mut warm) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            // A server publishes its views itself before long; each begins with what was published before them all.
            fs::remove_dir_all(data.join("blobs/published")).unwrap();
            copy(&aside, &data.join("blobs/published"));
            forget_views(&data);
            cold.push(start(&data, token));
            warm.push(start(&data, token));
        }
        let mut figures = Figures::default();
        figures.add("start.ms", median(warm));
        figures.add("start.cold_ms", median(cold));
        figures.write();
    });
}

/// Milliseconds from the start of the process until it answers.
fn start(data: &Path, token: &'static str) -> f64 {
    let started = Instant::now();
    let server = Server::start(data, token);
    let taken = started.elapsed().as_secs_f64() * 1_000.0;
    server.process.stop();
    taken
}

fn forget_views(data: &Path) {
    for entry in fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("views.") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
