use std::sync::Arc;

use eventstore::{AppendError, EventStore, Mode, Position};
use futures_util::future::join_all;
use tokio::sync::{Notify, watch};

use super::{Acknowledged, acknowledged, audit, pair};
use crate::postgres_server::Server;

const WRITERS: usize = 16;
const CRASHES: usize = 3;
/// Acknowledgements between two crashes.
const LOAD: u64 = 150;

/// Appends until told to stop. Whatever is refused or in doubt, it asks for again, as the same command.
async fn writer(
    store: EventStore,
    name: String,
    count: watch::Sender<u64>,
    stop: watch::Receiver<bool>,
) -> Vec<Acknowledged> {
    let mut known = Vec::new();
    let mut revision = 0;
    while !*stop.borrow() {
        let request = pair(&name, revision);
        loop {
            match store.append(request.clone()).await {
                Ok(appended) => known.push(acknowledged(&appended)),
                Err(AppendError::AlreadyDone(answer)) => {
                    assert_eq!(answer.events, 2);
                    let first = answer.position.get() - 1;
                    known.push((first, request.writes[0].events[0].id.to_string()));
                }
                Err(AppendError::Unavailable(_) | AppendError::OutcomeUnknown(_)) => continue,
                Err(error) => panic!("{error}"),
            }
            break;
        }
        revision += 1;
        count.send_modify(|count| *count += 1);
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_under_load_costs_only_time() {
    let server = Arc::new(tokio::task::spawn_blocking(Server::start).await.unwrap());
    let url = server.database().await;
    let store = EventStore::open(&url, Mode::Append).await.unwrap();
    let (count, mut counted) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| tokio::spawn(writer(store.clone(), format!("w-{n}"), count.clone(), stopped.clone())))
        .collect();
    let (caught_up, mut tail) = (Arc::new(Notify::new()), store.subscribe(Position::START));
    let done = Arc::clone(&caught_up);
    let mut end = store.size();
    let reader = tokio::spawn(async move {
        let mut next = 0;
        loop {
            tokio::select! {
                events = tail.next() => for event in events.unwrap() {
                    assert_eq!(event.position.get(), next, "a subscription neither skips nor repeats");
                    next += 1;
                },
                () = done.notified() => break,
            }
        }
        while next < *end.borrow_and_update() {
            next += tail.next().await.unwrap().len() as u64;
        }
        next
    });

    for crash in 1..=CRASHES as u64 {
        counted.wait_for(|count| *count >= crash * LOAD).await.unwrap();
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || {
            server.crash();
            server.resume();
        })
        .await
        .unwrap();
    }
    counted
        .wait_for(|count| *count >= (CRASHES as u64 + 1) * LOAD)
        .await
        .unwrap();
    stop.send_replace(true);
    let known: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    audit(&url, &known).await;
    caught_up.notify_one();
    assert_eq!(
        reader.await.unwrap(),
        2 * known.len() as u64,
        "everything was acknowledged in the end"
    );
    store.close().await;
}
