//! The facts of a cluster's life, and what they are made of.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{digest::Sealed, ids::AppId, names::ClusterName};

/// What Helm's output is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder of rendered manifests: the embedded default, and what a tool such as Argo CD takes over.
    Directory,
    /// A Kubernetes API server, on which Helm acts as the project.
    Kubernetes,
}

/// A Kubernetes cluster as it was found when it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubernetes {
    /// The UID of its namespace `kube-system`.
    pub uid: Uuid,
    /// Its own words, such as `v1.36.0`.
    pub version: String,
    pub kubeconfig: Sealed,
}

/// The facts of a cluster's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    ClusterRegistered {
        name: ClusterName,
        kind: Kind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kubernetes: Option<Kubernetes>,
    },
    KubeconfigReplaced {
        kubeconfig: Sealed,
    },
    /// A check found it, after it was lost or in another version.
    ClusterReached {
        version: String,
    },
    /// A check did not find it, for another reason than before.
    ClusterLost {
        reason: Trouble,
    },
    ClusterScopeAllowed {
        app: AppId,
    },
    ClusterScopeForbidden {
        app: AppId,
    },
}

/// Why a check did not find a cluster, as far as a program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trouble {
    /// Nothing answers at its address, or not in time.
    Unreachable,
    /// What answers has no certificate of the kubeconfig's authority.
    Untrusted,
    /// The kubeconfig's credentials are not accepted, or over.
    CredentialsRefused,
    /// The credentials are accepted and may not do what Charthouse needs.
    RightsMissing,
    /// Another cluster answers at its address.
    AnotherCluster,
    /// What answers is in trouble, or is no Kubernetes.
    Failed,
}
