//! One Redis release, at every point of its life.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId, WorkerId},
    names::ReleaseName,
    release::{Command, Deployment, Event, FailureReason, OperationKind, Release},
    spec::{Given, given, somebody},
};

pub(super) fn deployment(version: &str) -> Deployment {
    Deployment {
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([version.bytes().fold(0, u8::wrapping_add); 32]),
        values: None,
    }
}

/// The same version with other values.
pub(super) fn reconfigured(version: &str) -> Deployment {
    Deployment {
        values: Some(sealed(9)),
        ..deployment(version)
    }
}

pub(super) fn sealed(n: u8) -> Sealed {
    Sealed {
        subject: "release-1".to_owned(),
        digest: Digest::from_bytes([n; 32]),
    }
}

pub(super) fn attempt(n: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn worker(n: u128) -> WorkerId {
    WorkerId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn patience() -> TimeDelta {
    TimeDelta::minutes(11)
}

fn app() -> AppId {
    AppId::from_uuid(Uuid::from_u128(0xA))
}

fn project() -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(0xB))
}

fn name() -> ReleaseName {
    "cache".parse().unwrap()
}

// Commands.

pub(super) fn install() -> Command {
    Command::Install {
        app: app(),
        project: project(),
        name: name(),
        deployment: deployment("11.3.4"),
    }
}

pub(super) fn upgrade(deployment: Deployment) -> Command {
    Command::Upgrade { deployment }
}

pub(super) fn roll_back(revision: u64) -> Command {
    Command::Rollback { revision }
}

pub(super) fn uninstall() -> Command {
    Command::Uninstall { forced: false }
}

/// By the first worker.
pub(super) fn start(n: u128) -> Command {
    start_by(1, n)
}

pub(super) fn start_by(by: u128, n: u128) -> Command {
    Command::Start {
        attempt: attempt(n),
        worker: worker(by),
        patience: patience(),
    }
}

pub(super) fn succeed(n: u128) -> Command {
    Command::Succeed {
        attempt: attempt(n),
        manifest: Some(sealed(1)),
        output: sealed(2),
        remains: None,
    }
}

pub(super) fn give_up(n: u128) -> Command {
    Command::GiveUp {
        attempt: attempt(n),
        output: sealed(2),
    }
}

pub(super) fn fail(n: u128) -> Command {
    Command::Fail {
        attempt: attempt(n),
        reason: FailureReason::HelmFailed,
        output: sealed(2),
    }
}

// Facts.

pub(super) fn install_requested() -> Event {
    Event::InstallRequested {
        app: app(),
        project: project(),
        name: name(),
        deployment: deployment("11.3.4"),
    }
}

pub(super) fn upgrade_requested(deployment: Deployment) -> Event {
    Event::UpgradeRequested { deployment }
}

pub(super) fn rollback_requested(revision: u64, deployment: Deployment) -> Event {
    Event::RollbackRequested { revision, deployment }
}

pub(super) fn uninstall_requested() -> Event {
    Event::UninstallRequested { forced: false }
}

pub(super) fn retry_requested(operation: OperationKind) -> Event {
    Event::RetryRequested { operation }
}

/// By the first worker.
pub(super) fn started(operation: OperationKind, n: u128) -> Event {
    started_by(1, operation, n)
}

pub(super) fn started_by(by: u128, operation: OperationKind, n: u128) -> Event {
    Event::OperationStarted {
        operation,
        attempt: attempt(n),
        worker: Some(worker(by)),
    }
}

pub(super) fn cancelled(operation: OperationKind, n: u128) -> Event {
    Event::OperationCancelled {
        operation,
        attempt: Some(attempt(n)),
        output: Some(sealed(2)),
    }
}

pub(super) fn installed(n: u128, what: Deployment) -> Event {
    Event::ReleaseInstalled {
        attempt: attempt(n),
        version: what.version,
        digest: what.digest,
        manifest: sealed(1),
        output: sealed(2),
    }
}

pub(super) fn upgraded(n: u128, what: Deployment) -> Event {
    Event::ReleaseUpgraded {
        attempt: attempt(n),
        version: what.version,
        digest: what.digest,
        manifest: sealed(1),
        output: sealed(2),
    }
}

pub(super) fn uninstalled(n: u128) -> Event {
    Event::ReleaseUninstalled {
        attempt: attempt(n),
        output: sealed(2),
        remains: None,
    }
}

pub(super) fn failed(operation: OperationKind, n: u128) -> Event {
    Event::OperationFailed {
        operation,
        attempt: attempt(n),
        reason: FailureReason::HelmFailed,
        output: sealed(2),
    }
}

// Points of its life. What a worker does, the worker's own account is not the point of: all by somebody.

fn and(given: Given<Release>, events: impl IntoIterator<Item = Event>) -> Given<Release> {
    given.and(somebody(), events)
}

pub(super) fn requested() -> Given<Release> {
    given([install_requested()])
}

pub(super) fn installing() -> Given<Release> {
    and(requested(), [started(OperationKind::Install, 1)])
}

pub(super) fn running() -> Given<Release> {
    and(installing(), [installed(1, deployment("11.3.4"))])
}

pub(super) fn install_failed() -> Given<Release> {
    and(installing(), [failed(OperationKind::Install, 1)])
}

pub(super) fn upgrading() -> Given<Release> {
    let asked = upgrade_requested(deployment("12.0.0"));
    and(running(), [asked, started(OperationKind::Upgrade, 2)])
}

pub(super) fn upgrade_failed() -> Given<Release> {
    and(upgrading(), [failed(OperationKind::Upgrade, 2)])
}

/// Runs 12.0.0, after 11.3.4.
pub(super) fn upgraded_once() -> Given<Release> {
    and(upgrading(), [upgraded(2, deployment("12.0.0"))])
}

/// Back to 11.3.4.
pub(super) fn rolling_back() -> Given<Release> {
    let asked = rollback_requested(1, deployment("11.3.4"));
    and(upgraded_once(), [asked, started(OperationKind::Upgrade, 4)])
}

/// Somebody asked for the end of the upgrade.
pub(super) fn cancelling() -> Given<Release> {
    and(upgrading(), [Event::CancellationRequested {}])
}

pub(super) fn upgrade_cancelled() -> Given<Release> {
    and(cancelling(), [cancelled(OperationKind::Upgrade, 2)])
}

pub(super) fn uninstalling() -> Given<Release> {
    and(running(), [uninstall_requested(), started(OperationKind::Uninstall, 3)])
}

pub(super) fn gone() -> Given<Release> {
    and(uninstalling(), [uninstalled(3)])
}
