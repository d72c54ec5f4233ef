//! The facts of a project's life, and what they are made of.

use serde::{Deserialize, Serialize};

use crate::{
    digest::Sealed,
    ids::{ClusterId, WorkspaceId},
    names::{Namespace, ProjectName},
};

/// The facts of a project's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    ProjectCreated {
        workspace: WorkspaceId,
        name: ProjectName,
        cluster: ClusterId,
        namespace: Namespace,
    },
    /// Its namespace and its service account are to be made on the cluster. `adopt` lets it have a namespace that is
    /// there already and nobody's project.
    PreparationRequested {
        adopt: bool,
    },
    ProjectPrepared {},
    /// `output` is what the cluster said, `reason` one stable code.
    PreparationFailed {
        reason: PreparationFailure,
        output: Sealed,
    },
}

/// Why a project could not be prepared, as far as a program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PreparationFailure {
    /// The cluster does not answer, or not as the one that was registered.
    ClusterUnreachable,
    /// The cluster's kubeconfig is not accepted any more.
    CredentialsRefused,
    /// The kubeconfig may not make namespaces, service accounts or role bindings.
    RightsMissing,
    /// The namespace belongs to another project.
    NamespaceTaken,
    /// The namespace is there already, and whoever created the project may not take it over.
    NamespaceExists,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// The cluster refused something; its words say what.
    ClusterFailed,
}
