use chrono::TimeDelta;

use super::fixtures::*;
use crate::{
    release::{Command, Event, OperationKind, Rejection},
    spec::{noon, somebody, stamp},
};

fn stale(n: u128) -> Rejection {
    Rejection::StaleAttempt { attempt: attempt(n) }
}

#[test]
fn a_worker_takes_up_an_operation_once() {
    requested().when(start(1)).then([started(OperationKind::Install, 1)]);
    installing().when(start(1)).then([]);
}

#[test]
fn after_a_crash_a_worker_takes_it_up_again_with_a_new_attempt() {
    installing().when(start(2)).then([started(OperationKind::Install, 2)]);
    upgrading().when(start(5)).then([started(OperationKind::Upgrade, 5)]);
    uninstalling()
        .when(start(5))
        .then([started(OperationKind::Uninstall, 5)]);
}

#[test]
fn the_result_of_an_attempt_that_was_given_up_is_refused() {
    let restarted = || installing().and(somebody(), [started(OperationKind::Install, 2)]);
    restarted().when(succeed(1)).then_rejected(&stale(1));
    restarted().when(fail(1)).then_rejected(&stale(1));
    restarted().when(succeed(2)).then([installed(2, deployment("11.3.4"))]);
}

#[test]
fn a_result_is_refused_before_anybody_started() {
    requested().when(succeed(1)).then_rejected(&stale(1));
    requested().when(fail(1)).then_rejected(&stale(1));
}

#[test]
fn a_second_result_of_the_same_attempt_is_refused() {
    running().when(succeed(1)).then_rejected(&stale(1));
    running().when(fail(1)).then_rejected(&stale(1));
    install_failed().when(succeed(1)).then_rejected(&stale(1));
}

#[test]
fn where_nothing_is_under_way_there_is_nothing_to_start() {
    for state in [running(), install_failed(), gone()] {
        state.when(start(7)).then_rejected(&Rejection::NothingToDo);
    }
}

#[test]
fn an_install_and_an_upgrade_end_with_a_manifest() {
    let without = |n| Command::Succeed {
        attempt: attempt(n),
        manifest: None,
        output: sealed(2),
        remains: None,
    };
    installing()
        .when(without(1))
        .then_rejected(&Rejection::ManifestMissing(OperationKind::Install));
    upgrading()
        .when(without(2))
        .then_rejected(&Rejection::ManifestMissing(OperationKind::Upgrade));
}

#[test]
fn of_two_workers_the_second_leaves_an_attempt_alone_until_it_must_be_dead() {
    let until = noon() + patience();
    let started_late = |late: TimeDelta| crate::decider::Stamp {
        at: noon() + late,
        ..stamp(somebody())
    };
    installing()
        .when(start_by(2, 7))
        .then_rejected(&Rejection::TakenUp { until });
    installing()
        .when_stamped(start_by(2, 7), started_late(patience() - TimeDelta::seconds(1)))
        .then_rejected(&Rejection::TakenUp { until });
    installing()
        .when_stamped(start_by(2, 7), started_late(patience()))
        .then([started_by(2, OperationKind::Install, 7)]);
}

#[test]
fn an_attempt_from_before_workers_had_ids_is_anybodys() {
    let nameless = Event::OperationStarted {
        operation: OperationKind::Install,
        attempt: attempt(1),
        worker: None,
    };
    requested()
        .and(somebody(), [nameless])
        .when(start_by(2, 7))
        .then([started_by(2, OperationKind::Install, 7)]);
}

#[test]
fn patience_without_end_is_waited_for_and_does_not_overflow() {
    let endless = Command::Start {
        attempt: attempt(7),
        worker: worker(2),
        patience: TimeDelta::MAX,
    };
    let until = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    installing().when(endless).then_rejected(&Rejection::TakenUp { until });
}

#[test]
fn an_attempt_is_called_off_by_another_one_by_a_cancellation_and_by_the_end() {
    let calls_off = |release: crate::spec::Given<_>, n| {
        let release: crate::release::Release = Option::unwrap(release.state());
        release.calls_off(attempt(n))
    };
    assert!(!calls_off(upgrading(), 2));
    assert!(calls_off(upgrading(), 1));
    assert!(calls_off(cancelling(), 2));
    assert!(calls_off(running(), 1));
    assert!(calls_off(requested(), 1));
}
