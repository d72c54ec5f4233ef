use std::path::{Path, PathBuf};

use eventstore::{
    AppendError, CopyContents, CopyError, EventStore, Mode, OpenError, Position, Recorded, Revision, check_copy,
    restore_copy,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::fixture::{Log, Place, append, by_command, fresh_id, note, stream, write};
use crate::sealing::vault;

async fn copy(store: &EventStore) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    store.copy_to(&path).await.unwrap();
    (folder, path)
}

async fn check(path: &Path) -> Result<CopyContents, CopyError> {
    check_copy(path, &mut |_| ()).await
}

async fn restore(path: &Path, place: &Place) -> Result<(), CopyError> {
    restore_copy(path, &place.url, &mut |_| ()).await
}

async fn everything(store: &EventStore) -> Vec<Recorded> {
    store.read(Position::START, usize::MAX >> 1).await.unwrap()
}

/// What somebody does to the copy with another program.
async fn tamper(path: &Path, sql: &str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let sql = format!("DROP TRIGGER event_is_never_updated; DROP TRIGGER event_is_never_deleted; {sql}");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// More events than are read at once, so that a command's events lie on two pages.
async fn many_events(log: &Log) {
    for revision in 0..100 {
        log.store.append(note("app-1", revision)).await.unwrap();
    }
    let names = ["Noted"; 50];
    for command in 0..90 {
        let append = append(vec![write(&format!("app-2-{command}"), 0, &names)]);
        let append = by_command(append, "account-1", fresh_id(), 7);
        log.store.append(append).await.unwrap();
    }
}

pub(crate) async fn a_copy_is_the_log_wherever_it_is_restored(log: &Log) {
    many_events(log).await;
    let sealed = vault(log).await.seal("account-1", b"secret").await.unwrap();
    let (_folder, path) = copy(&log.store).await;
    let contents = check(&path).await.unwrap();
    assert_eq!(contents.log, log.store.high_water().await.unwrap());
    assert_eq!((contents.vault_keys, contents.vault_entries), (1, 1));

    for place in [Place::sqlite(), Place::postgres().await] {
        restore(&path, &place).await.unwrap();
        let store = EventStore::open(&place.url, Mode::Append).await.unwrap();
        assert_eq!(store.identity(), log.store.identity());
        assert_eq!(store.head().await.unwrap(), log.store.head().await.unwrap());
        assert_eq!(everything(&store).await, everything(&log.store).await);
        let restored = Log {
            store: store.clone(),
            clock: log.clock.clone(),
            place,
        };
        let unsealed = vault(&restored).await.unseal(&sealed).await.unwrap();
        assert_eq!(&**unsealed.unwrap(), b"secret");
        // It goes on as a log does.
        store.append(note("app-1", 100)).await.unwrap();
        store.close().await;
    }
}

pub(crate) async fn a_restored_log_knows_the_commands_it_answered(log: &Log) {
    many_events(log).await;
    let (id, request) = (fresh_id(), 9);
    let given = || {
        by_command(
            append(vec![write("app-9", 0, &["Noted", "Noted"])]),
            "account-1",
            id,
            request,
        )
    };
    log.store.append(given()).await.unwrap();
    let answered = log.store.answer_to("account-1", id).await.unwrap().unwrap();
    let (_folder, path) = copy(&log.store).await;
    for place in [Place::sqlite(), Place::postgres().await] {
        restore(&path, &place).await.unwrap();
        let store = EventStore::open(&place.url, Mode::Append).await.unwrap();
        let again = store.append(given()).await;
        assert!(matches!(again, Err(AppendError::AlreadyDone(answer)) if answer == answered));
        for event in everything(&log.store).await {
            let Some(command) = event.envelope().unwrap().command_id else {
                continue;
            };
            let answers = [&store, &log.store].map(|store| store.answer_to("account-1", command));
            let [one, other] = answers;
            assert_eq!(one.await.unwrap(), other.await.unwrap());
        }
        store.close().await;
    }
}

pub(crate) async fn a_copy_made_beside_appends_is_of_one_moment(log: &Log) {
    let store = log.store.clone();
    let writer = tokio::spawn(async move {
        for revision in 0.. {
            if store.append(note("app-1", revision)).await.is_err() {
                return;
            }
        }
    });
    let mut sizes = log.store.size();
    let mut last = 0;
    for _ in 0..5 {
        sizes.wait_for(|size| *size > last + 20).await.unwrap();
        let (_folder, path) = copy(&log.store).await;
        let contents = check(&path).await.unwrap();
        assert!(contents.log.size > last);
        last = contents.log.size;
    }
    log.store.close().await;
    writer.await.unwrap();
}

pub(crate) async fn a_copy_is_made_of_a_log_that_is_open_for_reading(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let reader = EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
    let (_folder, path) = copy(&reader).await;
    assert_eq!(check(&path).await.unwrap().log, log.store.high_water().await.unwrap());
    let again = reader.copy_to(&path).await;
    assert!(matches!(again, Err(CopyError::Exists { .. })));
}

pub(crate) async fn an_altered_copy_is_told_from_a_truncated_one(log: &Log) {
    for revision in 0..10 {
        log.store.append(note("app-1", revision)).await.unwrap();
    }
    let altered = [
        "UPDATE event SET leaf = cast(replace(cast(leaf AS TEXT), 'Noted', 'noted') AS BLOB) WHERE position = 4",
        "UPDATE event SET stream = 'app-2' WHERE position = 4",
        "UPDATE event SET time_ms = time_ms + 1 WHERE position = 4",
        "DELETE FROM event WHERE position = 4",
    ];
    for sql in altered {
        let (_folder, path) = copy(&log.store).await;
        check(&path).await.unwrap();
        tamper(&path, sql).await;
        let refused = check(&path).await;
        assert!(
            matches!(refused, Err(CopyError::Altered { position, .. }) if position.get() == 4),
            "{sql}: {refused:?}"
        );
    }
    let (_folder, path) = copy(&log.store).await;
    tamper(&path, "DELETE FROM event WHERE position > 6").await;
    let refused = check(&path).await;
    assert!(
        matches!(refused, Err(CopyError::Truncated { found: 7, expected: 10 })),
        "{refused:?}"
    );
    let (_folder, path) = copy(&log.store).await;
    tamper(
        &path,
        "DELETE FROM event WHERE position > 6; UPDATE log_head SET size = 7, frontier = (SELECT zeroblob(96))",
    )
    .await;
    let refused = check(&path).await;
    assert!(matches!(refused, Err(CopyError::OtherRoot)), "{refused:?}");
}

pub(crate) async fn what_is_no_copy_is_refused(log: &Log) {
    let folder = tempfile::tempdir().unwrap();
    let missing = check(&folder.path().join("missing.db")).await;
    assert!(matches!(missing, Err(CopyError::Open(OpenError::Missing { .. }))));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, and longer than the header of one ".repeat(20)).unwrap();
    assert!(matches!(
        check(&text).await,
        Err(CopyError::Open(OpenError::Foreign { .. }))
    ));
    assert_eq!(log.store.head().await.unwrap().size, 0);
}

pub(crate) async fn a_copy_is_restored_only_into_an_empty_place(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let (_folder, path) = copy(&log.store).await;
    log.store.append(note("app-1", 1)).await.unwrap();
    let refused = restore(&path, &log.place).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(
        log.store
            .read_stream(&stream("app-1"), Revision::NONE)
            .await
            .unwrap()
            .len(),
        2
    );
}
