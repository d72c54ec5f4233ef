//! What can be asked of a release, and what the worker reports about it.

use super::{Deployment, FailureReason};
use crate::{
    digest::Sealed,
    ids::{AppId, AttemptId, ProjectId},
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
    Upgrade {
        deployment: Deployment,
    },
    Uninstall,
    /// A worker takes the operation up; again after a crash, with a new attempt.
    Start {
        attempt: AttemptId,
    },
    Succeed {
        attempt: AttemptId,
        manifest: Option<Sealed>,
        output: Sealed,
    },
    Fail {
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
    },
}

impl Command {
    /// What its giver must hold in the release's project; `None` if only Charthouse's own worker gives it.
    #[must_use]
    pub const fn permission(&self) -> Option<Permission> {
        match self {
            Self::Install { .. } => Some(Permission::ReleaseInstall),
            Self::Upgrade { .. } => Some(Permission::ReleaseUpgrade),
            Self::Uninstall => Some(Permission::ReleaseUninstall),
            Self::Start { .. } | Self::Succeed { .. } | Self::Fail { .. } => None,
        }
    }
}
