//! The facts of a release's life, and what they are made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId},
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
    UninstallRequested {},
    OperationStarted {
        operation: OperationKind,
        attempt: AttemptId,
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
    ReleaseUninstalled {
        attempt: AttemptId,
        output: Sealed,
    },
    /// `output` is all that Helm said, `reason` one stable code.
    OperationFailed {
        operation: OperationKind,
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
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
}
