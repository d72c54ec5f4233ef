use std::collections::HashMap;

use eventstore::transparency::merkle::{Frontier, leaf_hash};
use eventstore::{AppendError, InvalidAppend, LEAF_BYTES_MAX, Position, Revision};
use futures_util::future::join_all;
use serde_json::json;

use crate::fixture::{Log, append, by_command, event, fresh_id, guard, note, stream, write};

pub(crate) async fn positions_count_from_zero_in_the_order_of_the_writes(log: &Log) {
    let both = append(vec![
        write("app-1", 0, &["Made", "Named"]),
        write("name-1", 0, &["Taken"]),
    ]);
    let appended = log.store.append(both).await.unwrap();
    assert_eq!((appended.first.get(), appended.last.get()), (0, 2));
    let places: Vec<_> = appended
        .events
        .iter()
        .map(|e| (e.position.get(), e.name.as_str(), e.revision.get()))
        .collect();
    assert_eq!(places, [(0, "Made", 1), (1, "Named", 2), (2, "Taken", 1)]);
    assert_eq!(log.store.append(note("app-1", 2)).await.unwrap().first.get(), 3);
    assert_eq!(*log.store.size().borrow(), 4);
}

pub(crate) async fn a_conflict_names_the_stream_and_its_revision(log: &Log) {
    log.store
        .append(append(vec![write("app-1", 0, &["Made", "Named"])]))
        .await
        .unwrap();
    for wrong in [0, 1, 3] {
        let refused = log.store.append(note("app-1", wrong)).await.unwrap_err();
        let AppendError::Conflict {
            stream: moved,
            expected,
            actual,
        } = refused
        else {
            panic!("{refused}")
        };
        assert_eq!((moved, expected.get(), actual.get()), (stream("app-1"), wrong, 2));
    }
}

pub(crate) async fn a_guard_holds_without_writing(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let mut guarded = note("release-1", 0);
    guarded.guards = vec![guard("app-1", 1), guard("app-2", 0)];
    log.store.append(guarded).await.unwrap();
    assert_eq!(
        log.store
            .read_stream(&stream("app-1"), Revision::NONE)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(crate) async fn a_moved_guard_refuses_the_whole_append(log: &Log) {
    log.store.append(note("app-1", 0)).await.unwrap();
    let mut guarded = note("release-1", 0);
    guarded.guards = vec![guard("app-1", 0)];
    let refused = log.store.append(guarded).await.unwrap_err();
    let AppendError::Conflict {
        stream: moved, actual, ..
    } = refused
    else {
        panic!("{refused}")
    };
    assert_eq!((moved, actual.get()), (stream("app-1"), 1));
    assert!(
        log.store
            .read_stream(&stream("release-1"), Revision::NONE)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn an_append_is_stored_whole_or_not_at_all(log: &Log) {
    let half_wrong = append(vec![write("app-1", 0, &["Made"]), write("name-1", 7, &["Taken"])]);
    log.store.append(half_wrong).await.unwrap_err();
    assert_eq!(log.store.head().await.unwrap().size, 0);
    assert_eq!(log.store.append(note("app-1", 0)).await.unwrap().first, Position::START);
}

pub(crate) async fn losers_do_not_hurt_others(log: &Log) {
    let rivals = (0..40).map(|_| log.store.append(note("app-1", 0)));
    let names: Vec<_> = (0..40).map(|i| format!("other-{i}")).collect();
    let others = names.iter().map(|name| log.store.append(note(name, 0)));
    let (rivals, others) = tokio::join!(join_all(rivals), join_all(others));

    assert_eq!(rivals.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in rivals.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, AppendError::Conflict { actual, .. } if actual.get() == 1));
    }
    assert!(others.iter().all(Result::is_ok));
    assert_eq!(log.store.head().await.unwrap().size, 41);
}

pub(crate) async fn thirty_two_writers_leave_no_gap_for_a_tailing_reader(log: &Log) {
    const WRITERS: u64 = 32;
    const EACH: u64 = 25;
    let mut tail = log.store.subscribe(Position::START);
    let reader = tokio::spawn(async move {
        let mut seen = Vec::new();
        while (seen.len() as u64) < WRITERS * EACH {
            seen.extend(tail.next().await.unwrap());
        }
        seen
    });
    let writers = (0..WRITERS).map(|writer| {
        let store = log.store.clone();
        tokio::spawn(async move {
            let name = format!("writer-{writer}");
            for revision in 0..EACH {
                store.append(note(&name, revision)).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);

    let seen = reader.await.unwrap();
    let mut revisions = HashMap::new();
    for (position, event) in seen.iter().enumerate() {
        assert_eq!(event.position.get(), position as u64);
        let revision = revisions.entry(&event.stream).or_insert(0);
        *revision += 1;
        assert_eq!(event.revision.get(), *revision);
    }
}

pub(crate) async fn an_append_without_events_is_refused(log: &Log) {
    for nothing in [append(vec![]), append(vec![write("app-1", 0, &[])])] {
        let refused = log.store.append(nothing).await.unwrap_err();
        assert!(matches!(refused, AppendError::Invalid(InvalidAppend::Empty)));
    }
}

pub(crate) async fn a_stream_is_written_once_in_an_append(log: &Log) {
    let twice = append(vec![write("app-1", 0, &["Made"]), write("app-1", 1, &["Named"])]);
    let refused = log.store.append(twice).await.unwrap_err();
    assert!(matches!(refused, AppendError::Invalid(InvalidAppend::StreamTwice(name)) if name == stream("app-1")));
}

pub(crate) async fn an_actor_that_is_no_name_is_refused(log: &Log) {
    for actor in ["", "ada\0", "ada\nlovelace", &"a".repeat(256)] {
        let refused = log
            .store
            .append(by_command(note("app-1", 0), actor, fresh_id(), 1))
            .await
            .unwrap_err();
        assert!(matches!(refused, AppendError::Invalid(InvalidAppend::Actor(named)) if named == actor));
    }
}

pub(crate) async fn a_leaf_that_is_too_large_is_refused(log: &Log) {
    let mut large = note("app-1", 0);
    large.writes[0].events[0].data = json!({ "text": "x".repeat(LEAF_BYTES_MAX) });
    let refused = log.store.append(large).await.unwrap_err();
    assert!(matches!(
        refused,
        AppendError::LeafTooLarge {
            limit: LEAF_BYTES_MAX,
            ..
        }
    ));
    assert_eq!(log.store.head().await.unwrap().size, 0);
}

pub(crate) async fn a_name_that_is_taken_is_a_conflict(log: &Log) {
    log.store
        .append(append(vec![
            write("app-1", 0, &["Made"]),
            write("name-redis", 0, &["NameTaken"]),
        ]))
        .await
        .unwrap();
    let second = append(vec![
        write("app-2", 0, &["Made"]),
        write("name-redis", 0, &["NameTaken"]),
    ]);
    let refused = log.store.append(second).await.unwrap_err();
    assert!(matches!(refused, AppendError::Conflict { stream: taken, .. } if taken == stream("name-redis")));
    log.store
        .append(append(vec![write("name-redis", 1, &["NameReleased"])]))
        .await
        .unwrap();
    log.store
        .append(append(vec![
            write("app-2", 0, &["Made"]),
            write("name-redis", 2, &["NameTaken"]),
        ]))
        .await
        .unwrap();
}

pub(crate) async fn the_root_covers_every_leaf(log: &Log) {
    let mut frontier = Frontier::default();
    for revision in 0..11 {
        let appended = log.store.append(note("app-1", revision)).await.unwrap();
        appended
            .events
            .iter()
            .for_each(|event| frontier.append(leaf_hash(&event.leaf)));
        let head = log.store.head().await.unwrap();
        assert_eq!((head.size, head.root), (frontier.size(), frontier.root()));
    }
}

pub(crate) async fn a_closed_store_refuses(log: &Log) {
    let waiting = log.store.append(append(vec![write("app-1", 0, &["Made"])]));
    waiting.await.unwrap();
    log.store.close().await;
    let mut late = note("app-1", 1);
    late.writes[0].events.push(event("Named"));
    assert!(matches!(log.store.append(late).await, Err(AppendError::Closed)));
    log.store.close().await;
}

pub(crate) async fn an_event_of_a_type_nobody_knows_is_stored_and_read(log: &Log) {
    let mut strange = append(vec![write("app-1", 0, &["NeverHeardOf"])]);
    strange.writes[0].events[0].schema = 7;
    let stored = log.store.append(strange).await.unwrap().events;
    let read = log.store.read(Position::START, 10).await.unwrap();
    assert_eq!(read, stored);
    assert_eq!((read[0].name.as_str(), read[0].schema), ("NeverHeardOf", 7));
}
