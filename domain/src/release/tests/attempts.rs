use super::fixtures::*;
use crate::{
    release::{Command, OperationKind, Rejection},
    spec::somebody,
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
    };
    installing()
        .when(without(1))
        .then_rejected(&Rejection::ManifestMissing(OperationKind::Install));
    upgrading()
        .when(without(2))
        .then_rejected(&Rejection::ManifestMissing(OperationKind::Upgrade));
}
