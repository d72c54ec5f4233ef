use super::fixtures::*;
use crate::{
    app::{Action, App, Rejection, command::Seen},
    spec::Given,
};

/// The author took the version back while the reviewer was reading, changed it and submitted it again.
fn resubmitted_with(package: u8, listing: u8) -> Given<App> {
    let now = current(package, listing);
    in_review().and(
        ada(),
        [
            withdrawn(),
            replaced(package),
            edited(listing),
            submitted_as(first(), now),
        ],
    )
}

fn current(p: u8, l: u8) -> Seen {
    Seen {
        submission: submission(2),
        package: package(p).digest,
        listing: listing(l),
    }
}

fn stale(current: Seen) -> Rejection {
    Rejection::StaleSubmission {
        submission: current.submission,
        package: current.package,
        listing: current.listing,
    }
}

#[test]
fn an_approval_names_the_submission_and_both_digests() {
    in_review()
        .when_by(grace(), approve(seen(1)))
        .then([approved_as(first(), seen(1))]);
}

#[test]
fn a_rejection_names_them_too_and_says_why() {
    in_review()
        .when_by(grace(), reject(seen(1)))
        .then([rejected_as(seen(1))]);
}

#[test]
fn a_version_can_be_rejected_before_its_review_starts_but_not_approved() {
    submitted()
        .when_by(grace(), reject(seen(1)))
        .then([rejected_as(seen(1))]);
    submitted()
        .when_by(grace(), approve(seen(1)))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "submitted",
            allowed: &[Action::Withdraw, Action::StartReview, Action::Reject],
        });
}

#[test]
fn deciding_twice_records_nothing() {
    approved().when_by(grace(), approve(seen(1))).then([]);
    rejected().when_by(grace(), reject(seen(1))).then([]);
}

#[test]
fn of_two_reviewers_who_decide_at_once_the_second_is_told() {
    let too_late = |stage, allowed| Rejection::WrongState {
        version: first(),
        stage,
        allowed,
    };
    approved().when_by(rita(), approve(seen(1))).then_rejected(&too_late(
        "approved",
        &[Action::Withdraw, Action::Publish, Action::Delete],
    ));
    rejected().when_by(rita(), reject(seen(1))).then_rejected(&too_late(
        "rejected",
        &[Action::ReplacePackage, Action::Submit, Action::Delete],
    ));
}

#[test]
fn a_decision_taken_back_by_nobody_cannot_be_turned_around() {
    approved()
        .when_by(grace(), reject(seen(1)))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "approved",
            allowed: &[Action::Withdraw, Action::Publish, Action::Delete],
        });
}

#[test]
fn an_approval_of_what_was_resubmitted_meanwhile_is_refused_with_the_new_digests() {
    for (package, listing) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        resubmitted_with(package, listing)
            .when_by(grace(), approve(seen(1)))
            .then_rejected(&stale(current(package, listing)));
    }
}

#[test]
fn a_rejection_of_what_was_resubmitted_meanwhile_is_refused_with_the_new_digests() {
    resubmitted_with(2, 2)
        .when_by(grace(), reject(seen(1)))
        .then_rejected(&stale(current(2, 2)));
}

#[test]
fn a_decision_with_the_right_submission_and_a_wrong_digest_is_refused() {
    let wrong_package = Seen {
        package: package(7).digest,
        ..seen(1)
    };
    let wrong_listing = Seen {
        listing: listing(7),
        ..seen(1)
    };
    for wrong in [wrong_package, wrong_listing] {
        in_review()
            .when_by(grace(), approve(wrong))
            .then_rejected(&stale(seen(1)));
        in_review()
            .when_by(grace(), reject(wrong))
            .then_rejected(&stale(seen(1)));
    }
}

#[test]
fn an_edit_of_the_listing_while_it_is_reviewed_does_not_change_what_is_approved() {
    in_review()
        .and(ada(), [edited(2)])
        .when_by(grace(), approve(seen(1)))
        .then([approved_as(first(), seen(1))]);
}

#[test]
fn a_withdrawn_version_cannot_be_approved() {
    in_review()
        .and(ada(), [withdrawn()])
        .when_by(grace(), approve(seen(1)))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "draft",
            allowed: &[Action::ReplacePackage, Action::Submit, Action::Delete],
        });
}

#[test]
fn a_new_submission_starts_without_the_approval_of_the_old_one() {
    let app = approved().and(ada(), [withdrawn(), submitted_as(first(), current(1, 1))]);
    app.when(publish(first())).then_rejected(&Rejection::WrongState {
        version: first(),
        stage: "submitted",
        allowed: &[Action::Withdraw, Action::StartReview, Action::Reject],
    });
}
