use chrono::TimeDelta;

use super::fixtures::*;
use crate::app::{Action, Command, Rejection};

fn release() -> Command {
    Command::ReleaseReview {
        version: first(),
        panel: panel(),
    }
}

fn held_by_grace() -> Rejection {
    Rejection::ClaimedByAnother {
        reviewer: grace(),
        until: a_day_later(),
    }
}

#[test]
fn a_submitted_version_is_claimed_by_who_starts_its_review() {
    submitted()
        .when_by(grace(), start_review())
        .then([review_started(first(), 1)]);
}

#[test]
fn starting_a_review_twice_records_nothing() {
    in_review().when_by(grace(), start_review()).then([]);
}

#[test]
fn nobody_else_starts_decides_or_releases_a_claimed_review() {
    for command in [start_review(), approve(seen(1)), reject(seen(1)), release()] {
        in_review().when_by(rita(), command).then_rejected(&held_by_grace());
    }
}

#[test]
fn a_claim_holds_until_its_last_moment() {
    let moment_before = a_day_later() - TimeDelta::milliseconds(1);
    in_review()
        .when_stamped(start_review(), at(rita(), moment_before))
        .then_rejected(&held_by_grace());
}

#[test]
fn a_claim_lapses_after_24_hours() {
    in_review()
        .when_stamped(start_review(), at(rita(), a_day_later()))
        .then([review_started(first(), 1)]);
    in_review()
        .when_stamped(approve(seen(1)), at(rita(), a_day_later()))
        .then([approved_as(first(), seen(1))]);
}

#[test]
fn the_reviewer_whose_claim_lapsed_may_claim_again() {
    in_review()
        .when_stamped(start_review(), at(grace(), a_day_later()))
        .then([review_started(first(), 1)]);
}

#[test]
fn a_released_review_is_free_for_another() {
    in_review().when_by(grace(), release()).then([released()]);
    in_review()
        .and(grace(), [released()])
        .when_by(rita(), start_review())
        .then([review_started(first(), 1)]);
}

#[test]
fn releasing_what_nobody_holds_records_nothing() {
    submitted().when_by(grace(), release()).then([]);
}

#[test]
fn a_review_that_is_not_under_way_is_neither_started_nor_released() {
    for command in [start_review(), release()] {
        draft().when_by(grace(), command).then_rejected(&Rejection::WrongState {
            version: first(),
            stage: "draft",
            allowed: &[Action::ReplacePackage, Action::Submit, Action::Delete],
        });
    }
}

#[test]
fn charthouse_itself_may_release_a_review_whose_holder_is_gone() {
    in_review().when_stamped(release(), system()).then([released()]);
}
