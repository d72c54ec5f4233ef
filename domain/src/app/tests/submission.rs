use super::fixtures::*;
use crate::app::{Action, Command, Event, Rejection, Stage, command::Seen};

fn withdraw() -> Command {
    Command::WithdrawVersion { version: first() }
}

#[test]
fn submitting_freezes_both_digests_and_the_policy() {
    draft().when(submit(first(), 1)).then([Event::VersionSubmitted {
        version: first(),
        submission: submission(1),
        digest: package(1).digest,
        listing: listing(1),
        policy: policy(),
        review: Some(default_policy()),
    }]);
}

#[test]
fn submitting_what_is_submitted_records_nothing() {
    submitted().when(submit(first(), 2)).then([]);
}

#[test]
fn a_listing_edited_after_the_submission_needs_a_withdrawal_first() {
    submitted()
        .and(ada(), [edited(2)])
        .when(submit(first(), 2))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "submitted",
            allowed: &[Action::Withdraw, Action::StartReview, Action::Reject],
        });
}

#[test]
fn a_version_nobody_uploaded_cannot_be_submitted() {
    draft()
        .when(submit(second(), 1))
        .then_rejected(&Rejection::VersionNotFound(second()));
}

#[test]
fn a_version_in_the_store_is_not_submitted_again() {
    published()
        .when(submit(first(), 2))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "published",
            allowed: &[Action::Suspend],
        });
}

#[test]
fn a_rejected_version_is_submitted_again_as_a_new_submission() {
    let again = Seen {
        submission: submission(2),
        ..seen(1)
    };
    rejected().when(submit(first(), 2)).then([submitted_as(first(), again)]);
}

#[test]
fn an_edit_brings_a_rejected_version_back_to_draft() {
    let stage = |edit| {
        let app = rejected().and(ada(), [edit]).state().unwrap();
        app.versions[&first()].stage.clone()
    };
    assert_eq!(stage(edited(2)), Stage::Draft {});
    assert_eq!(stage(replaced(2)), Stage::Draft {});
}

#[test]
fn what_is_submitted_in_review_or_approved_can_be_withdrawn() {
    for state in [submitted(), in_review(), approved()] {
        state.when(withdraw()).then([withdrawn()]);
    }
}

#[test]
fn withdrawing_a_draft_records_nothing() {
    draft().when(withdraw()).then([]);
}

#[test]
fn what_was_decided_against_or_published_cannot_be_withdrawn() {
    rejected().when(withdraw()).then_rejected(&Rejection::WrongState {
        version: first(),
        stage: "rejected",
        allowed: &[Action::ReplacePackage, Action::Submit, Action::Delete],
    });
    published().when(withdraw()).then_rejected(&Rejection::WrongState {
        version: first(),
        stage: "published",
        allowed: &[Action::Suspend],
    });
}

#[test]
fn a_withdrawn_approval_is_gone() {
    approved()
        .and(ada(), [withdrawn()])
        .when(publish(first()))
        .then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "draft",
            allowed: &[Action::ReplacePackage, Action::Submit, Action::Delete],
        });
}
