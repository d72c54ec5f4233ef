use super::fixtures::*;
use crate::{
    release::{Command, Event, Operation, OperationKind, Release},
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
    assert_eq!(release.revision, 1);
    upgrade_failed()
        .when(upgrade(deployment("11.3.4")))
        .then([upgrade_requested(deployment("11.3.4"))]);
}

#[test]
fn a_failed_release_can_be_uninstalled_and_a_failed_uninstall_tried_again() {
    let uninstall_failed = || uninstalling().and(somebody(), [failed(OperationKind::Uninstall, 3)]);
    for state in [install_failed(), upgrade_failed(), uninstall_failed()] {
        state.when(Command::Uninstall).then([Event::UninstallRequested {}]);
    }
}

#[test]
fn a_new_operation_starts_without_the_failure_and_the_attempt_of_the_last() {
    let retried = upgrade_failed().and(somebody(), [upgrade_requested(deployment("12.0.0"))]);
    assert_eq!(retried.clone().state().unwrap().failed, None);
    assert_eq!(
        operation(retried),
        Some(Operation {
            kind: OperationKind::Upgrade,
            attempt: None
        })
    );
}
