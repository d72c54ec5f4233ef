use eventstore::{AppendError, Position};
use futures_util::future::join_all;

use crate::fixture::{Log, append, note, write};

pub(crate) async fn events_are_never_altered(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let columns = "(position, stream, revision, id, type, time_ms, leaf_hash, leaf)";
    let replace = |position, revision, id| {
        let row = format!("({position}, 'app-1', {revision}, {id}, 'T', 0, x'', x'')");
        format!("INSERT OR REPLACE INTO event {columns} VALUES {row}")
    };
    let same_id = "(SELECT id FROM event)";
    let in_place = format!(
        "INSERT INTO event {columns} SELECT 0, stream, 9, gen_random_uuid(), type, 0, '', '' FROM event
         ON CONFLICT (position) DO UPDATE SET leaf = ''"
    );
    let attempts = [
        ("UPDATE event SET leaf = x''".to_owned(), "UPDATE event SET leaf = ''"),
        ("DELETE FROM event".to_owned(), "DELETE FROM event"),
        (replace(0, 1, same_id), "TRUNCATE event"),
        (replace(1, 1, "x'01'"), &in_place),
        (
            replace(1, 2, same_id),
            "GRANT UPDATE ON event TO CURRENT_USER; UPDATE event SET leaf = ''",
        ),
        (
            replace(7, 2, "x'01'"),
            "GRANT TRUNCATE ON event TO CURRENT_USER; TRUNCATE event CASCADE",
        ),
    ];
    let before = log.store.read(Position::START, 10).await.unwrap();
    for (sqlite, postgres) in attempts {
        let refused = log.place.run(&sqlite, postgres).await.unwrap_err().to_string();
        let by_trigger = refused.contains("an event is ");
        assert!(
            by_trigger || refused.contains("permission denied"),
            "{sqlite} {postgres}: {refused}"
        );
    }
    assert_eq!(log.store.read(Position::START, 10).await.unwrap(), before);
}

pub(crate) async fn an_event_id_is_used_once(log: &Log) {
    let first = note("app-1", 0);
    let mut second = note("app-2", 0);
    second.writes[0].events[0].id = first.writes[0].events[0].id;
    log.store.append(first).await.unwrap();
    assert!(matches!(log.store.append(second).await, Err(AppendError::Database(_))));
    assert_eq!(log.store.head().await.unwrap().size, 1);
}

pub(crate) async fn a_request_that_breaks_a_batch_hurts_only_itself(log: &Log) {
    let sqlite = "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.type = 'Poison'
        BEGIN SELECT RAISE(ABORT, 'poison'); END";
    let postgres = "ALTER TABLE event ADD CHECK (type <> 'Poison')";
    log.place.run(sqlite, postgres).await.unwrap();
    poison_hurts_only_itself(log).await;
}

pub(crate) async fn a_request_that_breaks_the_commit_hurts_only_itself(log: &Log) {
    let sqlite = "CREATE TABLE poisoned (position INTEGER REFERENCES event (position) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER refuse AFTER INSERT ON event WHEN NEW.type = 'Poison'
        BEGIN INSERT INTO poisoned VALUES (-1); END";
    let postgres = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.type = 'Poison' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()";
    log.place.run(sqlite, postgres).await.unwrap();
    poison_hurts_only_itself(log).await;
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

pub(crate) async fn an_older_program_stops_when_a_newer_one_takes_over(log: &Log) {
    let take_over = "UPDATE log_head SET oldest_writer = 99";
    log.place.run(take_over, take_over).await.unwrap();
    let refused = log.store.append(note("app-1", 0)).await;
    assert!(matches!(
        refused,
        Err(AppendError::Superseded { oldest_writer: 99, .. })
    ));
}

pub(crate) async fn a_log_that_was_exchanged_is_not_appended_to(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let shorten = "UPDATE log_head SET size = 0, frontier = ";
    log.place
        .run(&format!("{shorten} x''"), &format!("{shorten} ''"))
        .await
        .unwrap();
    let refused = log.store.append(note("app-1", 1)).await;
    assert!(matches!(refused, Err(AppendError::Replaced)));
}
