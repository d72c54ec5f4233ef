//! How fast the log becomes views, and what it costs to ask them about the past.
//!
//! `cargo bench -p charthouse-projections --bench views` prints a table and adds its figures to
//! `target/bench/results.json`. An argument sets the number of apps; each has ten versions and ten releases, which makes
//! about a hundred events. Data lie in `TMPDIR`.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends the run")]

#[path = "../../../eventstore/benches/log/figures.rs"]
mod figures;
mod fill;
mod questions;

use std::{path::Path, time::Instant};

use eventstore::{Blobs, EventStore, Mode, Position};
use figures::{Figures, median};
use projections::rebuild;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Apps, unless an argument says otherwise.
const APPS: u64 = 3_000;
const ROUNDS: usize = 3;

fn main() {
    let apps = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(APPS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("log.db").display());
        let log = EventStore::open(&url, Mode::Append).await.unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        let started = Instant::now();
        fill::apps(&log, &blobs, apps).await;
        let size = log.head().await.unwrap().size;
        println!(
            "{size} events of {apps} apps are there after {} s",
            started.elapsed().as_secs()
        );

        let mut figures = Figures::default();
        let (mut read, mut projected) = (vec![], vec![]);
        let mut built = None;
        for _ in 0..ROUNDS {
            read.push(rate(size, reading(&log)).await);
            let build = async { built = Some(rebuilt(folder.path(), &log, &blobs).await) };
            projected.push(rate(size, build).await);
        }
        figures.add("project.read_per_s", median(read));
        figures.add("project.events_per_s", median(projected));
        questions::ask(&built.unwrap(), &log, &blobs, &mut figures).await;
        figures.write();
        log.close().await;
    });
}

async fn rate(events: u64, work: impl Future<Output = ()>) -> f64 {
    let started = Instant::now();
    work.await;
    events as f64 / started.elapsed().as_secs_f64()
}

/// The baseline: every event is read from the log in batches, and nothing is made of it.
async fn reading(log: &EventStore) {
    let mut next = Position::START;
    loop {
        let events = log.read(next, 10_000).await.unwrap();
        let Some(last) = events.last() else { return };
        next = last.position.next();
    }
}

/// The file that the whole log was folded into, from nothing.
async fn rebuilt(folder: &Path, log: &EventStore, blobs: &Blobs) -> std::path::PathBuf {
    let path = folder.join("views.db");
    rebuild::build(&path, log, blobs, |_| ()).await.unwrap();
    let built = rebuild::in_use(&path, log).await.unwrap().unwrap();
    std::fs::rename(&built, &path).unwrap();
    path
}
