//! How fast the log becomes views, beside reading it and making nothing of it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use eventstore::{EventStore, Mode, Position};

use crate::figures::{Figures, median};

const ROUNDS: usize = 3;
const EVENTS_AT_ONCE: usize = 10_000;

/// Leaves the views of the whole log behind.
pub(crate) async fn rates(data: &Path, figures: &mut Figures) {
    let url = format!("sqlite://{}", data.join("log.db").display());
    let log = EventStore::open(&url, Mode::ReadOnly).await.unwrap();
    let size = log.head().await.unwrap().size;
    let (mut read, mut projected) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        read_all(&log).await;
        read.push(size as f64 / started.elapsed().as_secs_f64());
        forget_views(data);
        let started = Instant::now();
        rebuild(data);
        projected.push(size as f64 / started.elapsed().as_secs_f64());
    }
    log.close().await;
    figures.add("project.read_per_s", median(read));
    figures.add("project.events_per_s", median(projected));
}

async fn read_all(log: &EventStore) {
    let mut next = Position::START;
    loop {
        let events = log.read(next, EVENTS_AT_ONCE).await.unwrap();
        let Some(last) = events.last() else { return };
        next = last.position.next();
    }
}

fn forget_views(data: &Path) {
    for entry in std::fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("views.") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn rebuild(data: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charthouse"));
    command.args(["rebuild", "--data"]).arg(data);
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.unwrap().success(), "the views were not built");
}
