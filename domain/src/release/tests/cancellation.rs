use super::fixtures::*;
use crate::{
    release::{Command, Event, Failure, OperationKind, Rejection},
    spec::somebody,
};

#[test]
fn what_is_under_way_is_asked_to_end_once() {
    upgrading()
        .when(Command::Cancel)
        .then([Event::CancellationRequested {}]);
    cancelling().when(Command::Cancel).then([]);
}

#[test]
fn what_no_worker_took_up_is_over_at_once() {
    requested().when(Command::Cancel).then([Event::OperationCancelled {
        operation: OperationKind::Install,
        attempt: None,
        output: None,
    }]);
}

#[test]
fn where_nothing_is_under_way_there_is_nothing_to_cancel() {
    for state in [running(), install_failed(), upgrade_cancelled(), gone()] {
        state.when(Command::Cancel).then_rejected(&Rejection::NothingToDo);
    }
}

#[test]
fn an_attempt_is_given_up_only_if_somebody_asked_for_it() {
    cancelling()
        .when(give_up(2))
        .then([cancelled(OperationKind::Upgrade, 2)]);
    upgrading()
        .when(give_up(2))
        .then_rejected(&Rejection::CancellationNotRequested);
    let stale = Rejection::StaleAttempt { attempt: attempt(1) };
    cancelling().when(give_up(1)).then_rejected(&stale);
    upgrade_cancelled()
        .when(give_up(2))
        .then_rejected(&Rejection::StaleAttempt { attempt: attempt(2) });
}

#[test]
fn what_ended_before_it_could_be_cancelled_counts_as_it_ended() {
    cancelling().when(succeed(2)).then([upgraded(2, deployment("12.0.0"))]);
    cancelling().when(fail(2)).then([failed(OperationKind::Upgrade, 2)]);
}

#[test]
fn a_worker_that_takes_over_still_knows_of_the_cancellation() {
    let taken_over = cancelling().and(somebody(), [started(OperationKind::Upgrade, 5)]);
    assert!(taken_over.clone().state().unwrap().calls_off(attempt(5)));
    taken_over.when(give_up(5)).then([cancelled(OperationKind::Upgrade, 5)]);
}

#[test]
fn after_a_cancellation_what_was_wanted_stays_wanted_and_what_was_seen_to_run_stays_seen() {
    let release = upgrade_cancelled().state().unwrap();
    assert_eq!(release.wanted, deployment("12.0.0"));
    assert_eq!(release.observed, Some(deployment("11.3.4")));
    let expected = Failure {
        operation: OperationKind::Upgrade,
        forced: false,
        reason: None,
    };
    assert_eq!(release.failure, Some(expected));
}

#[test]
fn after_a_cancellation_one_can_go_on_go_back_or_remove_it() {
    upgrade_cancelled()
        .when(Command::Retry)
        .then([retry_requested(OperationKind::Upgrade)]);
    upgrade_cancelled()
        .when(roll_back(1))
        .then([rollback_requested(1, deployment("11.3.4"))]);
    upgrade_cancelled().when(uninstall()).then([uninstall_requested()]);
}
