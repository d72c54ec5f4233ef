//! How fast a running server exports review decisions, and how much memory that takes it.
//!
//! `cargo bench -p charthouse-api --bench export` prints a table and adds its figures to `target/bench/results.json`. An
//! argument sets the number of decisions. Half of them are rejections, whose reasons are sealed in the vault.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

#[path = "../../../eventstore/benches/log/figures.rs"]
mod figures;
#[expect(dead_code, reason = "nothing is added to what is exported")]
mod fill;
#[path = "../support/filler.rs"]
mod filler;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "what it costs is not measured here")]
mod process;
mod server;

use std::time::Instant;

use figures::{Figures, median};
use server::Server;

/// Decisions, unless an argument says otherwise.
const DECISIONS: u64 = 100_000;
const ROUNDS: usize = 5;
const MIB: f64 = 1024.0 * 1024.0;

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
        let data = folder.path().join("data");
        let started = Instant::now();
        let token = fill::decisions(&data, decisions).await;
        // As of a server that runs for long: its views are there, and published.
        fill::publish(&data).await;
        let server = Server::start(&data, token);
        println!(
            "{decisions} decisions are there after {} s",
            started.elapsed().as_secs()
        );

        let mut figures = Figures::default();
        // The log it publishes itself.
        server.published(4 * decisions).await;
        // What the first export makes, it makes once: connections, statements, threads.
        server.export("csv?until=2000-01-01").await;
        let mut taken = vec![];
        for (name, file) in [("export", "csv"), ("export.jsonl", "jsonl")] {
            let mut rates = vec![];
            for _ in 0..ROUNDS {
                let before = server.process.memory();
                let (started, peak) = (Instant::now(), server.process.watch_memory());
                let rows = server.export(file).await;
                let seconds = started.elapsed().as_secs_f64();
                taken.push(peak.stop().saturating_sub(before) as f64 / MIB);
                assert_eq!(rows, decisions, "every decision is there");
                rates.push(rows as f64 / seconds);
            }
            figures.add(&format!("{name}.rows_per_s"), median(rates));
        }
        figures.add("export.rss_mb", taken.into_iter().fold(0.0, f64::max));
        figures.write();
        server.process.stop();
    });
}
