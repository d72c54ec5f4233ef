use std::collections::BTreeMap;

use domain::app::{Authority, Event};
use proptest::{prelude::*, sample};
use rusqlite::Connection;
use serde_json::json;

use super::{
    history::{Step, steps, take},
    rebuild::dump,
    world::*,
};
use crate::{
    ViewError,
    replay::{self, Replay},
    sheets::{self, Narrowing, Sheet, View, touched},
};

type Seen = (BTreeMap<String, Vec<String>>, Vec<Sheet>);

fn everything(conn: &Connection) -> Result<Seen, ViewError> {
    let sheets = View::ALL.map(|view| sheets::sheet(conn, view, Narrowing::default()));
    Ok((dump(conn)?, sheets.into_iter().collect::<Result<_, _>>()?))
}

fn replay(world: &World, file: &str) -> Replay {
    Replay::start(&world.folder.path().join(file), &world.log, &world.blobs).unwrap()
}

async fn look(world: &World, seen: &mut Vec<Seen>) {
    if seen.len() as u64 != world.size {
        seen.push(world.ask(everything).await);
        assert_eq!(seen.len() as u64, world.size, "a moment was missed");
    }
}

/// What live views held after every event, against what is folded from the log up to it: step by step, and at once.
async fn check(steps: Vec<(u128, u8, Step)>, at: sample::Index) {
    let (mut world, mut seen) = (World::new().await, Vec::new());
    for (id, chart) in [(1, "redis"), (2, "kafka")] {
        world.upload_app(id, chart).await;
        look(&world, &mut seen).await;
    }
    let (name, icon) = ("first".parse().unwrap(), "box".parse().unwrap());
    let created = domain::category::Event::CategoryCreated { name, icon };
    world.category(1, created).await;
    look(&world, &mut seen).await;
    for (app, version, step) in steps {
        take(&mut world, app, version, step).await;
        look(&world, &mut seen).await;
    }
    let gradual = replay(&world, "gradual.db");
    gradual.note_changes(&View::ALL).await.unwrap();
    for (size, then) in (1..).zip(&seen) {
        gradual.advance(size).await.unwrap();
        assert_eq!(gradual.read(everything).await.unwrap(), *then, "after {size} events");
    }
    let size = at.index(seen.len());
    let at_once = replay(&world, "at-once.db");
    at_once.advance(size as u64 + 1).await.unwrap();
    assert_eq!(at_once.read(everything).await.unwrap(), seen[size]);
    explained(&gradual, &seen).await;
}

/// Every row that differs between two moments was touched by an event between them.
async fn explained(replay: &Replay, seen: &[Seen]) {
    for (n, view) in View::ALL.into_iter().enumerate() {
        let touched = replay.read(move |conn| touched::by_row(conn, view)).await.unwrap();
        for (position, pair) in (1..).zip(seen.windows(2)) {
            for change in pair[0].1[n].changes(&pair[1].1[n]) {
                let by = touched.get(&change.key).cloned().unwrap_or_default();
                assert!(by.contains(&position), "{view} {change:?} is not explained by {by:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn a_replay_holds_what_the_views_held_after_every_event(steps in steps(), at in any::<sample::Index>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(check(steps, at));
    }
}

#[tokio::test]
async fn a_difference_names_the_events_that_made_it_and_no_others() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    let before = world.size;
    let replay = replay(&world, "replay.db");
    let store = |conn: &Connection| sheets::sheet(conn, View::Store, Narrowing::default());
    replay.advance(before).await.unwrap();
    let then = replay.read(store).await.unwrap();
    replay.note_changes(&[View::Store]).await.unwrap();

    let suspended = Event::Suspended {
        version: None,
        authority: Authority::Store,
        reason: None,
    };
    let gone = world.app(REVIEWER, 2, suspended).await;
    let listing = world.listing("Redis", "faster").await;
    let package = world.upload_version(1, "2.0.0").await;
    let published = world.publish(1, "2.0.0", &package, listing).await;
    replay.advance(world.size).await.unwrap();
    let now = replay.read(store).await.unwrap();

    let changes = then.changes(&now);
    let touched = replay.read(|conn| touched::by_row(conn, View::Store)).await.unwrap();
    let [redis, kafka] = [1, 2].map(|n| app(n).as_uuid().simple().to_string());
    let found: BTreeMap<_, _> = changes.into_iter().map(|change| (change.key.clone(), change)).collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&redis, &kafka]);
    assert_eq!(found[&kafka].after, None);
    let version = now.columns.iter().position(|column| column.name == "version").unwrap();
    let of = |row: &Option<Vec<serde_json::Value>>| row.as_ref().map(|row| row[version].clone());
    assert_eq!(of(&found[&redis].before), Some(json!("1.0.0")));
    assert_eq!(of(&found[&redis].after), Some(json!("2.0.0")));
    assert_eq!((&touched[&redis], &touched[&kafka]), (&vec![published], &vec![gone]));
}

#[tokio::test]
async fn an_app_that_is_moved_touches_the_shelf_it_leaves_and_the_one_it_comes_to() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let move_to = |shelf| Event::CategoryAssigned {
        category: Some(category(shelf)),
    };
    world.app(AUTHOR, 1, move_to(1)).await;
    let replay = replay(&world, "replay.db");
    replay.advance(world.size).await.unwrap();
    replay.note_changes(&[View::Categories]).await.unwrap();
    let moved = world.app(AUTHOR, 1, move_to(2)).await;
    replay.advance(world.size).await.unwrap();
    let touched = replay.read(|conn| touched::by_row(conn, View::Categories)).await;
    let by = [1, 2].map(|shelf| (category(shelf).as_uuid().simple().to_string(), vec![moved]));
    assert_eq!(touched.unwrap(), BTreeMap::from(by));
}

#[tokio::test]
async fn a_replay_ends_where_the_log_does_and_does_not_go_back() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let replay = replay(&world, "replay.db");
    let size = world.size;
    let refused = replay.advance(size + 1).await;
    assert!(
        matches!(refused, Err(ViewError::InTheFuture { asked, reached }) if (asked, reached) == (size, size)),
        "{refused:?}"
    );
    replay.advance(1).await.unwrap();
    assert_eq!(replay.read(|conn| Ok(crate::position(conn)?)).await.unwrap(), size);
}

#[tokio::test]
async fn a_replay_stops_right_before_an_event_that_is_not_known() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let unknown = world.record_unknown(1).await;
    world.stock(2, "kafka", "1.0.0").await;
    let replay = replay(&world, "replay.db");
    for _ in 0..2 {
        let stopped = replay.advance(world.size).await;
        assert!(
            matches!(stopped, Err(ViewError::Undecodable { position, .. }) if position == unknown),
            "{stopped:?}"
        );
        let reached = replay.read(|conn| Ok(crate::position(conn)?)).await;
        assert_eq!(reached.unwrap(), unknown);
    }
}

#[tokio::test]
async fn a_time_is_after_the_events_until_then() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let events = world.log.read(eventstore::Position::START, 100).await.unwrap();
    for (size, event) in (1..).zip(&events) {
        assert_eq!(replay::size_at(&world.log, event.time).await.unwrap(), size);
    }
    let early = events[0].time - chrono::TimeDelta::milliseconds(1);
    let refused = replay::size_at(&world.log, early).await;
    assert!(matches!(refused, Err(ViewError::BeforeTheLog(time)) if time == early));
}

#[tokio::test]
async fn a_sheet_can_be_narrowed_to_one_app() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    let (found, sheet) = world
        .ask(|conn| {
            let found = sheets::apps_named(conn, "kafka")?;
            let narrowing = Narrowing { app: Some(found[0]) };
            Ok((found, sheets::sheet(conn, View::Versions, narrowing)?))
        })
        .await;
    assert_eq!(found, [app(2).as_uuid()]);
    assert_eq!(sheet.rows.len(), 1);
    assert_eq!(sheet.rows[0].values[0], json!(app(2).to_string()));
}
