use super::fixtures::*;
use crate::{
    release::{Command, Event, OperationKind, Rejection, Release, Status, react},
    spec::{Given, given, somebody},
};

fn status(release: Given<Release>) -> Status {
    release.state().unwrap().status()
}

#[test]
fn a_release_is_installed_once() {
    given::<Release>([]).when(install()).then([install_requested()]);
    running().when(install()).then_rejected(&Rejection::Exists);
    gone().when(install()).then_rejected(&Rejection::Exists);
}

#[test]
fn nothing_can_be_done_to_a_release_that_does_not_exist() {
    for command in [
        upgrade(deployment("12.0.0")),
        uninstall(),
        roll_back(1),
        Command::Retry,
        Command::Cancel,
        give_up(1),
        start(1),
        succeed(1),
        fail(1),
    ] {
        given::<Release>([]).when(command).then_rejected(&Rejection::NotFound);
    }
}

#[test]
fn an_installed_release_says_what_was_installed() {
    installing().when(succeed(1)).then([installed(1, deployment("11.3.4"))]);
    let release = running().state().unwrap();
    assert_eq!(release.observed, Some(deployment("11.3.4")));
    assert_eq!(release.revision(), 1);
}

#[test]
fn an_upgrade_and_a_reconfiguration_are_asked_for_and_done() {
    for wanted in [deployment("12.0.0"), reconfigured("11.3.4")] {
        running()
            .when(upgrade(wanted.clone()))
            .then([upgrade_requested(wanted.clone())]);
        let asked = [upgrade_requested(wanted.clone()), started(OperationKind::Upgrade, 2)];
        let under_way = running().and(somebody(), asked);
        under_way.clone().when(succeed(2)).then([upgraded(2, wanted.clone())]);
        let release = under_way
            .and(somebody(), [upgraded(2, wanted.clone())])
            .state()
            .unwrap();
        assert_eq!(release.observed, Some(wanted));
        assert_eq!(release.revision(), 2);
    }
}

#[test]
fn an_upgrade_to_what_runs_already_records_nothing() {
    running().when(upgrade(deployment("11.3.4"))).then([]);
}

#[test]
fn until_an_upgrade_is_done_the_old_version_is_what_runs() {
    let release = upgrading().state().unwrap();
    assert_eq!(release.wanted, deployment("12.0.0"));
    assert_eq!(release.observed, Some(deployment("11.3.4")));
}

#[test]
fn a_release_is_uninstalled_once() {
    running().when(uninstall()).then([uninstall_requested()]);
    uninstalling().when(uninstall()).then([]);
    uninstalling().when(succeed(3)).then([uninstalled(3)]);
    gone().when(uninstall()).then([]);
}

#[test]
fn an_uninstall_needs_no_manifest() {
    uninstalling()
        .when(Command::Succeed {
            attempt: attempt(3),
            manifest: None,
            output: sealed(2),
            remains: None,
        })
        .then([uninstalled(3)]);
}

#[test]
fn an_uninstalled_release_is_not_upgraded() {
    gone()
        .when(upgrade(deployment("12.0.0")))
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn one_operation_is_in_flight_at_a_time() {
    for (state, kind) in [
        (requested(), OperationKind::Install),
        (installing(), OperationKind::Install),
        (upgrading(), OperationKind::Upgrade),
        (uninstalling(), OperationKind::Uninstall),
    ] {
        state
            .when(upgrade(deployment("13.0.0")))
            .then_rejected(&Rejection::OperationInFlight(kind));
    }
    for (state, kind) in [
        (installing(), OperationKind::Install),
        (upgrading(), OperationKind::Upgrade),
    ] {
        state
            .when(uninstall())
            .then_rejected(&Rejection::OperationInFlight(kind));
    }
}

#[test]
fn the_status_follows_the_operation_in_flight() {
    assert_eq!(status(requested()), Status::Creating);
    assert_eq!(status(installing()), Status::Creating);
    assert_eq!(status(running()), Status::Running);
    assert_eq!(status(upgrading()), Status::Upgrading);
    assert_eq!(status(rolling_back()), Status::RollingBack);
    assert_eq!(status(cancelling()), Status::Upgrading);
    assert_eq!(status(upgrade_cancelled()), Status::Failed);
    assert_eq!(status(upgrade_failed()), Status::Failed);
    assert_eq!(status(install_failed()), Status::Failed);
    assert_eq!(status(uninstalling()), Status::Uninstalling);
    assert_eq!(status(gone()), Status::Uninstalled);
}

#[test]
fn only_what_was_asked_for_calls_for_helm() {
    assert_eq!(react(&install_requested()), Some(OperationKind::Install));
    assert_eq!(
        react(&upgrade_requested(deployment("12.0.0"))),
        Some(OperationKind::Upgrade)
    );
    assert_eq!(
        react(&rollback_requested(1, deployment("11.3.4"))),
        Some(OperationKind::Upgrade)
    );
    assert_eq!(react(&uninstall_requested()), Some(OperationKind::Uninstall));
    for operation in [OperationKind::Install, OperationKind::Upgrade, OperationKind::Uninstall] {
        assert_eq!(react(&retry_requested(operation)), Some(operation));
    }
    for event in [
        started(OperationKind::Install, 1),
        installed(1, deployment("11.3.4")),
        upgraded(1, deployment("11.3.4")),
        uninstalled(1),
        failed(OperationKind::Upgrade, 1),
        cancelled(OperationKind::Upgrade, 1),
        Event::CancellationRequested {},
    ] {
        assert_eq!(react(&event), None);
    }
}
