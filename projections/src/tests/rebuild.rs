use std::collections::BTreeMap;

use domain::app::{Authority, Event};
use rusqlite::Connection;

use super::world::*;
use crate::{Moment, ViewError, Views};

/// Every row of every table, the search index included.
pub(super) fn dump(conn: &Connection) -> Result<BTreeMap<String, Vec<String>>, ViewError> {
    let tables: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%store_text_%'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    tables
        .into_iter()
        .map(|table| Ok((table.clone(), rows(conn, &table)?)))
        .collect()
}

fn rows(conn: &Connection, table: &str) -> Result<Vec<String>, ViewError> {
    // The index keeps no text; what can be read from it is which words lead where.
    let sql = match table {
        "store_text" | "past_store_text" => {
            conn.execute_batch(&format!(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words_of_{table} USING fts5vocab(main, {table}, instance)"
            ))?;
            format!("SELECT * FROM temp.words_of_{table}")
        }
        table => format!("SELECT * FROM {table}"),
    };
    let mut statement = conn.prepare(&sql)?;
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|i| Ok(format!("{:?}", row.get_ref(i)?))).collect();
    let mut rows: Vec<String> = statement.query_map([], row)?.collect::<Result<Vec<String>, _>>()?;
    rows.sort();
    Ok(rows)
}

pub(super) async fn eventful() -> World {
    let mut world = World::new().await;
    world.one_by_one = true;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    let listing = world.listing("Redis", "fast").await;
    let package = world.upload_version(1, "2.0.0").await;
    world.app(AUTHOR, 1, Event::ListingEdited { listing }).await;
    world.publish(1, "2.0.0", &package, listing).await;
    world
        .app(
            AUTHOR,
            1,
            Event::CategoryAssigned {
                category: Some(category(7)),
            },
        )
        .await;
    let suspended = Event::Suspended {
        version: None,
        authority: Authority::Store,
        reason: Some(sealed(1)),
    };
    world.app(REVIEWER, 2, suspended).await;
    world
        .account(3, domain::account::Event::AccountCreated { name: sealed(1) })
        .await;
    world
}

pub(super) async fn dump_of(views: &Views) -> BTreeMap<String, Vec<String>> {
    views.read(dump).await.unwrap()
}

pub(super) async fn caught_up(world: &World, views: &Views) {
    let follower = follow(views, &world.log, &world.blobs);
    views.reached(world.size).await;
    follower.abort();
    let _ = follower.await;
}

#[tokio::test]
async fn views_built_event_by_event_at_once_and_again_are_the_same_row_for_row() {
    let world = eventful().await;
    let live = world.ask(dump).await;
    for (table, rows_min) in [
        ("app_history", 4),
        ("store_entry_history", 3),
        ("store_text", 10),
        ("past_store_text", 10),
    ] {
        assert!(live[table].len() >= rows_min, "{table}: {}", live[table].len());
    }
    assert_eq!(live["audit"].len() as u64, world.size);

    let at_once = world.views_in("other.db").await;
    caught_up(&world, &at_once).await;
    assert_eq!(dump_of(&at_once).await, live);
    drop(at_once);
    std::fs::remove_file(world.folder.path().join("other.db")).unwrap();
    let again = world.views_in("other.db").await;
    assert_eq!(again.position(), 0);
    caught_up(&world, &again).await;
    assert_eq!(dump_of(&again).await, live);
}

#[tokio::test]
async fn views_go_on_where_they_stopped_with_apps_they_no_longer_remember() {
    let mut world = eventful().await;
    let views = world.views_in("other.db").await;
    caught_up(&world, &views).await;
    let reached = views.position();
    drop(views);

    let listing = world.listing("Redis", "faster").await;
    let package = world.upload_version(1, "3.0.0").await;
    world.publish(1, "3.0.0", &package, listing).await;
    world.app(REVIEWER, 2, Event::Resumed { version: None }).await;
    let reopened = world.views_in("other.db").await;
    assert_eq!(reopened.position(), reached);
    caught_up(&world, &reopened).await;
    assert_eq!(dump_of(&reopened).await, world.ask(dump).await);
}

#[tokio::test]
async fn a_file_that_disagrees_with_the_log_is_built_anew() {
    let world = eventful().await;
    for damage in [
        "UPDATE checkpoint SET leaf_hash = zeroblob(32)",
        "UPDATE checkpoint SET position = position + 1",
        "UPDATE checkpoint SET log_id = '00000000-0000-0000-0000-000000000000'",
        "UPDATE checkpoint SET epoch = '00000000-0000-0000-0000-000000000000'",
        "UPDATE checkpoint SET program = 'another'",
        "DELETE FROM checkpoint",
        "DROP TABLE checkpoint",
    ] {
        let views = world.views_in("other.db").await;
        caught_up(&world, &views).await;
        let file = views.path();
        drop(views);
        Connection::open(&file).unwrap().execute_batch(damage).unwrap();
        let views = world.views_in("other.db").await;
        assert_eq!(views.position(), 0, "{damage}");
        caught_up(&world, &views).await;
        assert_eq!(dump_of(&views).await, world.ask(dump).await, "{damage}");
        assert!(file.exists(), "the other program may want it until here");
        views.discard_older().unwrap();
        assert!(!file.exists() && views.path().exists());
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_replaced() {
    let world = eventful().await;
    std::fs::write(
        world.folder.path().join("other.db"),
        "not a database, but long enough to be one".repeat(100),
    )
    .unwrap();
    let views = world.views_in("other.db").await;
    caught_up(&world, &views).await;
    assert_eq!(views.position(), world.size);
}

#[tokio::test]
async fn an_event_that_is_not_known_stops_the_views_right_before_it() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let unknown = world.record_unknown(1).await;
    let stopped = world.stopped().await;
    assert!(
        matches!(stopped, ViewError::Undecodable { position, .. } if position == unknown),
        "{stopped:?}"
    );
    assert_eq!(world.views.position(), unknown);
}

#[tokio::test]
async fn a_blob_store_that_fails_stops_the_views_until_it_works_again() {
    let mut world = World::new().await;
    let listing = world.listing("Redis", "fast").await;
    let shelf = world
        .folder
        .path()
        .join("blobs/sha256")
        .join(&listing.to_string()[7..9]);
    let aside = world.folder.path().join("aside");
    std::fs::rename(&shelf, &aside).unwrap();
    std::fs::write(&shelf, "not a folder").unwrap();
    let uploaded = Event::AppUploaded {
        workspace: workspace(1),
        chart: "redis".parse().unwrap(),
        listing,
    };
    world.app(AUTHOR, 1, uploaded).await;
    let stopped = world.stopped().await;
    assert!(matches!(stopped, ViewError::Content(_)), "{stopped:?}");
    assert_eq!(world.views.position(), 0);

    std::fs::remove_file(&shelf).unwrap();
    std::fs::rename(&aside, &shelf).unwrap();
    let again = follow(&world.views, &world.log, &world.blobs);
    let listing = world.ask(move |conn| crate::content::listing(conn, &listing)).await;
    assert_eq!(listing.unwrap().display_name, "Redis");
    again.abort();
}

#[tokio::test]
async fn a_damaged_document_is_content_that_is_gone() {
    let mut world = World::new().await;
    let listing = world.put(&serde_json::json!({ "displayName": 7 })).await;
    let uploaded = Event::AppUploaded {
        workspace: workspace(1),
        chart: "redis".parse().unwrap(),
        listing,
    };
    world.app(AUTHOR, 1, uploaded).await;
    assert_eq!(
        world.ask(move |conn| crate::content::listing(conn, &listing)).await,
        None
    );
}

#[tokio::test]
async fn a_question_that_panics_is_abandoned_and_the_next_is_answered() {
    let world = World::new().await;
    for _ in 0..8 {
        let abandoned = world
            .views
            .read(|_| -> Result<(), ViewError> { panic!("on purpose") })
            .await;
        assert!(matches!(abandoned, Err(ViewError::Abandoned)));
        let abandoned = world
            .views
            .read_inline(Moment::Now, |_| -> Result<(), ViewError> { panic!("on purpose") })
            .await;
        assert!(matches!(abandoned, Err(ViewError::Abandoned)));
    }
    assert_eq!(world.ask(|conn| Ok(crate::position(conn)?)).await, 0);
    let inline = world.views.read_inline(Moment::Now, |conn| Ok(crate::position(conn)?));
    assert_eq!(inline.await.unwrap(), 0);
}

#[tokio::test]
async fn a_question_cannot_write() {
    let world = World::new().await;
    let refused = world
        .views
        .read(|conn| Ok(conn.execute("DELETE FROM checkpoint", [])?))
        .await;
    assert!(matches!(refused, Err(ViewError::Database(_))));
    let refused = world
        .views
        .read_inline(Moment::Now, |conn| Ok(conn.execute("DELETE FROM checkpoint", [])?))
        .await;
    assert!(matches!(refused, Err(ViewError::Database(_))));
}
