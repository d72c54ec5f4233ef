use super::fixtures::*;
use crate::{
    release::{Command, Event, Failure, FailureReason, Operation, OperationKind, Rejection, Release},
    spec::{Given, somebody},
};

fn operation(release: Given<Release>) -> Option<Operation> {
    release.state().unwrap().operation
}

#[test]
fn a_failure_is_recorded_with_its_operation_and_attempt() {
    installing().when(fail(1)).then([failed(OperationKind::Install, 1)]);
    upgrading().when(fail(2)).then([failed(OperationKind::Upgrade, 2)]);
    uninstalling().when(fail(3)).then([failed(OperationKind::Uninstall, 3)]);
}

#[test]
fn a_failed_first_install_is_corrected_and_installed_again() {
    let corrected = reconfigured("11.3.4");
    install_failed()
        .when(upgrade(corrected.clone()))
        .then([upgrade_requested(corrected.clone())]);
    let retried = install_failed().and(somebody(), [upgrade_requested(corrected.clone())]);
    retried
        .clone()
        .when(start(2))
        .then([started(OperationKind::Install, 2)]);
    retried
        .and(somebody(), [started(OperationKind::Install, 2)])
        .when(succeed(2))
        .then([installed(2, corrected)]);
}

#[test]
fn what_failed_is_tried_again_unchanged() {
    install_failed()
        .when(upgrade(deployment("11.3.4")))
        .then([upgrade_requested(deployment("11.3.4"))]);
    upgrade_failed()
        .when(upgrade(deployment("12.0.0")))
        .then([upgrade_requested(deployment("12.0.0"))]);
}

#[test]
fn after_a_failed_upgrade_the_old_version_still_counts_as_what_runs() {
    let release = upgrade_failed().state().unwrap();
    assert_eq!(release.observed, Some(deployment("11.3.4")));
    assert_eq!(release.revision(), 1);
    upgrade_failed()
        .when(upgrade(deployment("11.3.4")))
        .then([upgrade_requested(deployment("11.3.4"))]);
}

#[test]
fn a_failed_release_can_be_uninstalled_and_a_failed_uninstall_tried_again() {
    let uninstall_failed = || uninstalling().and(somebody(), [failed(OperationKind::Uninstall, 3)]);
    for state in [install_failed(), upgrade_failed(), uninstall_failed()] {
        state.when(uninstall()).then([uninstall_requested()]);
    }
}

#[test]
fn a_new_operation_starts_without_the_failure_and_the_attempt_of_the_last() {
    let retried = upgrade_failed().and(somebody(), [upgrade_requested(deployment("12.0.0"))]);
    assert_eq!(retried.clone().state().unwrap().failure, None);
    assert_eq!(
        operation(retried),
        Some(Operation {
            kind: OperationKind::Upgrade,
            forced: false,
            attempt: None,
            cancelling: false
        })
    );
}

#[test]
fn a_failure_says_what_failed_and_why() {
    let failure = upgrade_failed().state().unwrap().failure;
    let expected = Failure {
        operation: OperationKind::Upgrade,
        forced: false,
        reason: Some(FailureReason::HelmFailed),
    };
    assert_eq!(failure, Some(expected));
}

#[test]
fn whatever_failed_or_was_cancelled_is_tried_again_as_it_was() {
    let uninstall_failed = uninstalling().and(somebody(), [failed(OperationKind::Uninstall, 3)]);
    for (state, operation) in [
        (install_failed(), OperationKind::Install),
        (upgrade_failed(), OperationKind::Upgrade),
        (upgrade_cancelled(), OperationKind::Upgrade),
        (uninstall_failed, OperationKind::Uninstall),
    ] {
        let wanted = state.clone().state().unwrap().wanted;
        state.clone().when(Command::Retry).then([retry_requested(operation)]);
        let retried = state.and(somebody(), [retry_requested(operation)]);
        retried.clone().when(start(8)).then([started(operation, 8)]);
        assert_eq!(retried.state().unwrap().wanted, wanted);
    }
}

#[test]
fn a_rollback_that_failed_is_tried_again_as_a_rollback() {
    let failed = rolling_back().and(somebody(), [failed(OperationKind::Upgrade, 4)]);
    let retried = failed.and(somebody(), [retry_requested(OperationKind::Upgrade)]);
    assert_eq!(retried.state().unwrap().status(), crate::release::Status::RollingBack);
}

#[test]
fn what_did_not_fail_is_not_tried_again() {
    running().when(Command::Retry).then_rejected(&Rejection::NothingFailed);
    gone().when(Command::Retry).then_rejected(&Rejection::NotFound);
    upgrading()
        .when(Command::Retry)
        .then_rejected(&Rejection::OperationInFlight(OperationKind::Upgrade));
}

#[test]
fn a_forced_removal_says_what_it_left_behind_and_stays_forced_when_it_is_tried_again() {
    let forced = Command::Uninstall { forced: true };
    running()
        .when(forced.clone())
        .then([Event::UninstallRequested { forced: true }]);
    let asked = [
        Event::UninstallRequested { forced: true },
        started(OperationKind::Uninstall, 3),
    ];
    let removing = running().and(somebody(), asked);
    removing.clone().when(uninstall()).then([]);
    removing
        .clone()
        .when(Command::Succeed {
            attempt: attempt(3),
            manifest: None,
            output: sealed(2),
            remains: Some(sealed(7)),
        })
        .then([Event::ReleaseUninstalled {
            attempt: attempt(3),
            output: sealed(2),
            remains: Some(sealed(7)),
        }]);
    let given_up = [
        Event::CancellationRequested {},
        cancelled(OperationKind::Uninstall, 3),
        retry_requested(OperationKind::Uninstall),
    ];
    assert!(operation(removing.and(somebody(), given_up)).unwrap().forced);
    // What is under way without force is not made forced by the way: it is cancelled first.
    uninstalling()
        .when(forced)
        .then_rejected(&Rejection::OperationInFlight(OperationKind::Uninstall));
}
