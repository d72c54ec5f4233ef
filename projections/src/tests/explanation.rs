use domain::app::{Authority, Event};
use eventstore::{Revision, StreamName};

use super::world::*;
use crate::{
    apps::Stage,
    explanation::{self, Explanation, Reason},
};

async fn explain(world: &World, version: &str) -> Option<Explanation> {
    let stream = StreamName::new("app", app(1)).unwrap();
    let events = world.log.read_stream(&stream, Revision::NONE).await.unwrap();
    explanation::of(app(1), &events, &number(version)).unwrap()
}

fn told(explanation: &Explanation) -> Vec<(&str, &str)> {
    let steps = explanation.steps.iter();
    steps.map(|step| (step.event.as_str(), step.words.as_str())).collect()
}

#[tokio::test]
async fn a_version_is_explained_by_its_own_facts_and_by_what_else_moved_it_in_the_store() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    let listing = world.listing("redis", "redis for everybody").await;
    let package = world.upload_version(1, "2.0.0").await;
    let published = world.publish(1, "2.0.0", &package, listing).await;
    let first = explain(&world, "1.0.0").await.unwrap();
    assert_eq!(first.reasons, [Reason::BelowHigher(number("2.0.0"))]);
    assert_eq!((first.stage, first.is_in_store), (Stage::Published, true));
    assert_eq!(
        told(&first),
        [
            ("VersionUploaded", "uploaded, as a draft"),
            (
                "VersionSubmitted",
                "submitted for review, its archive and its listing frozen"
            ),
            ("ReviewStarted", "taken up for review"),
            ("VersionApproved", "approved: exactly this archive with this listing"),
            ("PublishedToStore", "published to the store"),
            (
                "PublishedToStore",
                "version 2.0.0 was published to the store; the store offers 2.0.0 before this one now"
            ),
        ]
    );
    let last = first.steps.last().unwrap();
    assert_eq!(
        (last.position, last.was_in_store, last.is_in_store),
        (published, true, true)
    );
    let submitted = &first.steps[1];
    assert_eq!(
        (submitted.before, submitted.after),
        (Some(Stage::Draft), Stage::Submitted)
    );
    assert_eq!(submitted.facts.policy, Some(digest(9)));
    assert_eq!(submitted.facts.submission, first.steps[3].facts.submission);

    let suspended = |version: Option<&str>, authority| Event::Suspended {
        version: version.map(number),
        authority,
        reason: Some(sealed(1)),
    };
    world.app(AUTHOR, 1, suspended(Some("2.0.0"), Authority::Owner)).await;
    let first = explain(&world, "1.0.0").await.unwrap();
    assert_eq!(first.reasons, [Reason::OfferedFirst]);
    assert_eq!(
        told(&first).last().unwrap().1,
        "version 2.0.0 was suspended by its owner; the store offers this one first now"
    );

    world.app(REVIEWER, 1, suspended(None, Authority::Store)).await;
    let second = explain(&world, "2.0.0").await.unwrap();
    assert_eq!(
        second.reasons,
        [
            Reason::VersionSuspended(Authority::Owner),
            Reason::AppSuspended(Authority::Store)
        ]
    );
    assert!(!second.is_in_store);
    let last = second.steps.last().unwrap();
    assert_eq!(last.words, "the app was suspended as a whole by the store");
    assert_eq!(last.facts.reason, Some(sealed(1)));
}

#[tokio::test]
async fn an_edit_that_brings_a_rejected_version_back_is_one_of_its_facts() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    world.submit(1, "1.0.0", &package, listing).await;
    let submission = submission(u128::from(world.size) - 1);
    let rejected = Event::VersionRejected {
        version: number("1.0.0"),
        submission,
        digest: package.digest,
        listing,
        reason: sealed(7),
        terms: None,
    };
    world.app(REVIEWER, 1, rejected).await;
    let listing = world.listing("redis", "better").await;
    world.app(AUTHOR, 1, Event::ListingEdited { listing }).await;
    let told = explain(&world, "1.0.0").await.unwrap();
    let last = told.steps.last().unwrap();
    assert_eq!((last.before, last.after), (Some(Stage::Rejected), Stage::Draft));
    assert_eq!(last.words, "the listing was edited");
    assert_eq!(told.reasons, [Reason::NotPublished(Stage::Draft)]);
    assert_eq!(told.steps[told.steps.len() - 2].facts.reason, Some(sealed(7)));
    // An edit that changes nothing for it is none.
    let steps = told.steps.len();
    let listing = world.listing("redis", "best").await;
    world.app(AUTHOR, 1, Event::ListingEdited { listing }).await;
    assert_eq!(explain(&world, "1.0.0").await.unwrap().steps.len(), steps);
}

#[tokio::test]
async fn what_never_was_is_not_explained() {
    let mut world = World::new().await;
    world.stock(1, "redis", "1.0.0").await;
    assert_eq!(explain(&world, "9.0.0").await, None);
}
