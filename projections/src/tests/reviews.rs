use domain::app::Event;

use super::world::*;
use crate::reviews::{self, QueueFilter, Subject};

async fn queue(world: &World) -> Vec<reviews::QueueEntry> {
    let page = world
        .ask(|conn| reviews::queue(conn, QueueFilter::default(), &first(10)))
        .await;
    page.items.into_iter().map(|item| item.row).collect()
}

#[tokio::test]
async fn the_queue_holds_what_waits_the_oldest_first() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    world.upload_app(2, "kafka").await;
    let waits = submission(world.size.into());
    world.submit(1, "1.0.0", &package, listing).await;
    let submitted = Event::ListingSubmitted {
        submission: submission(500),
        listing,
        policy: digest(9),
        review: None,
    };
    world.app(AUTHOR, 2, submitted).await;

    let entries = queue(&world).await;
    assert_eq!(
        entries.iter().map(|entry| entry.submission).collect::<Vec<_>>(),
        [waits, submission(500)]
    );
    assert_eq!(
        entries[0].subject,
        Subject::Version {
            number: number("1.0.0"),
            package: package.digest
        }
    );
    assert_eq!((&entries[1].subject, entries[1].app), (&Subject::Listing, app(2)));
    assert_eq!(entries[0].submitted.by, Some(account(AUTHOR)));

    world
        .app(
            REVIEWER,
            1,
            Event::ReviewStarted {
                version: number("1.0.0"),
                submission: waits,
            },
        )
        .await;
    world
        .app(
            REVIEWER,
            2,
            Event::ListingReviewStarted {
                submission: submission(500),
            },
        )
        .await;
    let claims: Vec<_> = queue(&world)
        .await
        .iter()
        .map(|entry| entry.claim.unwrap().reviewer)
        .collect();
    assert_eq!(claims, [account(REVIEWER); 2]);

    world
        .app(
            AUTHOR,
            1,
            Event::VersionWithdrawn {
                version: number("1.0.0"),
                submission: waits,
            },
        )
        .await;
    world
        .app(
            REVIEWER,
            2,
            Event::ListingApproved {
                submission: submission(500),
                listing,
                terms: None,
            },
        )
        .await;
    assert_eq!(queue(&world).await, []);
    assert_eq!(world.ask(move |conn| reviews::queued(conn, waits)).await, None);
}
