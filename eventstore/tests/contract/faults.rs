//! What is left when something breaks in the worst moment.
//!
//! Writers append in pairs, one event to a stream `left-…` and one to `right-…`, so that half an append
//! would show. They note what was acknowledged; [`audit`] compares that with the log.

mod child;
mod cut;
mod disk;
mod frozen;
mod killed;
mod proxy;
mod server;
mod simulation;

use std::collections::{BTreeMap, HashSet};

use eventstore::transparency::merkle::Frontier;
use eventstore::{Append, Appended, EventStore, Mode, Position, Recorded};

use crate::fixture::{append, by_command, fresh_id, write};

/// The next append of a writer that appends in pairs, as a command of its own.
pub(crate) fn pair(writer: &str, revision: u64) -> Append {
    let writes = ["left", "right"].map(|side| write(&format!("{side}-{writer}"), revision, &["Noted"]));
    by_command(append(writes.into()), writer, fresh_id(), 1)
}

/// Something that was acknowledged: the position and id of an append's first event.
pub(crate) type Acknowledged = (u64, String);

pub(crate) fn acknowledged(appended: &Appended) -> Acknowledged {
    (appended.first.get(), appended.events[0].id.to_string())
}

/// Every acknowledged append is there exactly once, nothing is half there, positions have no gap, hashes agree.
pub(crate) async fn audit(url: &str, acknowledged: &[Acknowledged]) {
    let store = EventStore::open(url, Mode::ReadOnly).await.unwrap();
    let events = everything(&store).await;
    let (mut ids, mut revisions, mut frontier) = (HashSet::new(), BTreeMap::new(), Frontier::default());
    for (position, event) in events.iter().enumerate() {
        assert_eq!(event.position.get(), position as u64, "positions have no gap");
        assert!(ids.insert(event.id), "event {} is there twice", event.id);
        let revision = revisions.entry(event.stream.to_string()).or_insert(0);
        *revision += 1;
        assert_eq!(
            event.revision.get(),
            *revision,
            "revisions of {} have no gap",
            event.stream
        );
        frontier.append(event.leaf_hash());
    }
    let head = store.head().await.unwrap();
    assert_eq!(
        (head.size, head.root),
        (frontier.size(), frontier.root()),
        "hashes agree"
    );
    for (stream, revision) in &revisions {
        if let Some(writer) = stream.strip_prefix("left-") {
            let right = revisions.get(&format!("right-{writer}"));
            assert_eq!(Some(revision), right, "half an append of {writer} is there");
        }
    }
    for (position, id) in acknowledged {
        let event = usize::try_from(*position)
            .ok()
            .and_then(|position| events.get(position));
        let found = event.map(|event| event.id.to_string());
        assert_eq!(
            found.as_ref(),
            Some(id),
            "what was acknowledged at {position} is not there"
        );
    }
    store.close().await;
}

async fn everything(store: &EventStore) -> Vec<Recorded> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let from = Position::new(events.len() as u64);
        let page = store.read(from, 1_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
