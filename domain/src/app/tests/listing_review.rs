use super::fixtures::*;
use crate::{
    app::{App, Authority, Command, Event, Rejection},
    spec::Given,
};

fn edited_in_store() -> Given<App> {
    published().and(ada(), [edited(2)])
}

fn listing_is_submitted() -> Given<App> {
    edited_in_store().and(ada(), [listing_submitted(9, listing(2))])
}

fn listing_in_review() -> Given<App> {
    listing_is_submitted().and(grace(), [listing_review_started(9)])
}

fn listing_withdrawn() -> Event {
    Event::ListingWithdrawn {
        submission: submission(9),
    }
}

fn listing_released() -> Event {
    Event::ListingReviewReleased {
        submission: submission(9),
    }
}

fn listing_approved() -> Event {
    Event::ListingApproved {
        submission: submission(9),
        listing: listing(2),
        terms: Some(terms()),
    }
}

fn listing_rejected() -> Event {
    Event::ListingRejected {
        submission: submission(9),
        listing: listing(2),
        reason: reason(),
        terms: Some(terms()),
    }
}

fn submit_listing(n: u128) -> Command {
    Command::SubmitListing {
        submission: submission(n),
        policy: policy(),
        review: default_policy(),
    }
}

fn approve_listing(n: u128, l: u8) -> Command {
    Command::ApproveListing {
        submission: submission(n),
        listing: listing(l),
        panel: panel(),
    }
}

fn reject_listing(n: u128, l: u8) -> Command {
    Command::RejectListing {
        submission: submission(n),
        listing: listing(l),
        reason: reason(),
        panel: panel(),
    }
}

#[test]
fn the_listing_of_an_app_in_the_store_is_submitted_on_its_own() {
    edited_in_store()
        .when(submit_listing(9))
        .then([listing_submitted(9, listing(2))]);
}

#[test]
fn submitting_a_submitted_listing_records_nothing() {
    listing_is_submitted().when(submit_listing(10)).then([]);
}

#[test]
fn a_listing_edited_while_the_last_one_is_reviewed_waits() {
    listing_in_review()
        .and(ada(), [edited(3)])
        .when(submit_listing(10))
        .then_rejected(&Rejection::ListingUnderReview(submission(9)));
}

#[test]
fn a_listing_that_the_store_shows_already_is_not_reviewed_again() {
    published()
        .when(submit_listing(9))
        .then_rejected(&Rejection::ListingUnchanged);
}

#[test]
fn a_listing_without_a_version_in_the_store_is_reviewed_with_its_first_version() {
    approved()
        .and(ada(), [edited(2)])
        .when(submit_listing(9))
        .then_rejected(&Rejection::ListingNotInStore);
    suspended(Authority::Owner)
        .and(ada(), [deleted(), edited(2)])
        .when(submit_listing(9))
        .then_rejected(&Rejection::ListingNotInStore);
}

#[test]
fn a_submitted_listing_can_be_withdrawn_once() {
    for state in [listing_is_submitted(), listing_in_review()] {
        state.when(Command::WithdrawListing).then([listing_withdrawn()]);
    }
    listing_is_submitted()
        .and(ada(), [listing_withdrawn()])
        .when(Command::WithdrawListing)
        .then([]);
}

#[test]
fn an_approved_listing_is_in_the_store_at_once() {
    listing_in_review()
        .when_by(grace(), approve_listing(9, 2))
        .then([listing_approved()]);
    let app = listing_in_review().and(grace(), [listing_approved()]).state().unwrap();
    assert_eq!(app.listing.published, Some(listing(2)));
    assert_eq!(app.listing.review, None);
}

#[test]
fn a_rejected_listing_leaves_the_store_as_it_is() {
    for state in [listing_is_submitted(), listing_in_review()] {
        state
            .clone()
            .when_by(grace(), reject_listing(9, 2))
            .then([listing_rejected()]);
        let app = state.and(grace(), [listing_rejected()]).state().unwrap();
        assert_eq!(app.listing.published, Some(listing(1)));
        assert_eq!(app.listing.review, None);
    }
}

#[test]
fn a_listing_is_not_approved_before_its_review_starts() {
    listing_is_submitted()
        .when_by(grace(), approve_listing(9, 2))
        .then_rejected(&Rejection::ListingReviewNotStarted);
}

#[test]
fn deciding_about_a_listing_twice_records_nothing_and_the_second_reviewer_is_told() {
    let approved = listing_in_review().and(grace(), [listing_approved()]);
    let rejected = listing_in_review().and(grace(), [listing_rejected()]);
    for (state, command) in [(approved, approve_listing(9, 2)), (rejected, reject_listing(9, 2))] {
        state.clone().when_by(grace(), command.clone()).then([]);
        state
            .when_by(rita(), command)
            .then_rejected(&Rejection::ListingNotUnderReview);
    }
}

#[test]
fn a_decision_about_a_listing_resubmitted_meanwhile_is_refused_with_the_new_digest() {
    let resubmitted = || {
        listing_in_review().and(
            ada(),
            [listing_withdrawn(), edited(3), listing_submitted(10, listing(3))],
        )
    };
    for command in [approve_listing(9, 2), reject_listing(9, 2), approve_listing(10, 2)] {
        resubmitted()
            .when_by(grace(), command)
            .then_rejected(&Rejection::StaleListingSubmission {
                submission: submission(10),
                listing: listing(3),
            });
    }
}

#[test]
fn an_old_decision_repeated_about_a_new_submission_is_refused() {
    listing_in_review()
        .and(grace(), [listing_rejected()])
        .and(ada(), [listing_submitted(10, listing(2))])
        .when_by(grace(), reject_listing(9, 2))
        .then_rejected(&Rejection::StaleListingSubmission {
            submission: submission(10),
            listing: listing(2),
        });
}

#[test]
fn nothing_is_decided_about_a_listing_that_is_not_under_review() {
    for command in [
        Command::StartListingReview { panel: panel() },
        Command::ReleaseListingReview { panel: panel() },
        approve_listing(9, 2),
        reject_listing(9, 2),
    ] {
        edited_in_store()
            .when_by(grace(), command)
            .then_rejected(&Rejection::ListingNotUnderReview);
    }
}

#[test]
fn a_listing_review_is_claimed_like_a_versions() {
    listing_is_submitted()
        .when_by(grace(), Command::StartListingReview { panel: panel() })
        .then([listing_review_started(9)]);
    listing_in_review()
        .when_by(grace(), Command::StartListingReview { panel: panel() })
        .then([]);
    for command in [
        Command::StartListingReview { panel: panel() },
        Command::ReleaseListingReview { panel: panel() },
        approve_listing(9, 2),
        reject_listing(9, 2),
    ] {
        listing_in_review()
            .when_by(rita(), command)
            .then_rejected(&Rejection::ClaimedByAnother {
                reviewer: grace(),
                until: a_day_later(),
            });
    }
}

#[test]
fn the_claim_of_a_listing_review_lapses_and_can_be_released() {
    for who in [grace(), rita()] {
        listing_in_review()
            .when_stamped(Command::StartListingReview { panel: panel() }, at(who, a_day_later()))
            .then([listing_review_started(9)]);
    }
    listing_in_review()
        .when_by(grace(), Command::ReleaseListingReview { panel: panel() })
        .then([listing_released()]);
    listing_is_submitted()
        .when_by(grace(), Command::ReleaseListingReview { panel: panel() })
        .then([]);
    listing_in_review()
        .and(grace(), [listing_released()])
        .when_by(rita(), Command::StartListingReview { panel: panel() })
        .then([listing_review_started(9)]);
}
