//! What can be asked of a release, and what the worker reports about it.

use chrono::TimeDelta;

use super::{Cause, Deployment, FailureReason, OperationKind, Release};
use crate::{
    digest::Sealed,
    ids::{AppId, AttemptId, ProjectId, WorkerId},
    names::ReleaseName,
    permission::Permission,
};

#[derive(Debug, Clone)]
pub enum Command {
    Install {
        app: AppId,
        project: ProjectId,
        name: ReleaseName,
        deployment: Deployment,
    },
    /// Also a reconfiguration (same version, other values) and the correction of what failed.
    Upgrade { deployment: Deployment },
    /// Back to the chart and the values of a recorded revision, as a revision of its own.
    Rollback { revision: u64 },
    /// What failed or was cancelled, once more and unchanged.
    Retry,
    /// Gives up the operation in flight. What runs then may be half of it: see [`Failure`](super::Failure).
    Cancel,
    /// `forced` ends it even if something has to be left behind.
    Uninstall { forced: bool },
    /// A worker takes the operation up; again after a crash, with a new attempt.
    Start {
        attempt: AttemptId,
        worker: WorkerId,
        /// How long after its start the attempt of another worker counts as alive.
        patience: TimeDelta,
    },
    /// `remains` is what a forced removal had to leave behind.
    Succeed {
        attempt: AttemptId,
        manifest: Option<Sealed>,
        output: Sealed,
        remains: Option<Sealed>,
    },
    Fail {
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
    },
    /// The attempt was given up, as [`Command::Cancel`] asked.
    GiveUp { attempt: AttemptId, output: Sealed },
}

impl Command {
    /// What its giver must hold in the release's project; `None` if only Charthouse's own worker gives it. Trying again
    /// and cancelling take what the operation itself took.
    #[must_use]
    pub fn permission(&self, release: Option<&Release>) -> Option<Permission> {
        match self {
            Self::Install { .. } => Some(Permission::ReleaseInstall),
            Self::Upgrade { .. } => Some(Permission::ReleaseUpgrade),
            Self::Rollback { .. } => Some(Permission::ReleaseRollback),
            Self::Uninstall { .. } => Some(Permission::ReleaseUninstall),
            Self::Retry | Self::Cancel => Some(release.map_or(Permission::ReleaseUpgrade, Release::permission_of_last)),
            Self::Start { .. } | Self::Succeed { .. } | Self::Fail { .. } | Self::GiveUp { .. } => None,
        }
    }
}

impl Release {
    /// What the operation that is in flight, or failed last, took.
    fn permission_of_last(&self) -> Permission {
        let in_flight = self.operation.map(|operation| operation.kind);
        match in_flight.or(self.failure.map(|failure| failure.operation)) {
            Some(OperationKind::Install) => Permission::ReleaseInstall,
            Some(OperationKind::Upgrade) if matches!(self.cause, Cause::Rollback { .. }) => Permission::ReleaseRollback,
            Some(OperationKind::Upgrade) | None => Permission::ReleaseUpgrade,
            Some(OperationKind::Uninstall) => Permission::ReleaseUninstall,
        }
    }
}
