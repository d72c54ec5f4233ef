//! A release: an installed app. What is wanted, what was observed, and every attempt between.
//!
//! A command only asks: it records what is wanted. The worker that follows the log does it and reports back, by
//! commands too. One operation is in flight at a time. An attempt is claimed by its own start: of several workers the
//! first to record it does the work, and a result of an attempt that is no longer the current one is refused, so a
//! worker that comes back from the dead cannot overwrite history.
//!
//! * [`Event`]: what can happen to it; [`Command`]: what can be asked; [`Rejection`]: why it is refused
//! * [`react`]: which fact calls for Helm; [`Release::calls_off`]: when an attempt under way is to end
//! * `decide.rs`, `evolve.rs`: which facts follow, and what they change

mod allowed;
mod command;
mod decide;
mod event;
mod evolve;
mod rejection;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use self::{
    command::Command,
    event::{Deployment, Event, FailureReason, OperationKind},
    rejection::Rejection,
};
use crate::{
    decider::{Decider, Stamp},
    ids::{AppId, AttemptId, ProjectId, WorkerId},
    names::ReleaseName,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub app: AppId,
    pub project: ProjectId,
    pub name: ReleaseName,
    pub wanted: Deployment,
    /// Why what is wanted is wanted.
    pub cause: Cause,
    /// What was last seen to run. It stays until something else was seen: what failed or was cancelled half-way may
    /// have changed it.
    pub observed: Option<Deployment>,
    /// What ran, the oldest first: the installation is revision 1.
    pub revisions: Vec<Deployment>,
    pub operation: Option<Operation>,
    /// How the last operation ended, if without its result.
    pub failure: Option<Failure>,
    pub uninstalled: bool,
}

/// Why a revision comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Install,
    /// Another package.
    Upgrade,
    /// The same package with other values.
    Reconfigure,
    /// What ran as the revision of this number.
    Rollback {
        to: u64,
    },
}

/// The operation in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub kind: OperationKind,
    /// Of an uninstall: it ends even if something has to be left behind.
    pub forced: bool,
    /// `None` until a worker has taken it up.
    pub attempt: Option<Attempt>,
    /// Somebody asked for its end.
    pub cancelling: bool,
}

/// A worker's hold on an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub id: AttemptId,
    /// `None` if it was recorded before workers had ids.
    pub worker: Option<WorkerId>,
    pub started: DateTime<Utc>,
}

/// An operation that ended without its result.
///
/// What is wanted stays wanted, so that trying again is the same operation; what was observed stays too, although Helm
/// may have been stopped half-way. A rollback to what was observed puts that right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub operation: OperationKind,
    pub forced: bool,
    /// `None` if it was cancelled.
    pub reason: Option<FailureReason>,
}

/// A release as people speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Creating,
    Running,
    Upgrading,
    RollingBack,
    Uninstalling,
    Failed,
    Uninstalled,
}

impl Release {
    #[must_use]
    pub fn status(&self) -> Status {
        if self.uninstalled {
            return Status::Uninstalled;
        }
        match (self.operation.map(|operation| operation.kind), self.cause, self.failure) {
            (Some(OperationKind::Install), ..) => Status::Creating,
            (Some(OperationKind::Upgrade), Cause::Rollback { .. }, _) => Status::RollingBack,
            (Some(OperationKind::Upgrade), ..) => Status::Upgrading,
            (Some(OperationKind::Uninstall), ..) => Status::Uninstalling,
            (None, _, Some(_)) => Status::Failed,
            (None, _, None) => Status::Running,
        }
    }

    /// How often what runs was changed: 1 after the install.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revisions.len() as u64
    }

    /// What ran as the revision of this number; the first is 1.
    #[must_use]
    pub fn deployment_of(&self, revision: u64) -> Option<&Deployment> {
        let index = usize::try_from(revision.checked_sub(1)?).ok()?;
        self.revisions.get(index)
    }

    /// Whether these bytes ever ran as this release: going back to them is no new installation.
    #[must_use]
    pub fn has_run(&self, deployment: &Deployment) -> bool {
        self.revisions.iter().any(|ran| ran.digest == deployment.digest)
    }

    /// Whether whoever makes this attempt is to stop: somebody asked for it, or another attempt took its place.
    #[must_use]
    pub fn calls_off(&self, attempt: AttemptId) -> bool {
        self.operation.is_none_or(|operation| {
            operation.cancelling || operation.attempt.is_none_or(|current| current.id != attempt)
        })
    }
}

impl Operation {
    /// From when on `worker` may take it up; `None` is at once. Its own attempts died with it; another's may still be
    /// under way for as long as `patience`.
    #[must_use]
    pub fn free_from(&self, worker: WorkerId, patience: TimeDelta) -> Option<DateTime<Utc>> {
        let current = self.attempt?;
        let other = current.worker.filter(|other| *other != worker);
        // A patience without end is one that nobody lives to see.
        other.map(|_| {
            current
                .started
                .checked_add_signed(patience)
                .unwrap_or(DateTime::<Utc>::MAX_UTC)
        })
    }
}

/// What a fact calls for outside: one operation of this release, to be driven to its end.
#[must_use]
pub const fn react(event: &Event) -> Option<OperationKind> {
    match event {
        Event::InstallRequested { .. } => Some(OperationKind::Install),
        Event::UpgradeRequested { .. } | Event::RollbackRequested { .. } => Some(OperationKind::Upgrade),
        Event::UninstallRequested { .. } => Some(OperationKind::Uninstall),
        Event::RetryRequested { operation } => Some(*operation),
        // Whoever drives the operation looks whether it is called off.
        Event::CancellationRequested {}
        | Event::OperationStarted { .. }
        | Event::ReleaseInstalled { .. }
        | Event::ReleaseUpgraded { .. }
        | Event::ReleaseUninstalled { .. }
        | Event::OperationFailed { .. }
        | Event::OperationCancelled { .. } => None,
    }
}

impl Decider for Release {
    const CATEGORY: &'static str = "release";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, stamp: Stamp) -> Result<Vec<Event>, Rejection> {
        match state {
            Some(release) => release.judge(command, stamp),
            None => Self::begin(command),
        }
    }

    fn evolve(state: Self::State, event: &Event, stamp: Stamp) -> Self::State {
        match state {
            Some(mut release) => {
                release.apply(event, stamp);
                Some(release)
            }
            None => Self::begun(event),
        }
    }
}
