use eventstore::{EventStore, HighWater, Mode, OpenError, OpenOptions, Position};
use serde_json::{Value, json};

use crate::fixture::{Log, Place, note};

pub(crate) async fn noted(store: &EventStore, revisions: std::ops::Range<u64>) {
    for revision in revisions {
        store.append(note("app-1", revision)).await.unwrap();
    }
}

pub(crate) async fn open(place: &Place, mode: Mode, remembered: &HighWater) -> Result<EventStore, OpenError> {
    let options = OpenOptions {
        remembered: Some(remembered.clone()),
        ..OpenOptions::new(mode)
    };
    EventStore::open_with(&place.url, options).await
}

/// A copy of the log as it was when it had three events, and the high water of when it had five.
pub(crate) async fn older_copy(log: &Log) -> (Place, HighWater) {
    noted(&log.store, 0..3).await;
    log.store.close().await;
    let copy = log.place.copy().await;
    let store = log.reopen().await;
    noted(&store, 3..5).await;
    let high_water = store.high_water().await.unwrap();
    store.close().await;
    (copy, high_water)
}

async fn last_event(store: &EventStore) -> (String, Value) {
    let size = store.head().await.unwrap().size;
    let event = store.read(Position::new(size - 1), 1).await.unwrap().remove(0);
    let data = serde_json::from_str(event.envelope().unwrap().data.get()).unwrap();
    (event.name, data)
}

pub(crate) async fn a_log_restored_to_an_older_state_begins_a_new_epoch(log: &Log) {
    let (copy, remembered) = older_copy(log).await;
    let store = open(&copy, Mode::Append, &remembered).await.unwrap();
    let (old, new) = (remembered.identity, *store.identity());
    assert_eq!(new.log_id, old.log_id);
    assert_ne!(new.epoch, old.epoch);
    let said = json!({
        "epoch": new.epoch,
        "origin": format!("charthouse:{}/{}", old.log_id, old.epoch),
        "root": hex(&remembered.root),
        "size": "5",
    });
    assert_eq!(last_event(&store).await, ("LogRestored".to_owned(), said));

    noted(&store, 3..4).await;
    assert_eq!(store.head().await.unwrap().size, 5);
    store.close().await;
    // Whoever still remembers the old epoch finds that it is known to have ended.
    let again = open(&copy, Mode::Append, &remembered).await.unwrap();
    assert_eq!(*again.identity(), new);
    assert_eq!(again.head().await.unwrap().size, 5);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn a_restored_log_that_went_on_differently_begins_a_new_epoch(log: &Log) {
    let (copy, remembered) = older_copy(log).await;
    let forgetful = EventStore::open(&copy.url, Mode::Append).await.unwrap();
    noted(&forgetful, 3..7).await;
    forgetful.close().await;
    let store = open(&copy, Mode::Append, &remembered).await.unwrap();
    assert_ne!(store.identity().epoch, remembered.identity.epoch);
    assert_eq!(last_event(&store).await.0, "LogRestored");
}

pub(crate) async fn a_log_that_holds_all_that_is_remembered_goes_on(log: &Log) {
    let empty = log.store.high_water().await.unwrap();
    noted(&log.store, 0..3).await;
    let full = log.store.high_water().await.unwrap();
    noted(&log.store, 3..5).await;
    log.store.close().await;
    for (remembered, mode) in [(&empty, Mode::ReadOnly), (&full, Mode::ReadOnly), (&full, Mode::Append)] {
        let store = open(&log.place, mode, remembered).await.unwrap();
        assert_eq!(*store.identity(), remembered.identity);
        assert_eq!(store.head().await.unwrap().size, 5);
        store.close().await;
    }
}

pub(crate) async fn a_reader_refuses_a_restored_log(log: &Log) {
    let (copy, remembered) = older_copy(log).await;
    let refused = open(&copy, Mode::ReadOnly, &remembered).await;
    assert!(matches!(refused.err(), Some(OpenError::Restored { .. })));
}

pub(crate) async fn another_log_than_the_remembered_one_is_refused(log: &Log) {
    let remembered = log.store.high_water().await.unwrap();
    let place = log.place.another().await;
    EventStore::open(&place.url, Mode::Append).await.unwrap().close().await;
    let refused = open(&place, Mode::Append, &remembered).await;
    assert!(matches!(refused.err(), Some(OpenError::OtherLog { .. })));
}
