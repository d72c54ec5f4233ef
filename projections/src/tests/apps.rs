use domain::app::{Authority, Event};

use super::world::*;
use crate::apps::{self, Decision, Stage, Status};

async fn version(world: &World, text: &'static str) -> apps::Version {
    world
        .ask(move |conn| apps::version(conn, app(1), &number(text)))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_version_shows_where_it_stands_and_what_its_stage_allows() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    let draft = version(&world, "1.0.0").await;
    assert_eq!((draft.stage, draft.revision, draft.submission), (Stage::Draft, 1, None));
    assert_eq!(draft.package, package);
    assert!(draft.contributors.iter().eq([account(AUTHOR)]));

    let id = submission(world.size.into());
    world.submit(1, "1.0.0", &package, listing).await;
    let submitted = version(&world, "1.0.0").await;
    let frozen = submitted.submission.unwrap();
    assert_eq!(
        (frozen.id, frozen.package, frozen.listing),
        (id, package.digest, listing)
    );
    assert_eq!(frozen.submitted.unwrap().by, Some(account(AUTHOR)));

    world
        .app(
            REVIEWER,
            1,
            Event::ReviewStarted {
                version: number("1.0.0"),
                submission: id,
            },
        )
        .await;
    let in_review = version(&world, "1.0.0").await;
    assert_eq!(in_review.stage, Stage::InReview);
    assert_eq!(in_review.claim.unwrap().reviewer, account(REVIEWER));

    let rejected = Event::VersionRejected {
        version: number("1.0.0"),
        submission: id,
        digest: package.digest,
        listing,
        reason: sealed(5),
        terms: None,
    };
    let position = world.app(REVIEWER, 1, rejected).await;
    let rejected = version(&world, "1.0.0").await;
    let decision = rejected.decision.unwrap();
    assert_eq!(
        (decision.decision, decision.reason),
        (Decision::Rejected, Some(sealed(5)))
    );
    assert_eq!(
        (decision.mark.position, decision.mark.by),
        (position, Some(account(REVIEWER)))
    );
    assert_eq!(
        (rejected.stage, rejected.revision, rejected.claim),
        (Stage::Rejected, 4, None)
    );
}

#[tokio::test]
async fn an_edited_listing_brings_a_rejected_version_back_to_draft() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    let id = submission(world.size.into());
    world.submit(1, "1.0.0", &package, listing).await;
    let (version, digest, reason) = (number("1.0.0"), package.digest, sealed(5));
    world
        .app(
            REVIEWER,
            1,
            Event::VersionRejected {
                version,
                submission: id,
                digest,
                listing,
                reason,
                terms: None,
            },
        )
        .await;
    let edited = world.listing("Redis", "better").await;
    world.app(3, 1, Event::ListingEdited { listing: edited }).await;

    assert_eq!(self::version(&world, "1.0.0").await.stage, Stage::Draft);
    let app = world.ask(|conn| apps::app(conn, app(1))).await.unwrap();
    assert_eq!((app.listing.draft, app.listing.published), (edited, None));
    assert!(app.listing.contributors.iter().eq([account(AUTHOR), account(3)]));
}

#[tokio::test]
async fn a_suspension_says_in_whose_name_and_why() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let suspended = Event::Suspended {
        version: Some(number("1.0.0")),
        authority: Authority::Store,
        reason: Some(sealed(6)),
    };
    world.app(REVIEWER, 1, suspended).await;
    let suspension = version(&world, "1.0.0").await.suspension.unwrap();
    assert_eq!(
        (suspension.authority, suspension.reason),
        (Authority::Store, Some(sealed(6)))
    );
    assert_eq!(
        world.ask(|conn| apps::app(conn, app(1))).await.unwrap().status,
        Status::Suspended
    );

    world
        .app(
            REVIEWER,
            1,
            Event::Resumed {
                version: Some(number("1.0")),
            },
        )
        .await;
    let resumed = version(&world, "1.0.0").await;
    assert_eq!(
        (resumed.suspension, resumed.stage, resumed.ever_published),
        (None, Stage::Published, true)
    );
    assert_eq!(resumed.number.as_str(), "1.0.0");
}

#[tokio::test]
async fn versions_come_highest_first_without_the_deleted_ones() {
    let mut world = World::new().await;
    world.upload_app(1, "redis").await;
    for text in ["1.9.0", "1.10.0", "1.10.0-rc.1", "1.2.0"] {
        world.upload_version(1, text).await;
    }
    world
        .app(
            AUTHOR,
            1,
            Event::VersionDeleted {
                version: number("1.2.0"),
            },
        )
        .await;
    let page = world
        .ask(|conn| apps::versions(conn, app(1), apps::Stage::NOT_DELETED, &first(10)))
        .await;
    let numbers: Vec<_> = page.items.iter().map(|item| item.row.number.as_str()).collect();
    assert_eq!(numbers, ["1.10.0", "1.10.0-rc.1", "1.9.0"]);
    assert_eq!(version(&world, "1.2.0").await.stage, Stage::Deleted);
}

#[tokio::test]
async fn apps_of_a_workspace_are_filtered_by_status() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    world.upload_app(2, "kafka").await;
    world.upload_app(3, "etcd").await;
    world.app(AUTHOR, 3, Event::AppDeleted {}).await;
    world.upload_app_into(4, "redis", 2).await;
    for (status, expected) in [
        (None, vec!["kafka", "redis"]),
        (Some(Status::Published), vec!["redis"]),
        (Some(Status::InDevelopment), vec!["kafka"]),
        (Some(Status::Deleted), vec!["etcd"]),
        (Some(Status::Suspended), vec![]),
    ] {
        let page = world
            .ask(move |conn| apps::of_workspace(conn, workspace(1), status, &first(10)))
            .await;
        let names: Vec<_> = page.items.iter().map(|item| item.row.chart.as_str()).collect();
        assert_eq!(names, expected, "{status:?}");
    }
}
