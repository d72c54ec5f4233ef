use domain::{app, category::Event};

use super::world::*;
use crate::categories;

fn created(name: &str, icon: &str) -> Event {
    Event::CategoryCreated {
        name: name.parse().unwrap(),
        icon: icon.parse().unwrap(),
    }
}

#[tokio::test]
async fn categories_come_by_name_with_how_many_apps_the_store_shows_there() {
    let mut world = World::new().await;
    world.category(1, created("messaging", "mail")).await;
    world.category(2, created("Databases", "database")).await;
    world.stock(1, "redis", "1.0.0").await;
    world.stock(2, "kafka", "1.0.0").await;
    world.upload_app(3, "etcd").await;
    for id in [1, 3] {
        world
            .app(
                AUTHOR,
                id,
                app::Event::CategoryAssigned {
                    category: Some(category(2)),
                },
            )
            .await;
        world
            .category(
                2,
                Event::AppShelved {
                    app: super::world::app(id),
                },
            )
            .await;
    }
    let all = world.ask(categories::all).await;
    let counts: Vec<_> = all
        .iter()
        .map(|counted| (counted.category.name.as_str(), counted.apps))
        .collect();
    assert_eq!(counts, [("Databases", 1), ("messaging", 0)]);
    assert_eq!(world.ask(categories::uncategorised).await, 1);
}

#[tokio::test]
async fn an_edited_category_shows_its_new_name_and_a_deleted_one_is_gone() {
    let mut world = World::new().await;
    world.category(1, created("messaging", "mail")).await;
    let (name, icon) = ("Queues".parse().unwrap(), "inbox".parse().unwrap());
    world.category(1, Event::CategoryEdited { name, icon }).await;
    let edited = world.ask(|conn| categories::category(conn, category(1))).await.unwrap();
    assert_eq!((edited.name.as_str(), edited.icon.as_str()), ("Queues", "inbox"));
    world.category(1, Event::CategoryDeleted {}).await;
    assert_eq!(world.ask(|conn| categories::category(conn, category(1))).await, None);
    assert_eq!(world.ask(categories::all).await, []);
}
