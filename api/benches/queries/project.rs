//! How fast the log becomes views, beside reading it and making nothing of it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use eventstore::{EventStore, Mode, Position};

use crate::figures::Figures;

const EVENTS_AT_ONCE: usize = 10_000;

/// Of a folder without views; leaves those of the whole log behind.
pub(crate) async fn rates(data: &Path, figures: &mut Figures) {
    let url = format!("sqlite://{}", data.join("log.db").display());
    let log = EventStore::open(&url, Mode::ReadOnly).await.unwrap();
    let size = log.head().await.unwrap().size;
    let started = Instant::now();
    read_all(&log).await;
    let read = started.elapsed().as_secs_f64();
    log.close().await;
    let started = Instant::now();
    rebuild(data);
    let projected = started.elapsed().as_secs_f64();
    figures.add("project.read_per_s", size as f64 / read);
    figures.add("project.events_per_s", size as f64 / projected);
}

async fn read_all(log: &EventStore) {
    let mut next = Position::START;
    loop {
        let events = log.read(next, EVENTS_AT_ONCE).await.unwrap();
        let Some(last) = events.last() else { return };
        next = last.position.next();
    }
}

fn rebuild(data: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charthouse"));
    command.args(["rebuild", "--data"]).arg(data);
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.unwrap().success(), "the views were not built");
}
