use super::fixtures::*;
use crate::{
    app::{App, Command, Event, Rejection},
    ids::AccountId,
    spec::Given,
};

/// Every way to decide about the first version, by somebody who must not.
fn kept_from_reviewing(state: &Given<App>, who: AccountId) {
    for command in [start_review(), reject(seen(1)), approve(seen(1))] {
        state.clone().when_by(who, command).then_rejected(&Rejection::OwnWork);
    }
}

/// In review, after `author` did `deeds` to the draft; the claim is theirs, so that only authorship is in the way.
fn in_review_after(author: AccountId, deeds: impl IntoIterator<Item = Event>) -> Given<App> {
    draft()
        .and(author, deeds)
        .and(ada(), [submitted_as(first(), seen(1))])
        .and(author, [review_started(first(), 1)])
}

#[test]
fn whoever_uploaded_or_submitted_a_version_does_not_review_it() {
    kept_from_reviewing(&in_review_after(ada(), []), ada());
}

#[test]
fn whoever_only_submitted_a_version_does_not_review_it() {
    let by_edith = draft().and(edith(), [submitted_as(first(), seen(1)), review_started(first(), 1)]);
    kept_from_reviewing(&by_edith, edith());
}

#[test]
fn whoever_replaced_the_package_does_not_review_it() {
    kept_from_reviewing(&in_review_after(edith(), [replaced(2), replaced(1)]), edith());
}

#[test]
fn whoever_edited_the_listing_or_set_the_icon_does_not_review_the_version() {
    let icon = Event::IconSet {
        icon: package(9).digest,
        listing: listing(1),
    };
    kept_from_reviewing(&in_review_after(edith(), [edited(2), edited(1)]), edith());
    kept_from_reviewing(&in_review_after(edith(), [icon]), edith());
}

#[test]
fn whoever_uploaded_a_version_that_was_deleted_does_not_review_its_successor_of_the_same_number() {
    let again = draft()
        .and(edith(), [uploaded(second(), 3)])
        .and(
            ada(),
            [Event::VersionDeleted { version: second() }, uploaded(second(), 2)],
        )
        .and(ada(), [submitted_as(second(), seen(2))]);
    again
        .when_by(
            edith(),
            Command::StartReview {
                version: second(),
                panel: panel(),
            },
        )
        .then_rejected(&Rejection::OwnWork);
}

#[test]
fn whoever_submitted_one_version_submitted_its_listing_and_reviews_no_other_version() {
    let other = published()
        .and(edith(), [uploaded(second(), 2), submitted_as(second(), seen(2))])
        .and(
            ada(),
            [Event::VersionWithdrawn {
                version: second(),
                submission: submission(2),
            }],
        )
        .and(
            ada(),
            [uploaded(number("13.0.0"), 3), submitted_as(number("13.0.0"), seen(3))],
        );
    other
        .when_by(
            edith(),
            Command::StartReview {
                version: number("13.0.0"),
                panel: panel(),
            },
        )
        .then_rejected(&Rejection::OwnWork);
}

#[test]
fn whoever_uploaded_only_another_version_may_review_this_one() {
    submitted()
        .and(edith(), [uploaded(second(), 2)])
        .when_by(edith(), start_review())
        .then([review_started(first(), 1)]);
}

#[test]
fn whoever_edits_the_listing_during_his_own_review_can_no_longer_decide() {
    in_review()
        .and(grace(), [edited(2)])
        .when_by(grace(), approve(seen(1)))
        .then_rejected(&Rejection::OwnWork);
}

#[test]
fn whoever_assigned_a_category_may_review() {
    submitted()
        .and(
            grace(),
            [Event::CategoryAssigned {
                category: Some(category()),
            }],
        )
        .when_by(grace(), start_review())
        .then([review_started(first(), 1)]);
}

#[test]
fn charthouse_itself_reviews_nothing() {
    submitted()
        .when_stamped(start_review(), system())
        .then_rejected(&Rejection::OwnWork);
    submitted()
        .when_stamped(reject(seen(1)), system())
        .then_rejected(&Rejection::OwnWork);
}

#[test]
fn whoever_edited_or_submitted_a_listing_does_not_review_it() {
    let by_edith = published()
        .and(edith(), [edited(2)])
        .and(ada(), [listing_submitted(9, listing(2))]);
    for who in [ada(), edith()] {
        for command in [
            Command::StartListingReview { panel: panel() },
            Command::ApproveListing {
                submission: submission(9),
                listing: listing(2),
                panel: panel(),
            },
            Command::RejectListing {
                submission: submission(9),
                listing: listing(2),
                reason: reason(),
                panel: panel(),
            },
        ] {
            by_edith
                .clone()
                .when_by(who, command)
                .then_rejected(&Rejection::OwnWork);
        }
    }
}
