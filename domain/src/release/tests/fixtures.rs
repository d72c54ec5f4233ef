//! One Redis release, at every point of its life.

use uuid::Uuid;

use crate::{
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId},
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

pub(super) fn start(n: u128) -> Command {
    Command::Start { attempt: attempt(n) }
}

pub(super) fn succeed(n: u128) -> Command {
    Command::Succeed {
        attempt: attempt(n),
        manifest: Some(sealed(1)),
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

pub(super) fn started(operation: OperationKind, n: u128) -> Event {
    Event::OperationStarted {
        operation,
        attempt: attempt(n),
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

pub(super) fn uninstalling() -> Given<Release> {
    and(
        running(),
        [Event::UninstallRequested {}, started(OperationKind::Uninstall, 3)],
    )
}

pub(super) fn gone() -> Given<Release> {
    and(uninstalling(), [uninstalled(3)])
}
