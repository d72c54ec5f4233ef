use std::time::Instant;

use domain::{
    app::{Event, Package},
    event::StoredEvent,
};
use eventstore::{Append, Context, NewEvent, Revision, StreamName, Write};
use uuid::Uuid;

use super::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let mut world = World::new().await;
    world.follower_abort();
    let mut packages = vec![];
    for n in 0..200 {
        packages.push(
            world
                .package("chart", &format!("1.{n}.0"), &"readme words here ".repeat(50))
                .await,
        );
    }
    let mut listings = vec![];
    for n in 0..200 {
        listings.push(world.listing(&format!("name {n}"), "summary of it").await);
    }
    let mut id = 0_u128;
    let mut total = 0;
    for a in 0..2000_u128 {
        let listing = listings[a as usize % 200];
        let mut events: Vec<Event> = vec![Event::AppUploaded {
            workspace: workspace(a % 50),
            chart: format!("app-{a}").parse().unwrap(),
            listing,
        }];
        for v in 0..10_u128 {
            let package: Package = packages[(a * 10 + v) as usize % 200].clone();
            let version = number(&format!("1.{v}.0"));
            let submission = submission(a * 100 + v);
            let digest = package.digest;
            events.push(Event::VersionUploaded {
                version: version.clone(),
                package,
            });
            events.push(Event::VersionSubmitted {
                version: version.clone(),
                submission,
                digest,
                listing,
                policy: digest,
            });
            events.push(Event::ReviewStarted {
                version: version.clone(),
                submission,
            });
            events.push(Event::VersionApproved {
                version: version.clone(),
                submission,
                digest,
                listing,
            });
            events.push(Event::PublishedToStore {
                version,
                submission,
                digest,
                listing,
            });
        }
        total += events.len() as u64;
        let events = events
            .iter()
            .map(|e| {
                let s = e.store().unwrap();
                id += 1;
                NewEvent {
                    id: Uuid::from_u128(id),
                    name: s.name,
                    schema: 1,
                    data: s.data,
                }
            })
            .collect();
        let write = Write {
            stream: StreamName::try_from(format!("app-{}", app(a))).unwrap(),
            expected: Revision::NONE,
            events,
        };
        let context = Context {
            actor: format!("account-{}", account(a % 20)),
            command: None,
            correlation_id: Uuid::from_u128(id),
            causation_id: None,
        };
        world
            .log
            .append(Append {
                writes: vec![write],
                guards: vec![],
                context,
            })
            .await
            .unwrap();
    }
    for round in 0..2 {
        let views = world.views_in(&format!("bench{round}.db")).await;
        let started = Instant::now();
        let f = follow(&views, &world.log, &world.blobs);
        views.reached(total).await;
        let took = started.elapsed();
        println!("{total} events in {took:?}: {:.0}/s", total as f64 / took.as_secs_f64());
        f.abort();
        let page = first(20);
        let started = Instant::now();
        for _ in 0..1000 {
            let page = page.clone();
            let found = views
                .read(move |conn| {
                    crate::storefront::search(conn, "name readme", crate::storefront::Shelf::Uncategorised, &page)
                })
                .await
                .unwrap();
            assert_eq!(found.items.len(), 20);
        }
        println!("search: {:?} each", started.elapsed() / 1000);
        println!(
            "{}",
            std::fs::metadata(world.folder.path().join(format!("bench{round}.db")))
                .unwrap()
                .len()
        );
    }
    let started = Instant::now();
    let mut n = 0;
    loop {
        let events = world.log.read(eventstore::Position::new(n), 10_000).await.unwrap();
        if events.is_empty() {
            break;
        }
        for e in &events {
            n += 1;
            crate::fact::Fact::decode(e).unwrap();
        }
    }
    println!("read+decode {n}: {:?}", started.elapsed());
}
