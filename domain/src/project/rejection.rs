//! Every rule that can refuse a command to a project.

use crate::{
    decider::{Reject, RejectionKind},
    names::Namespace,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such project")]
    NotFound,
    #[error("this project exists already")]
    Exists,
    #[error("the namespace {namespace} is the cluster's own: default, and every name that starts with kube-")]
    NamespaceReserved { namespace: Namespace },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "PROJECT_EXISTS",
            Self::NamespaceReserved { .. } => "NAMESPACE_RESERVED",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists => RejectionKind::Conflict,
            Self::NamespaceReserved { .. } => RejectionKind::Invalid,
        }
    }
}
