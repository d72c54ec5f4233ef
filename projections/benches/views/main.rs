//! What it costs to ask views about the past.
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

use eventstore::{Blobs, EventStore, Mode};
use figures::Figures;
use projections::rebuild;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Apps, unless an argument says otherwise.
const APPS: u64 = 3_000;

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
        let built = rebuilt(folder.path(), &log, &blobs).await;
        questions::ask(&built, &log, &blobs, &mut figures).await;
        figures.write();
        log.close().await;
    });
}

/// The file that the whole log was folded into, from nothing.
async fn rebuilt(folder: &Path, log: &EventStore, blobs: &Blobs) -> std::path::PathBuf {
    let path = folder.join("views.db");
    rebuild::build(&path, log, blobs, |_| ()).await.unwrap();
    let built = rebuild::in_use(&path, log).await.unwrap().unwrap();
    std::fs::rename(&built, &path).unwrap();
    path
}
