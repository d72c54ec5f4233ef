//! The feed and the replay.

use std::time::Instant;

use eventstore::{EventStore, Position, Recorded};
use serde::Deserialize;

use crate::logs::LAST;

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
