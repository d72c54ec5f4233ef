use eventstore::{AppendError, EventStore, Mode, OpenError, Position};

use crate::fixture::{Log, note};

pub(crate) async fn a_reader_follows_what_another_appends(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let reader = EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
    assert_eq!(reader.identity(), log.store.identity());
    let mut subscription = reader.subscribe(Position::START);
    assert_eq!(subscription.next().await.unwrap().len(), 1);
    log.store.append(note("app-1", 1)).await.unwrap();
    assert_eq!(subscription.next().await.unwrap()[0].position.get(), 1);
    reader.size().wait_for(|size| *size == 2).await.unwrap();
    assert!(matches!(
        reader.append(note("app-1", 2)).await,
        Err(AppendError::ReadOnly)
    ));
}

pub(crate) async fn a_log_nobody_appends_to_can_be_read(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    log.store.close().await;
    let reader = EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
    assert_eq!(reader.read(Position::START, 10).await.unwrap().len(), 1);
}

pub(crate) async fn a_missing_log_is_not_made_by_reading(log: &Log) {
    let place = log.place.another().await;
    for _ in 0..2 {
        let opened = EventStore::open(&place.url, Mode::ReadOnly).await;
        assert!(matches!(opened.err(), Some(OpenError::Missing { .. })));
    }
}

pub(crate) async fn a_newer_schema_is_left_untouched(log: &Log) {
    let OpenError::NewerSchema { found: 2, known: 1, .. } = open_at_schema(log, 2).await else {
        panic!("a newer schema was taken for something else")
    };
}

pub(crate) async fn an_older_schema_is_left_untouched(log: &Log) {
    let OpenError::OlderSchema { found: 0, known: 1, .. } = open_at_schema(log, 0).await else {
        panic!("an older schema was taken for something else")
    };
}

async fn open_at_schema(log: &Log, version: u32) -> OpenError {
    log.store.append(note("app-1", 0)).await.unwrap();
    log.store.close().await;
    let set = async |version| {
        let sqlite = format!("PRAGMA user_version = {version}");
        let postgres = format!("UPDATE charthouse_log SET schema_version = {version}");
        log.place.run(&sqlite, &postgres).await.unwrap();
    };
    set(version).await;
    let refused = EventStore::open(&log.place.url, Mode::Append).await.err().unwrap();
    assert!(EventStore::open(&log.place.url, Mode::ReadOnly).await.is_err());
    set(1).await;
    assert_eq!(log.reopen().await.read(Position::START, 10).await.unwrap().len(), 1);
    refused
}

pub(crate) async fn a_database_of_another_program_is_left_untouched(log: &Log) {
    let place = log.place.another().await;
    let theirs = "CREATE TABLE customer (name TEXT)";
    place.run(theirs, theirs).await.unwrap();
    for mode in [Mode::Append, Mode::ReadOnly] {
        let opened = EventStore::open(&place.url, mode).await;
        assert!(matches!(opened.err(), Some(OpenError::Foreign { .. })));
    }
    let ours = "SELECT * FROM log_head";
    place.run(ours, ours).await.unwrap_err();
}
