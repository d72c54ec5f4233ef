use chrono::TimeDelta;

use super::fixtures::*;
use crate::{
    access::{Principal, Roles},
    account::Scope,
    app::{App, Command, Event, Exception, Panel, Rejection, Stage, Terms},
    ids::AccountId,
    permission::Permission,
    review_policy::{Deciders, ReviewPolicy},
    role::RoleKey,
    spec::Given,
};

fn lena() -> AccountId {
    account(0x1E9A1)
}

/// Somebody with the custom role `legal`, which allows to start, approve and reject reviews.
fn lawyer() -> Panel {
    let key = RoleKey {
        workspace: None,
        name: "legal".parse().unwrap(),
    };
    let allows = [
        Permission::ReviewStart,
        Permission::ReviewApprove,
        Permission::ReviewReject,
    ];
    let roles = Roles {
        custom: [(key, allows.into())].into(),
        ..Roles::default()
    };
    let granted = [("legal".parse().unwrap(), Scope::Platform {})];
    Panel::of(&Principal::resolve(lena(), granted, &roles))
}

fn submitted_under(policy: ReviewPolicy) -> Given<App> {
    draft().and(ada(), [submitted_with(first(), seen(1), policy)])
}

fn in_review_under(policy: ReviewPolicy, by: AccountId) -> Given<App> {
    submitted_under(policy).and(by, [review_started(first(), 1)])
}

fn approved_with(stage: &str, role: &str) -> Event {
    let terms = Terms {
        role: role.parse().unwrap(),
        ..terms_at(stage)
    };
    let Event::VersionApproved {
        version,
        submission,
        digest,
        listing,
        ..
    } = approved_as(first(), seen(1))
    else {
        unreachable!("the fixture is an approval")
    };
    Event::VersionApproved {
        version,
        submission,
        digest,
        listing,
        terms: Some(terms),
    }
}

fn technically_approved() -> Given<App> {
    in_review_under(two_stages(), grace())
        .and(grace(), [approval_given("technical")])
        .and(rita(), [review_started(first(), 1), approval_given("technical")])
}

fn not_of_the_legal_stage() -> Rejection {
    Rejection::NotOfStage {
        stage: "legal".parse().unwrap(),
        deciders: Deciders::Role("legal".parse().unwrap()),
    }
}

#[test]
fn one_approval_of_two_is_recorded_and_the_review_waits_for_somebody_else() {
    in_review_under(two_stages(), grace())
        .when_by(grace(), approve(seen(1)))
        .then([approval_given("technical")]);
    let waiting = in_review_under(two_stages(), grace()).and(grace(), [approval_given("technical")]);
    let app = waiting.clone().state().unwrap();
    assert!(matches!(app.version(&first()).unwrap().stage, Stage::Submitted { .. }));
    waiting.clone().when_by(grace(), approve(seen(1))).then([]);
    waiting
        .clone()
        .when_by(grace(), start_review())
        .then_rejected(&Rejection::AlreadyApproved);
    waiting
        .when_by(rita(), start_review())
        .then([review_started(first(), 1)]);
}

#[test]
fn a_stage_opens_only_when_the_one_before_it_passed() {
    let start = || start_review().given_by(lawyer());
    technically_approved()
        .when_by(lena(), start())
        .then([review_started(first(), 1)]);
    technically_approved()
        .when_by(edith(), start_review())
        .then_rejected(&not_of_the_legal_stage());
    let review = technically_approved().state().unwrap().versions[&first()]
        .review
        .clone();
    assert_eq!(review.unwrap().open_stage().unwrap().name.as_str(), "legal");
}

#[test]
fn the_last_approval_of_the_last_stage_approves_the_version() {
    technically_approved()
        .and(lena(), [review_started(first(), 1)])
        .when_by(lena(), approve(seen(1)).given_by(lawyer()))
        .then([approved_with("legal", "legal")]);
}

#[test]
fn whoever_is_not_asked_at_a_stage_neither_approves_nor_rejects_there() {
    for command in [approve(seen(1)), reject(seen(1))] {
        let claimed = technically_approved().and(edith(), [review_started(first(), 1)]);
        claimed
            .when_by(edith(), command)
            .then_rejected(&not_of_the_legal_stage());
    }
}

#[test]
fn a_rejection_at_any_stage_ends_the_review_and_the_next_submission_starts_without_approvals() {
    let again = technically_approved()
        .and(lena(), [rejected_as(seen(1))])
        .and(ada(), [submitted_with(first(), seen(2), two_stages())]);
    let review = again.state().unwrap().versions[&first()].review.clone().unwrap();
    assert_eq!(review.approvals, []);
    assert_eq!(review.open_stage().unwrap().name.as_str(), "technical");
}

#[test]
fn a_policy_may_let_authors_review_and_then_the_decision_says_so() {
    let lenient = ReviewPolicy {
        author_is_not_reviewer: false,
        ..ReviewPolicy::default()
    };
    let exception = Terms {
        exception: Some(Exception::OwnWork),
        ..terms()
    };
    let by_ada = in_review_under(lenient.clone(), ada());
    let Event::VersionApproved {
        version,
        submission,
        digest,
        listing,
        ..
    } = approved_as(first(), seen(1))
    else {
        unreachable!("the fixture is an approval")
    };
    by_ada.when_by(ada(), approve(seen(1))).then([Event::VersionApproved {
        version,
        submission,
        digest,
        listing,
        terms: Some(exception),
    }]);
    in_review_under(lenient, grace())
        .when_by(grace(), approve(seen(1)))
        .then([approved_as(first(), seen(1))]);
}

#[test]
fn whoever_may_only_reject_rejects_where_a_stage_names_a_permission() {
    let key = RoleKey {
        workspace: None,
        name: "bouncer".parse().unwrap(),
    };
    let roles = Roles {
        custom: [(key, [Permission::ReviewStart, Permission::ReviewReject].into())].into(),
        ..Roles::default()
    };
    let granted = [("bouncer".parse().unwrap(), Scope::Platform {})];
    let bouncer = Panel::of(&Principal::resolve(lena(), granted, &roles));
    let outcome = submitted().when_by(lena(), reject(seen(1)).given_by(bouncer.clone()));
    let Event::VersionRejected {
        version,
        submission,
        digest,
        listing,
        reason,
        ..
    } = rejected_as(seen(1))
    else {
        unreachable!("the fixture is a rejection")
    };
    let role = "bouncer".parse().unwrap();
    outcome.then([Event::VersionRejected {
        version,
        submission,
        digest,
        listing,
        reason,
        terms: Some(Terms { role, ..terms() }),
    }]);
    in_review()
        .and(grace(), [released()])
        .and(lena(), [review_started(first(), 1)])
        .when_by(lena(), approve(seen(1)).given_by(bouncer))
        .then_rejected(&Rejection::NotOfStage {
            stage: "review".parse().unwrap(),
            deciders: Deciders::Permission(Permission::ReviewApprove),
        });
}

#[test]
fn a_claim_lapses_with_the_rights_of_whoever_holds_it() {
    let graces_are_gone = || {
        let mut panel = panel();
        panel.dismissed.insert(grace());
        panel
    };
    let release = Command::ReleaseReview {
        version: first(),
        panel: graces_are_gone(),
    };
    in_review().when_by(rita(), release).then([released()]);
    in_review()
        .when_stamped(
            start_review().given_by(graces_are_gone()),
            at(rita(), a_day_later() - TimeDelta::hours(23)),
        )
        .then([review_started(first(), 1)]);
    in_review()
        .when_by(rita(), reject(seen(1)).given_by(graces_are_gone()))
        .then([rejected_as(seen(1))]);
}

#[test]
fn what_was_submitted_before_policies_could_be_set_is_decided_by_the_default() {
    let Event::VersionSubmitted {
        version,
        submission,
        digest,
        listing,
        policy,
        ..
    } = submitted_as(first(), seen(1))
    else {
        unreachable!("the fixture is a submission")
    };
    let old = Event::VersionSubmitted {
        version,
        submission,
        digest,
        listing,
        policy,
        review: None,
    };
    draft()
        .and(ada(), [old])
        .and(grace(), [review_started(first(), 1)])
        .when_by(grace(), approve(seen(1)))
        .then([approved_as(first(), seen(1))]);
}
