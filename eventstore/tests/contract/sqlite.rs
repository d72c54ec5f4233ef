//! What only a log in a file can do wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use eventstore::{EventStore, Mode, OpenError};

use crate::fixture::{Log, Place, note};

fn path(place: &Place) -> PathBuf {
    place.folder.as_ref().unwrap().path().join("log.db")
}

async fn reopened(log: &Log) -> Result<EventStore, OpenError> {
    log.store.close().await;
    EventStore::open(&log.place.url, Mode::Append).await
}

#[tokio::test]
async fn a_second_appender_is_refused_until_the_first_closes() {
    let log = Log::sqlite().await;
    let second = EventStore::open(&log.place.url, Mode::Append).await;
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })));
    log.store.close().await;
    EventStore::open(&log.place.url, Mode::Append).await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_program_is_left_untouched() {
    let place = Place::sqlite();
    place
        .run("CREATE TABLE customer (name TEXT); PRAGMA user_version = 3", "")
        .await
        .unwrap();
    let (database, folder) = (path(&place), place.folder.as_ref().unwrap());
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, and longer than the header of one ".repeat(20)).unwrap();

    for path in [database, text] {
        let before = std::fs::read(&path).unwrap();
        for mode in [Mode::Append, Mode::ReadOnly] {
            let opened = EventStore::open(&format!("sqlite://{}", path.display()), mode).await;
            assert!(
                matches!(opened.err(), Some(OpenError::Foreign { .. })),
                "{}",
                path.display()
            );
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing may be left beside it"
    );
}

#[tokio::test]
async fn a_read_only_file_is_refused() {
    let log = Log::sqlite().await;
    log.store.close().await;
    std::fs::set_permissions(path(&log.place), Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(
        reopened(&log).await.err(),
        Some(OpenError::ReadOnlyFile { .. })
    ));
}

#[tokio::test]
async fn an_empty_file_becomes_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    std::fs::write(&path, "").unwrap();
    let store = EventStore::open(&format!("sqlite://{}", path.display()), Mode::Append)
        .await
        .unwrap();
    store.append(note("app-1", 0)).await.unwrap();
}

#[tokio::test]
async fn other_urls_are_refused() {
    for url in [
        "log.db",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite://log.db?mode=rwc",
        "mysql://log",
    ] {
        let opened = EventStore::open(url, Mode::Append).await;
        assert!(matches!(opened.err(), Some(OpenError::UnsupportedUrl { .. })), "{url}");
    }
}
