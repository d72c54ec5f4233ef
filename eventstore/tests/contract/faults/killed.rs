use eventstore::{EventStore, Mode};

use super::audit;
use super::child::Writer;
use crate::fixture::Place;

/// How many acknowledgements the writer lives to hear, one life after the other.
const LIVES: [usize; 12] = [1, 40, 2, 17, 1, 90, 5, 9, 3, 60, 1, 25];

async fn a_writer_is_killed_again_and_again(place: Place) {
    EventStore::open(&place.url, Mode::Append).await.unwrap().close().await;
    let mut acknowledged = Vec::new();
    for heard in LIVES {
        let mut writer = Writer::start(&place.url, "child");
        acknowledged.extend((0..heard).map_while(|_| writer.acknowledged()));
        acknowledged.extend(writer.kill());
        audit(&place.url, &acknowledged).await;
    }
    assert!(acknowledged.len() >= LIVES.iter().sum());
}

#[tokio::test]
async fn a_killed_writer_leaves_what_was_acknowledged_in_sqlite() {
    a_writer_is_killed_again_and_again(Place::sqlite()).await;
}

#[tokio::test]
async fn a_killed_writer_leaves_what_was_acknowledged_in_postgres() {
    a_writer_is_killed_again_and_again(Place::postgres().await).await;
}

#[tokio::test]
async fn of_two_processes_one_may_die_while_the_other_appends() {
    let place = Place::postgres().await;
    EventStore::open(&place.url, Mode::Append).await.unwrap().close().await;
    let mut survivor = Writer::start(&place.url, "survivor");
    let mut acknowledged = Vec::new();
    for heard in &LIVES[..6] {
        let mut victim = Writer::start(&place.url, "victim");
        for _ in 0..*heard {
            acknowledged.extend(survivor.acknowledged());
            acknowledged.extend(victim.acknowledged());
        }
        acknowledged.extend(victim.kill());
        acknowledged.extend(survivor.acknowledged());
    }
    acknowledged.extend(survivor.kill());
    audit(&place.url, &acknowledged).await;
}
