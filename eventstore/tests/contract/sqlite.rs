//! What only a log in a file can do wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use eventstore::{EventStore, Mode, OpenError};
use sqlx::Connection;

use crate::fixture::{Log, Place, note};
use crate::sealing::vault;

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

/// Which of the folder's files hold these bytes.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let holds = |file: &PathBuf| {
        std::fs::read(file)
            .unwrap()
            .windows(bytes.len())
            .any(|window| window == bytes)
    };
    files.filter(holds).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroyed_key_lies_on_in_no_page_of_no_file() {
    let log = Log::sqlite().await;
    let vault = vault(&log).await;
    let folder = log.place.folder.as_ref().unwrap().path();
    // In an order that splits pages and moves what is on them, a subject in the middle among the first.
    let subject = |i: u64| format!("account-{:04}", (i * 7_919) % 2_000);
    let mut seals = tokio::task::JoinSet::new();
    for i in 0..2_000 {
        let vault = vault.clone();
        seals.spawn(async move { vault.seal(&subject(i), b"secret").await.unwrap() });
    }
    seals.join_all().await;
    let mut connection = sqlx::SqliteConnection::connect(&log.place.url).await.unwrap();
    for erased in [subject(3), subject(1_000)] {
        let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM vault_key WHERE subject = ?")
            .bind(&erased)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert!(!files_with(folder, &wrapped).is_empty(), "it can be found at all");
        vault.destroy(&erased).await.unwrap();
        assert_eq!(files_with(folder, &wrapped), Vec::<PathBuf>::new(), "{erased}");
    }
    assert!(vault.has_key(&subject(4)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_traces_of_a_key_wait_for_a_reader_and_go_when_it_is_done() {
    let log = Log::sqlite().await;
    let vault = vault(&log).await;
    let folder = log.place.folder.as_ref().unwrap().path();
    vault.seal("account-1", b"secret").await.unwrap();
    let mut reader = sqlx::SqliteConnection::connect(&log.place.url).await.unwrap();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM vault_key")
        .fetch_one(&mut reader)
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM vault_key")
        .execute(&mut reader)
        .await
        .unwrap();
    assert!(
        vault.destroy("account-1").await.is_err(),
        "a reader of the past is in the way"
    );
    assert!(!files_with(folder, &wrapped).is_empty());
    assert!(
        !vault.has_key("account-1").await.unwrap(),
        "it is destroyed all the same"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.unwrap();
    vault.scrub_if_owed().await.unwrap();
    assert_eq!(files_with(folder, &wrapped), Vec::<PathBuf>::new());
}
