//! What only a log on a server can do wrong.

use std::time::Duration;

use eventstore::{AppendError, EventStore, Mode, OpenError, Position};
use futures_util::future::join_all;
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::fixture::{Log, Place, append, by_command, fresh_id, guard, note, write};
use crate::postgres_server::Server;
use crate::sealing::vault;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_append_to_one_log() {
    const EACH: u64 = 40;
    let log = Log::postgres().await;
    let mut stores = vec![log.store.clone()];
    for _ in 0..2 {
        stores.push(EventStore::open(&log.place.url, Mode::Append).await.unwrap());
    }
    let appends = stores.iter().enumerate().map(|(process, store)| async move {
        for revision in 0..EACH {
            store.append(note(&format!("app-{process}"), revision)).await.unwrap();
        }
    });
    join_all(appends).await;
    for store in &stores {
        let mut subscription = store.subscribe(Position::START);
        let mut next = 0;
        while next < 3 * EACH {
            for event in subscription.next().await.unwrap() {
                assert_eq!(event.position.get(), next);
                next += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_processes_wins_a_stream_and_a_command() {
    let log = Log::postgres().await;
    let other = EventStore::open(&log.place.url, Mode::Append).await.unwrap();
    for revision in 0..30 {
        let (ours, theirs) = tokio::join!(
            log.store.append(note("app-1", revision)),
            other.append(note("app-1", revision))
        );
        let ((Ok(_), Err(refused)) | (Err(refused), Ok(_))) = (ours, theirs) else {
            panic!("one of the two must win")
        };
        assert!(matches!(refused, AppendError::Conflict { actual, .. } if actual.get() == revision + 1));

        let id = fresh_id();
        let taken = |n| {
            by_command(
                append(vec![write(&format!("name-{n}-{revision}"), 0, &["Taken"])]),
                "ada",
                id,
                1,
            )
        };
        let (ours, theirs) = tokio::join!(log.store.append(taken(1)), other.append(taken(2)));
        let ((Ok(_), Err(refused)) | (Err(refused), Ok(_))) = (ours, theirs) else {
            panic!("a command is done once")
        };
        assert!(matches!(refused, AppendError::AlreadyDone(_)));
    }
}

/// Appends a few times alone, so that the store supposes that nobody appends beside it.
async fn append_alone(store: &EventStore, place: &Place) {
    let name = format!("alone-{}", fresh_id());
    for revision in 0..4 {
        store.append(note(&name, revision)).await.unwrap();
    }
    let mut connection = PgConnection::connect(&place.url).await.unwrap();
    let is_last = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                                  AND query LIKE 'BEGIN; EXECUTE hold_head; EXECUTE store_supposed %')";
    let is_in_one: bool = sqlx::query_scalar(is_last).fetch_one(&mut connection).await.unwrap();
    assert!(is_in_one, "who appends alone does it in one round trip");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_did_is_not_supposed_away() {
    let log = Log::postgres().await;
    let other = EventStore::open(&log.place.url, Mode::Append).await.unwrap();
    let conflict = |refused| matches!(refused, AppendError::Conflict { actual, .. } if actual.get() == 1);

    append_alone(&log.store, &log.place).await;
    other.append(note("app-1", 0)).await.unwrap();
    assert!(conflict(log.store.append(note("app-1", 0)).await.unwrap_err()));

    append_alone(&log.store, &log.place).await;
    other.append(note("app-2", 0)).await.unwrap();
    let mut guarded = note("app-3", 0);
    guarded.guards = vec![guard("app-4", 0), guard("app-2", 0)];
    assert!(conflict(log.store.append(guarded).await.unwrap_err()));

    append_alone(&log.store, &log.place).await;
    let id = fresh_id();
    other.append(by_command(note("app-5", 0), "ada", id, 1)).await.unwrap();
    let again = log.store.append(by_command(note("app-6", 0), "ada", id, 1)).await;
    assert!(matches!(again, Err(AppendError::AlreadyDone(_))));

    append_alone(&log.store, &log.place).await;
    let there = other.append(note("app-7", 0)).await.unwrap().last;
    assert_eq!(log.store.append(note("app-7", 1)).await.unwrap().first, there.next());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_the_head_as_it_was_is_not_supposed_away_either() {
    let log = Log::postgres().await;
    let other = EventStore::open(&log.place.url, Mode::Append).await.unwrap();
    let reached = log.store.append(note("app-1", 0)).await.unwrap().last;

    append_alone(&log.store, &log.place).await;
    let id = fresh_id();
    other.remember_unchanged("ada", id, [1; 32], reached).await.unwrap();
    let again = log.store.append(by_command(note("app-2", 0), "ada", id, 1)).await;
    assert!(matches!(again, Err(AppendError::AlreadyDone(answer)) if answer.position == reached));

    append_alone(&log.store, &log.place).await;
    let ahead = log.store.append(note("app-1", 2)).await;
    assert!(matches!(ahead, Err(AppendError::Conflict { actual, .. }) if actual.get() == 1));
    append_alone(&log.store, &log.place).await;
    let mut guarded = note("app-3", 0);
    guarded.guards = vec![guard("app-1", 0)];
    let stale = log.store.append(guarded).await;
    assert!(matches!(stale, Err(AppendError::Conflict { actual, .. }) if actual.get() == 1));
    append_alone(&log.store, &log.place).await;
    let mut guarded = note("app-3", 0);
    guarded.guards = vec![guard("app-1", 1), guard("app-9", 0)];
    log.store.append(guarded).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_an_event_is_the_servers_however_long_nobody_appended() {
    let place = Place::postgres().await;
    let store = EventStore::open(&place.url, Mode::Append).await.unwrap();
    append_alone(&store, &place).await;
    // Longer than a time may be off that was only supposed.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let appended = store.append(note("app-1", 0)).await.unwrap();
    let mut connection = PgConnection::connect(&place.url).await.unwrap();
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let now: i64 = sqlx::query_scalar(now).fetch_one(&mut connection).await.unwrap();
    assert!((0..5_000).contains(&(now - appended.events[0].time.timestamp_millis())));
}

#[tokio::test]
async fn two_processes_may_make_the_log_at_once() {
    let place = Place::postgres().await;
    let opened = join_all((0..4).map(|_| EventStore::open(&place.url, Mode::Append))).await;
    let identities: Vec<_> = opened.into_iter().map(|store| *store.unwrap().identity()).collect();
    assert!(identities.iter().all(|identity| *identity == identities[0]));
}

#[tokio::test]
async fn a_server_that_does_not_keep_what_it_acknowledged_is_refused() {
    let log = Log::postgres().await;
    let database = log.place.url.rsplit_once('/').unwrap().1;
    let mut administrator = Server::shared().administrator("postgres").await;
    let forget = format!("ALTER DATABASE {database} SET synchronous_commit = off");
    sqlx::raw_sql(AssertSqlSafe(forget))
        .execute(&mut administrator)
        .await
        .unwrap();
    administrator.close().await.unwrap();
    let opened = EventStore::open(&log.place.url, Mode::Append).await;
    assert!(matches!(
        opened.err(),
        Some(OpenError::NotDurable {
            setting: "synchronous_commit",
            ..
        })
    ));
    EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_being_durable_is_appended_to_no_more() {
    let server = Server::start();
    let url = server.database().await;
    let store = EventStore::open(&url, Mode::Append).await.unwrap();
    store.append(note("app-1", 0)).await.unwrap();
    let mut administrator = server.administrator("postgres").await;
    for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(statement).execute(&mut administrator).await.unwrap();
    }
    let setting = async |connection: &mut _| {
        let setting = sqlx::query_scalar::<_, String>("SELECT current_setting('fsync')");
        setting.fetch_one(connection).await.unwrap()
    };
    while setting(&mut administrator).await == "on" {
        tokio::task::yield_now().await;
    }
    // The server tells its sessions one after the other; whatever is acknowledged until then was durable.
    let mut revision = 1;
    let refused = loop {
        match store.append(note("app-1", revision)).await {
            Ok(_) => revision += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::Database(_)), "{refused}");
    let opened = EventStore::open(&url, Mode::Append).await;
    assert!(matches!(
        opened.err(),
        Some(OpenError::NotDurable { setting: "fsync", .. })
    ));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgres://ada:hunter2@127.0.0.1:{unused}/log");
    let opened = EventStore::open(&url, Mode::Append).await.err().unwrap();
    assert_eq!(
        opened.to_string(),
        format!("no connection to postgres://127.0.0.1:{unused}/log")
    );

    let missing = Place::postgres().await.url.replace("/log_", "/no_log_");
    let opened = EventStore::open(&missing, Mode::Append).await;
    assert!(matches!(opened.err(), Some(OpenError::Unreachable { .. })));

    let malformed = EventStore::open("postgres://ada:hunter2@[::/log", Mode::Append)
        .await
        .err()
        .unwrap();
    assert!(matches!(malformed, OpenError::UnsupportedUrl { .. }));
    assert!(!malformed.to_string().contains("hunter2"), "{malformed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroyed_key_is_not_in_the_tables_file() {
    let log = Log::postgres().await;
    let vault = vault(&log).await;
    for subject in ["account-1", "account-2"] {
        vault.seal(subject, b"secret").await.unwrap();
    }
    let database = log.place.url.rsplit_once('/').unwrap().1;
    let mut administrator = Server::shared().administrator(database).await;
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM vault_key WHERE subject = 'account-1'")
        .fetch_one(&mut administrator)
        .await
        .unwrap();
    assert!(table_file(&mut administrator, &wrapped).await, "it can be found at all");
    vault.destroy("account-1").await.unwrap();
    assert!(!table_file(&mut administrator, &wrapped).await);
    assert!(vault.has_key("account-2").await.unwrap());
}

/// Whether the file of the table of keys holds these bytes, on the disk.
async fn table_file(administrator: &mut PgConnection, bytes: &[u8]) -> bool {
    sqlx::raw_sql("CHECKPOINT").execute(&mut *administrator).await.unwrap();
    let file: Vec<u8> = sqlx::query_scalar("SELECT pg_read_binary_file(pg_relation_filepath('vault_key'))")
        .fetch_one(administrator)
        .await
        .unwrap();
    file.windows(bytes.len()).any(|window| window == bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_are_announced_while_another_process_follows_and_not_to_nobody() {
    let log = Log::postgres().await;
    let mut listener = PgListener::connect(&log.place.url).await.unwrap();
    listener.listen("charthouse_log").await.unwrap();
    let mut revision = 0;
    let mut is_announced = async || {
        log.store.append(note("app-1", revision)).await.unwrap();
        revision += 1;
        // What this says itself comes after what the append may have said.
        let mut said = PgConnection::connect(&log.place.url).await.unwrap();
        sqlx::raw_sql("NOTIFY charthouse_log, 'the end'")
            .execute(&mut said)
            .await
            .unwrap();
        let mut announced = false;
        loop {
            let heard = listener.recv().await.unwrap();
            match heard.payload() {
                "the end" => return announced,
                other => announced |= other.ends_with(&format!(" {revision}")),
            }
        }
    };
    // Who comes and goes is noticed within seconds.
    let told = async {
        while is_announced().await {}
        let other = EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
        while !is_announced().await {}
        other.close().await;
        while is_announced().await {}
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
}
