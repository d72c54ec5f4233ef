use domain::app::{Authority, Event};

use super::world::*;
use crate::storefront::{self, Facet, Filter, Shelf, Sort};

async fn names(world: &World, shelf: Shelf) -> Vec<String> {
    let page = world
        .ask(move |conn| storefront::list(conn, &on_shelf(shelf), Sort::NewestPublication, &first(10)))
        .await;
    page.items.into_iter().map(|item| item.row.chart.to_string()).collect()
}

async fn found(world: &World, text: &'static str) -> Vec<String> {
    let page = world
        .ask(move |conn| storefront::list(conn, &with_words(text), Sort::NewestPublication, &first(10)))
        .await;
    page.items.into_iter().map(|item| item.row.chart.to_string()).collect()
}

#[tokio::test]
async fn an_app_enters_the_store_when_a_version_is_published() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "11.3.4").await;
    assert!(names(&world, Shelf::Any).await.is_empty());

    let published = world.publish(1, "11.3.4", &package, listing).await;
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!(entry.chart.as_str(), "redis");
    assert_eq!((entry.workspace, entry.category), (workspace(1), None));
    assert_eq!((entry.version, entry.package), (number("11.3.4"), package.digest));
    assert_eq!(entry.app_version.as_deref(), Some("app-11.3.4"));
    assert_eq!(
        (entry.published_position, entry.first_published_position),
        (published, published)
    );
    let card = entry.card.unwrap();
    assert_eq!(
        (card.display_name.as_str(), card.summary.as_str()),
        ("redis", "redis for everybody")
    );
}

#[tokio::test]
async fn the_newest_publication_comes_first_and_moves_its_app_there() {
    let mut world = World::new().await;
    let first_published = world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    assert_eq!(names(&world, Shelf::Any).await, ["kafka", "redis"]);

    let listing = world.listing("Redis", "fast").await;
    let package = world.upload_version(1, "2.0.0").await;
    let published = world.publish(1, "2.0.0", &package, listing).await;
    assert_eq!(names(&world, Shelf::Any).await, ["redis", "kafka"]);
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!(
        (entry.published_position, entry.first_published_position),
        (published, first_published)
    );
    assert_eq!(entry.card.unwrap().display_name, "Redis");
}

#[tokio::test]
async fn an_older_version_published_later_does_not_become_the_latest() {
    let mut world = World::new().await;
    world.stock(1, "redis", "10.0.0").await;
    let listing = world.listing("redis", "").await;
    for version in ["9.1.0", "11.0.0-rc.1"] {
        let package = world.upload_version(1, version).await;
        world.publish(1, version, &package, listing).await;
    }
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!(entry.version, number("10.0.0"));
}

#[tokio::test]
async fn a_suspended_app_leaves_the_store_and_its_search_and_comes_back_to_its_place() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    let suspended = Event::Suspended {
        version: None,
        authority: Authority::Store,
        reason: None,
    };
    world.app(REVIEWER, 1, suspended).await;
    assert_eq!(names(&world, Shelf::Any).await, ["kafka"]);
    assert!(found(&world, "redis").await.is_empty());

    world.app(REVIEWER, 1, Event::Resumed { version: None }).await;
    assert_eq!(names(&world, Shelf::Any).await, ["kafka", "redis"]);
    assert_eq!(found(&world, "redis").await, ["redis"]);
}

#[tokio::test]
async fn suspending_the_latest_version_offers_the_one_below_and_the_last_one_hides_the_app() {
    let mut world = World::new().await;
    let older = world.stock(1, "redis", "1.0.0").await;
    let listing = world.listing("redis", "").await;
    let package = world.upload_version(1, "2.0.0").await;
    let newer = world.publish(1, "2.0.0", &package, listing).await;
    let suspend = |version| Event::Suspended {
        version: Some(number(version)),
        authority: Authority::Store,
        reason: None,
    };
    world.app(REVIEWER, 1, suspend("2.0.0")).await;
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!((entry.version, entry.published_position), (number("1.0.0"), older));

    let resumed = Event::Resumed {
        version: Some(number("2.0.0")),
    };
    world.app(REVIEWER, 1, resumed).await;
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!((entry.version, entry.published_position), (number("2.0.0"), newer));

    for version in ["2.0.0", "1.0.0"] {
        world.app(REVIEWER, 1, suspend(version)).await;
    }
    assert_eq!(world.ask(|conn| storefront::entry(conn, app(1))).await, None);
}

#[tokio::test]
async fn the_store_is_searched_in_listing_and_readme_of_what_it_offers() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "2.0.0").await;
    assert_eq!(found(&world, "everybody").await, ["kafka", "redis"]);
    assert_eq!(found(&world, "run REDIS").await, ["redis"]);
    assert_eq!(found(&world, "for redi").await, ["redis"]);
    assert_eq!(found(&world, "redi for").await, Vec::<String>::new());
    assert_eq!(found(&world, "  ").await, ["kafka", "redis"]);

    let listing = world.listing("redis", "in memory").await;
    let package = world.upload_version(1, "1.1.0").await;
    world.publish(1, "1.1.0", &package, listing).await;
    assert_eq!(found(&world, "everybody").await, ["kafka"]);
    assert_eq!(found(&world, "memory").await, ["redis"]);
}

#[tokio::test]
async fn shelves_are_filtered_with_and_without_words_and_counted() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    world
        .app(
            AUTHOR,
            1,
            Event::CategoryAssigned {
                category: Some(category(7)),
            },
        )
        .await;
    let databases = Shelf::Category(category(7));
    assert_eq!(names(&world, databases).await, ["redis"]);
    assert_eq!(names(&world, Shelf::Uncategorised).await, ["kafka"]);
    for (text, shelf, expected) in [
        ("everybody", databases, vec!["redis"]),
        ("everybody", Shelf::Uncategorised, vec!["kafka"]),
        ("kafka", databases, vec![]),
        ("uncategorised", Shelf::Any, vec![]),
    ] {
        let filter = Filter {
            shelf,
            ..with_words(text)
        };
        let page = world
            .ask(move |conn| storefront::list(conn, &filter, Sort::NewestPublication, &first(10)))
            .await;
        let names: Vec<_> = page.items.iter().map(|item| item.row.chart.as_str()).collect();
        assert_eq!(names, expected, "{text} {shelf:?}");
    }
    let facets = world.ask(|conn| storefront::facets(conn, &Filter::default())).await;
    assert_eq!(
        facets,
        [
            Facet {
                category: None,
                apps: 1
            },
            Facet {
                category: Some(category(7)),
                apps: 1
            }
        ]
    );
}

#[tokio::test]
async fn content_that_was_removed_leaves_the_entry_without_its_card() {
    let mut world = World::new().await;
    let uploaded = Event::AppUploaded {
        workspace: workspace(1),
        chart: "redis".parse().unwrap(),
        listing: digest(77),
    };
    world.app(AUTHOR, 1, uploaded).await;
    let gone = domain::app::Package {
        digest: digest(1),
        chart: digest(2),
        size: "1".to_owned(),
    };
    world
        .app(
            AUTHOR,
            1,
            Event::VersionUploaded {
                version: number("1.0.0"),
                package: gone.clone(),
            },
        )
        .await;
    world.publish(1, "1.0.0", &gone, digest(77)).await;
    let entry = world.ask(|conn| storefront::entry(conn, app(1))).await.unwrap();
    assert_eq!((entry.card, entry.app_version), (None, None));
    assert_eq!(found(&world, "redis").await, ["redis"]);
    let index = world.ask(storefront::index).await;
    assert_eq!((index.len(), index[0].metadata.clone()), (1, None));
}

#[tokio::test]
async fn the_helm_index_lists_published_versions_and_a_workspaces_all_that_are_not_deleted() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.upload_version(1, "1.10.0").await;
    world.upload_version(1, "1.9.0").await;
    world
        .app(
            AUTHOR,
            1,
            Event::VersionDeleted {
                version: number("1.9.0"),
            },
        )
        .await;
    world.upload_app_into(2, "kafka", 2).await;

    let store = world.ask(storefront::index).await;
    let numbers: Vec<_> = store.iter().map(|entry| entry.number.as_str()).collect();
    assert_eq!(numbers, ["1.0.0"]);
    assert_eq!(store[0].metadata.as_ref().unwrap().fields()["version"], "1.0.0");
    let own = world.ask(|conn| storefront::workspace_index(conn, workspace(1))).await;
    let numbers: Vec<_> = own
        .iter()
        .map(|entry| (entry.chart.as_str(), entry.number.as_str()))
        .collect();
    assert_eq!(numbers, [("redis", "1.10.0"), ("redis", "1.0.0")]);
}
