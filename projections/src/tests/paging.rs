use std::fmt::Debug;

use rusqlite::Connection;

use super::world::*;
use crate::{
    Key, Page, PageRequest, ViewError, apps,
    audit::{self, AuditFilter},
    page::PAGE_MAX,
    storefront::{self, Shelf, Sort},
    tenancy,
};

type Query<T> = fn(&Connection, &PageRequest) -> Result<Page<T>, ViewError>;

/// Walks a list in pages of `size` and compares it with the list read at once.
async fn walk<T: Clone + Debug + PartialEq + Send + 'static>(world: &World, query: Query<T>, rows: usize) {
    let whole = world.ask(move |conn| query(conn, &first(PAGE_MAX))).await;
    assert_eq!((whole.items.len(), whole.has_next), (rows, false));
    for size in 1..=rows + 1 {
        let (mut after, mut walked) = (None, Vec::new());
        loop {
            let request = PageRequest::new(size, after.take());
            let page = world.ask(move |conn| query(conn, &request)).await;
            assert_eq!(page.items.len(), size.min(rows - walked.len()));
            after = page.items.last().map(|item| item.key.clone());
            walked.extend(page.items);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(walked, whole.items, "in pages of {size}");
    }
}

#[tokio::test]
async fn pages_are_complete_and_repeat_nothing() {
    let mut world = World::new().await;
    for id in 1..=5 {
        world.stock(id, &format!("app-{id}"), "1.0.0").await;
        let created = domain::workspace::Event::WorkspaceCreated {
            name: format!("ws-{id}").parse().unwrap(),
        };
        world
            .record(AUTHOR, &format!("workspace-{}", workspace(id)), &created)
            .await;
        world.upload_version(1, &format!("2.0.0-rc.{id}")).await;
    }
    walk(
        &world,
        |conn, page| storefront::list(conn, &on_shelf(Shelf::Any), Sort::NewestPublication, page),
        5,
    )
    .await;
    walk(
        &world,
        |conn, page| storefront::list(conn, &on_shelf(Shelf::Uncategorised), Sort::NewestPublication, page),
        5,
    )
    .await;
    walk(
        &world,
        |conn, page| storefront::list(conn, &with_words("everyb"), Sort::NewestPublication, page),
        5,
    )
    .await;
    walk(
        &world,
        |conn, page| apps::versions(conn, app(1), apps::Stage::NOT_DELETED, page),
        6,
    )
    .await;
    walk(
        &world,
        |conn, page| apps::of_workspace(conn, workspace(1), None, page),
        5,
    )
    .await;
    walk(&world, tenancy::workspaces, 5).await;
    walk(
        &world,
        |conn, page| audit::trail(conn, &AuditFilter::default(), page),
        40,
    )
    .await;
}

#[tokio::test]
async fn a_sifted_list_has_full_pages_of_what_is_kept() {
    let mut world = World::new().await;
    world.upload_app(1, "redis").await;
    for patch in 0..7 {
        world.upload_version(1, &format!("1.0.{patch}")).await;
    }
    let sifted = async |size, after: Option<Key>| {
        let request = PageRequest::new(size, after);
        let page = world.ask(move |conn| {
            let list = |page: &PageRequest| apps::versions(conn, app(1), apps::Stage::NOT_DELETED, page);
            request.sift(list, |version| version.row.number.as_str() > "1.0.2")
        });
        let Page { items, has_next } = page.await;
        let numbers: Vec<_> = items.iter().map(|item| item.row.number.as_str().to_owned()).collect();
        (numbers, has_next, items.last().map(|item| item.key.clone()))
    };
    let (numbers, has_next, after) = sifted(3, None).await;
    assert_eq!(
        (numbers, has_next),
        (["1.0.6", "1.0.5", "1.0.4"].map(Into::into).to_vec(), true)
    );
    let (numbers, has_next, _) = sifted(3, after).await;
    assert_eq!((numbers, has_next), (vec!["1.0.3".to_owned()], false));
    let places = world
        .ask(|conn| apps::places(conn, app(1), &[apps::Stage::Draft]))
        .await;
    assert_eq!(places.len(), 7);
    let (_, _, last) = sifted(1, None).await;
    assert!(places.contains(&last.unwrap()));
}

#[tokio::test]
async fn an_empty_list_has_one_empty_page() {
    let world = World::new().await;
    walk(
        &world,
        |conn, page| storefront::list(conn, &on_shelf(Shelf::Any), Sort::NewestPublication, page),
        0,
    )
    .await;
}

#[tokio::test]
async fn a_key_that_was_made_up_is_refused() {
    let world = World::new().await;
    let request = PageRequest::new(1, Some(Key::from_text("first".to_owned())));
    let refused = world
        .views
        .read(move |conn| storefront::list(conn, &on_shelf(Shelf::Any), Sort::NewestPublication, &request))
        .await
        .unwrap_err();
    assert!(matches!(refused, ViewError::InvalidKey(key) if key == "first"));
}

#[tokio::test]
async fn a_page_has_at_least_one_and_at_most_a_hundred_rows() {
    let mut world = World::new().await;
    for id in 0..101 {
        let created = domain::workspace::Event::WorkspaceCreated {
            name: format!("ws-{id}").parse().unwrap(),
        };
        world
            .record(AUTHOR, &format!("workspace-{}", workspace(id)), &created)
            .await;
    }
    for (asked, rows) in [(0, 1), (100, 100), (1_000_000, 100)] {
        let page = world.ask(move |conn| tenancy::workspaces(conn, &first(asked))).await;
        assert_eq!((page.items.len(), page.has_next), (rows, true));
    }
}
