//! The facts of a release's life, and what they are made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    decimal,
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId, WorkerId},
    names::ReleaseName,
    version_number::VersionNumber,
};

/// What is to run: a version by its bytes, and the values it runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub version: VersionNumber,
    pub digest: Digest,
    /// `None` runs the chart's own defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Sealed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    Install,
    Upgrade,
    Uninstall,
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Uninstall => "uninstall",
        })
    }
}

/// The facts of a release's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    InstallRequested {
        app: AppId,
        project: ProjectId,
        name: ReleaseName,
        deployment: Deployment,
    },
    UpgradeRequested {
        deployment: Deployment,
    },
    /// What ran as the revision of this number is wanted again.
    RollbackRequested {
        #[serde(with = "decimal")]
        revision: u64,
        deployment: Deployment,
    },
    /// `forced`: it ends even if something has to be left behind.
    UninstallRequested {
        #[serde(default, skip_serializing_if = "is_false")]
        forced: bool,
    },
    /// What failed or was cancelled is wanted all the same.
    RetryRequested {
        operation: OperationKind,
    },
    /// The attempt under way is to be given up.
    CancellationRequested {},
    /// `worker` is absent from what was recorded before several could share the work.
    OperationStarted {
        operation: OperationKind,
        attempt: AttemptId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worker: Option<WorkerId>,
    },
    /// `manifest` is what Helm rendered, `output` what it said.
    ReleaseInstalled {
        attempt: AttemptId,
        version: VersionNumber,
        digest: Digest,
        manifest: Sealed,
        output: Sealed,
    },
    ReleaseUpgraded {
        attempt: AttemptId,
        version: VersionNumber,
        digest: Digest,
        manifest: Sealed,
        output: Sealed,
    },
    /// `remains` is what a forced removal had to leave behind.
    ReleaseUninstalled {
        attempt: AttemptId,
        output: Sealed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remains: Option<Sealed>,
    },
    /// `output` is all that Helm said, `reason` one stable code.
    OperationFailed {
        operation: OperationKind,
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
    },
    /// The operation was given up as somebody asked: without `attempt` and `output` before any worker took it up.
    OperationCancelled {
        operation: OperationKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<AttemptId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Sealed>,
    },
}

/// Why an operation failed, as far as a program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureReason {
    /// Helm ran and refused; its own words are in the output.
    HelmFailed,
    /// Helm did not end in time.
    HelmTimeout,
    /// There is no usable Helm.
    HelmMissing,
    /// The chart or the values could not be read back.
    ContentUnavailable,
    /// The result could not be written to the cluster.
    ClusterFailed,
    /// The cluster does not answer.
    ClusterUnreachable,
    /// The cluster does not accept the credentials it was registered with.
    CredentialsRefused,
    /// The project's namespace, or its service account, could not be made.
    ProjectNotReady,
    /// The project's namespace is not on the cluster any more.
    NamespaceMissing,
    /// Somebody else's release has the name in the namespace.
    NameTaken,
    /// What was applied did not become ready in time.
    NotReady,
    /// Helm's record of the release exceeds what Kubernetes keeps in a Secret.
    ReleaseTooLarge,
    /// The chart reaches beyond its namespace; the output lists where.
    ScopeRefused,
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
