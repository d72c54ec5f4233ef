//! The disk, the feed and the replay.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use eventstore::{EventStore, Position, Recorded};
use serde::Deserialize;

use crate::logs::LAST;

/// How often a second the disk makes an overwritten page durable: the limit of one commit at a time.
pub(crate) fn flushes_per_second() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("page")).unwrap();
    let page = [7; 8_192];
    file.write_all_at(&page, 0).unwrap();
    file.sync_all().unwrap();
    let started = Instant::now();
    let mut flushes = 0;
    while started.elapsed() < Duration::from_secs(2) {
        file.write_all_at(&page, 0).unwrap();
        file.sync_data().unwrap();
        flushes += 1;
    }
    f64::from(flushes) / started.elapsed().as_secs_f64()
}

/// Follows a log up to its last event and returns how many came before that one, each in its place.
pub(crate) async fn tail(store: EventStore) -> u64 {
    let mut feed = store.subscribe(Position::START);
    let mut seen = 0;
    loop {
        for event in feed.next().await.unwrap() {
            if event.name == LAST {
                return seen;
            }
            seen += u64::from(event.position.get() == seen);
        }
    }
}

/// What a reader of the log makes of an event.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Submitted {
    app: String,
    digest: String,
    listing: String,
    stages: Vec<String>,
    version: String,
    words: String,
}

/// Events per second from the database into decoded events.
pub(crate) async fn replay(store: &EventStore, events: u64) -> f64 {
    let started = Instant::now();
    let mut feed = store.subscribe(Position::START);
    let mut decoded = 0;
    while decoded < events {
        for event in feed.next().await.unwrap() {
            let submitted = decode(&event);
            assert_eq!(submitted.version, "12.0.0");
            decoded += 1;
        }
    }
    decoded as f64 / started.elapsed().as_secs_f64()
}

fn decode(event: &Recorded) -> Submitted {
    serde_json::from_slice(&event.data).unwrap()
}
