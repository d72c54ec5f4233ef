//! What only a log in a file can do wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use eventstore::{AppendError, EventStore, Mode, OpenError, Position, VaultError};
use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::fixture::{Log, append, note, write};
use crate::sealing::vault;

fn path(log: &Log) -> PathBuf {
    log.folder.path().join("log.db")
}

/// What somebody with another program does to the file.
async fn run(path: PathBuf, sql: &str) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await?;
    let outcome = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await;
    connection.close().await?;
    outcome.map(drop)
}

async fn reopened(log: &Log) -> Result<EventStore, OpenError> {
    log.store.close().await;
    EventStore::open(&log.url, Mode::Append).await
}

#[tokio::test]
async fn events_are_never_altered() {
    let log = Log::sqlite().await;
    log.store.append(note("app-1", 0)).await.unwrap();
    let columns = "(position, stream, revision, id, type, time_ms, leaf_hash, leaf)";
    let replace = |position, revision, id| {
        format!(
            "INSERT OR REPLACE INTO event {columns} VALUES ({position}, 'app-1', {revision}, {id}, 'T', 0, x'', x'')"
        )
    };
    let same_id = "(SELECT id FROM event)";
    let attempts = [
        "UPDATE event SET leaf = x''".to_owned(),
        "DELETE FROM event".to_owned(),
        replace(0, 1, same_id),
        replace(1, 1, "x'01'"),
        replace(1, 2, same_id),
        replace(7, 2, "x'01'"),
    ];
    let before = log.store.read(Position::START, 10).await.unwrap();
    for attempt in attempts {
        let refused = run(path(&log), &attempt).await.unwrap_err();
        assert!(refused.to_string().contains("an event is "), "{attempt}: {refused}");
    }
    assert_eq!(log.store.read(Position::START, 10).await.unwrap(), before);
}

#[tokio::test]
async fn a_request_that_breaks_a_batch_hurts_only_itself() {
    let log = Log::sqlite().await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.type = 'Poison'
        BEGIN SELECT RAISE(ABORT, 'poison'); END";
    run(path(&log), refuse).await.unwrap();
    poison_hurts_only_itself(&log).await;
}

#[tokio::test]
async fn a_request_that_breaks_the_commit_hurts_only_itself() {
    let log = Log::sqlite().await;
    let refuse = "CREATE TABLE poisoned (position INTEGER REFERENCES event (position) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER refuse AFTER INSERT ON event WHEN NEW.type = 'Poison'
        BEGIN INSERT INTO poisoned VALUES (-1); END";
    run(path(&log), refuse).await.unwrap();
    poison_hurts_only_itself(&log).await;
}

async fn poison_hurts_only_itself(log: &Log) {
    let appends = (0..40).map(|i| {
        let name = if i % 10 == 3 { "Poison" } else { "Noted" };
        log.store.append(append(vec![write(&format!("app-{i}"), 0, &[name])]))
    });
    for (i, outcome) in join_all(appends).await.into_iter().enumerate() {
        match outcome {
            Ok(_) => assert_ne!(i % 10, 3),
            Err(error) => assert!(i % 10 == 3 && matches!(error, AppendError::Database(_)), "{i}: {error}"),
        }
    }
    let events = log.store.read(Position::START, 100).await.unwrap();
    assert_eq!(events.len(), 36);
    assert_eq!(log.store.head().await.unwrap().size, 36);
}

#[tokio::test]
async fn an_event_id_is_used_once() {
    let log = Log::sqlite().await;
    let first = note("app-1", 0);
    let mut second = note("app-2", 0);
    second.writes[0].events[0].id = first.writes[0].events[0].id;
    log.store.append(first).await.unwrap();
    assert!(matches!(log.store.append(second).await, Err(AppendError::Database(_))));
    assert_eq!(log.store.head().await.unwrap().size, 1);
}

#[tokio::test]
async fn a_second_appender_is_refused_until_the_first_closes() {
    let log = Log::sqlite().await;
    let second = EventStore::open(&log.url, Mode::Append).await;
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })));
    log.store.close().await;
    EventStore::open(&log.url, Mode::Append).await.unwrap();
}

#[tokio::test]
async fn a_reader_follows_what_another_appends() {
    let log = Log::sqlite().await;
    log.store.append(note("app-1", 0)).await.unwrap();
    let reader = EventStore::open(&log.url, Mode::ReadOnly).await.unwrap();
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

#[tokio::test]
async fn a_log_nobody_appends_to_can_be_read() {
    let log = Log::sqlite().await;
    log.store.append(note("app-1", 0)).await.unwrap();
    log.store.close().await;
    let reader = EventStore::open(&log.url, Mode::ReadOnly).await.unwrap();
    assert_eq!(reader.read(Position::START, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_missing_log_is_not_made_by_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let opened = EventStore::open(&format!("sqlite://{}", path.display()), Mode::ReadOnly).await;
    assert!(matches!(opened.err(), Some(OpenError::Missing { .. })));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_of_another_program_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("other.db");
    run(
        database.clone(),
        "CREATE TABLE customer (name TEXT); PRAGMA user_version = 3",
    )
    .await
    .unwrap();
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
async fn a_newer_schema_is_left_untouched() {
    let log = Log::sqlite().await;
    log.store.close().await;
    run(path(&log), "PRAGMA user_version = 2").await.unwrap();
    let before = std::fs::read(path(&log)).unwrap();
    let opened = reopened(&log).await;
    assert!(matches!(
        opened.err(),
        Some(OpenError::NewerSchema { found: 2, known: 1, .. })
    ));
    assert_eq!(std::fs::read(path(&log)).unwrap(), before);
}

#[tokio::test]
async fn a_read_only_file_is_refused() {
    let log = Log::sqlite().await;
    log.store.close().await;
    std::fs::set_permissions(path(&log), Permissions::from_mode(0o444)).unwrap();
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

#[tokio::test]
async fn an_older_program_stops_when_a_newer_one_takes_over() {
    let log = Log::sqlite().await;
    run(path(&log), "UPDATE log_head SET oldest_writer = 99").await.unwrap();
    let refused = log.store.append(note("app-1", 0)).await;
    assert!(matches!(
        refused,
        Err(AppendError::Superseded { oldest_writer: 99, .. })
    ));
}

#[tokio::test]
async fn a_destroyed_key_leaves_nothing_to_read_and_makes_no_new_one() {
    let log = Log::sqlite().await;
    let vault = vault(&log).await;
    let sealed = vault.seal("account-1", b"secret").await.unwrap();
    let kept = vault.seal("account-2", b"kept").await.unwrap();
    run(
        path(&log),
        "UPDATE vault_key SET wrapped = NULL WHERE subject = 'account-1'",
    )
    .await
    .unwrap();
    assert!(vault.unseal(&sealed).await.unwrap().is_none());
    assert!(vault.unseal(&kept).await.unwrap().is_some());
    assert!(
        matches!(vault.seal("account-1", b"more").await, Err(VaultError::Erased(subject)) if subject == "account-1")
    );
}

#[tokio::test]
async fn an_altered_entry_is_not_unsealed() {
    let log = Log::sqlite().await;
    let vault = vault(&log).await;
    let sealed = vault.seal("account-1", b"secret").await.unwrap();
    run(path(&log), "UPDATE vault_entry SET ciphertext = zeroblob(60)")
        .await
        .unwrap();
    assert!(matches!(vault.unseal(&sealed).await, Err(VaultError::Corrupt(_))));
}
