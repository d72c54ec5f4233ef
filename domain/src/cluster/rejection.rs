//! Every rule that can refuse a command to a cluster.

use uuid::Uuid;

use crate::decider::{Reject, RejectionKind};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such cluster")]
    NotFound,
    #[error("this cluster exists already")]
    Exists,
    #[error("this cluster is a folder of rendered manifests, and has no kubeconfig")]
    NotKubernetes,
    #[error("the kubeconfig leads to the cluster {found}, and this one is {registered}")]
    AnotherCluster { registered: Uuid, found: Uuid },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "CLUSTER_EXISTS",
            Self::NotKubernetes => "CLUSTER_NOT_KUBERNETES",
            Self::AnotherCluster { .. } => "CLUSTER_ANOTHER",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists => RejectionKind::Conflict,
            Self::NotKubernetes | Self::AnotherCluster { .. } => RejectionKind::Invalid,
        }
    }
}
