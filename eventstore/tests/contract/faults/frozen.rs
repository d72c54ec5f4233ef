use std::time::Duration;

use eventstore::{EventStore, Mode};
use sqlx::PgConnection;

use super::child::Writer;
use super::{acknowledged, audit, pair};
use crate::fixture::Place;
use crate::postgres_server::Server;

/// A writer stopped by SIGSTOP cannot give the head back. The server takes it from it.
#[tokio::test]
async fn a_writer_that_freezes_with_the_head_does_not_freeze_the_others() {
    let place = Place::postgres().await;
    let store = EventStore::open(&place.url, Mode::Append).await.unwrap();
    let mut known = vec![acknowledged(&store.append(pair("parent", 0)).await.unwrap())];

    // Whoever inserts now waits, with the head in hand.
    let mut blocker = Server::shared()
        .administrator(place.url.rsplit_once('/').unwrap().1)
        .await;
    sqlx::raw_sql("BEGIN; LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut blocker)
        .await
        .unwrap();
    let mut frozen = Writer::start(&place.url, "frozen");
    until_an_insert_waits(&mut blocker).await;
    frozen.signal("-STOP");
    sqlx::raw_sql("COMMIT").execute(&mut blocker).await.unwrap();

    known.push(acknowledged(&store.append(pair("parent", 1)).await.unwrap()));
    frozen.signal("-CONT");
    for _ in 0..20 {
        known.push(frozen.acknowledged().unwrap());
    }
    known.extend(frozen.kill());
    audit(&place.url, &known).await;
}

async fn until_an_insert_waits(connection: &mut PgConnection) {
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'event'::regclass)";
    while !sqlx::query_scalar::<_, bool>(waits)
        .fetch_one(&mut *connection)
        .await
        .unwrap()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
