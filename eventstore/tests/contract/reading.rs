use eventstore::{AppendError, EventStore, Position, ReadError, Revision};
use serde_json::json;

use crate::fixture::{Log, append, by_command, fresh_id, note, stream, write};

async fn noted(store: &EventStore, events: u64) {
    for revision in 0..events {
        store.append(note("app-1", revision)).await.unwrap();
    }
}

pub(crate) async fn a_stream_is_read_past_a_revision(log: &Log) {
    log.store
        .append(append(vec![write("app-1", 0, &["Made"]), write("app-2", 0, &["Made"])]))
        .await
        .unwrap();
    log.store
        .append(append(vec![write("app-1", 1, &["Named", "Shown"])]))
        .await
        .unwrap();
    let read = async |name: &str, after| {
        let events = log
            .store
            .read_stream(&stream(name), Revision::new(after))
            .await
            .unwrap();
        events.into_iter().map(|event| event.name).collect::<Vec<_>>()
    };
    assert_eq!(read("app-1", 0).await, ["Made", "Named", "Shown"]);
    assert_eq!(read("app-1", 1).await, ["Named", "Shown"]);
    assert!(read("app-1", 3).await.is_empty());
    assert!(read("app-3", 0).await.is_empty());
}

pub(crate) async fn the_log_is_read_in_pages(log: &Log) {
    noted(&log.store, 5).await;
    let read = async |from, limit| {
        let events = log.store.read(Position::new(from), limit).await.unwrap();
        events.into_iter().map(|event| event.position.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 2).await, [0, 1]);
    assert_eq!(read(3, 100).await, [3, 4]);
    assert!(read(5, 100).await.is_empty());
}

pub(crate) async fn events_are_read_by_their_positions(log: &Log) {
    noted(&log.store, 5).await;
    let read = async |positions: &[u64]| {
        let positions = positions.iter().copied().map(Position::new).collect();
        let events = log.store.read_each(&positions).await.unwrap();
        events.into_iter().map(|event| event.position.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(&[4, 1, 9]).await, [1, 4]);
    assert!(read(&[]).await.is_empty());
}

pub(crate) async fn an_event_is_read_as_it_was_acknowledged(log: &Log) {
    let command = fresh_id();
    let mut made = by_command(note("app-1", 0), "ada \"the first\" 🦀", command, 7);
    made.writes[0].events[0].data = json!({ "z": "ä", "a": [1, -2, null, true], "digest": "sha256:00" });
    made.context.causation_id = Some(fresh_id());
    let context = made.context.clone();
    let acknowledged = log.store.append(made).await.unwrap().events;
    assert_eq!(log.store.read(Position::START, 10).await.unwrap(), acknowledged);
    assert_eq!(
        log.store.read_stream(&stream("app-1"), Revision::NONE).await.unwrap(),
        acknowledged
    );

    let envelope = acknowledged[0].envelope().unwrap();
    assert_eq!(envelope.actor, context.actor);
    assert_eq!(envelope.command_id, Some(command));
    assert_eq!(envelope.request_mac.unwrap(), "07".repeat(32));
    assert_eq!(
        (envelope.correlation_id, envelope.causation_id),
        (context.correlation_id, context.causation_id)
    );
    assert_eq!(envelope.source, format!("charthouse:{}", log.store.identity().log_id));
    assert_eq!(
        envelope.data.get(),
        r#"{"a":[1,-2,null,true],"digest":"sha256:00","z":"ä"}"#
    );
}

pub(crate) async fn a_subscription_catches_up_and_then_goes_live(log: &Log) {
    noted(&log.store, 3).await;
    let mut subscription = log.store.subscribe(Position::new(1));
    let mut seen: Vec<_> = subscription.next().await.unwrap();
    assert_eq!(seen.len(), 2);

    let live = tokio::spawn(async move { subscription.next().await.unwrap() });
    log.store.append(note("app-1", 3)).await.unwrap();
    seen.extend(live.await.unwrap());
    assert_eq!(
        seen.iter().map(|event| event.position.get()).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

pub(crate) async fn a_subscription_hands_over_thousands_of_events_in_order(log: &Log) {
    for revision in [0, 1_000, 2_000, 3_000] {
        let mut thousand = note("app-1", revision);
        let event = thousand.writes[0].events[0].clone();
        let events = (0..1_000).map(|_| eventstore::NewEvent {
            id: fresh_id(),
            ..event.clone()
        });
        thousand.writes[0].events = events.collect();
        log.store.append(thousand).await.unwrap();
    }
    let reopened = log.reopen().await;
    let mut subscription = reopened.subscribe(Position::new(7));
    let mut seen = Vec::new();
    while seen.len() < 3_993 {
        seen.extend(
            subscription
                .next()
                .await
                .unwrap()
                .iter()
                .map(|event| event.position.get()),
        );
    }
    assert_eq!(seen, (7..4_000).collect::<Vec<_>>());
}

pub(crate) async fn a_subscription_ends_with_an_error_when_the_store_closes(log: &Log) {
    let mut subscription = log.store.subscribe(Position::START);
    let waiting = tokio::spawn(async move { subscription.next().await });
    log.store.close().await;
    assert!(matches!(waiting.await.unwrap(), Err(ReadError::Closed)));
    assert!(matches!(
        log.store.append(note("app-1", 0)).await,
        Err(AppendError::Closed)
    ));
}

pub(crate) async fn what_was_acknowledged_is_there_after_opening_again(log: &Log) {
    noted(&log.store, 5).await;
    let (head, events) = (
        log.store.head().await.unwrap(),
        log.store.read(Position::START, 10).await.unwrap(),
    );
    let reopened = log.reopen().await;
    assert_eq!(reopened.identity(), log.store.identity());
    assert_eq!(reopened.head().await.unwrap(), head);
    assert_eq!(reopened.read(Position::START, 10).await.unwrap(), events);
    assert_eq!(*reopened.size().borrow(), 5);
    assert_eq!(reopened.append(note("app-1", 5)).await.unwrap().first.get(), 5);
}
