//! Every rule that can refuse a command to a release.

use super::OperationKind;
use crate::{
    decider::{Reject, RejectionKind},
    ids::AttemptId,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("this release does not exist")]
    NotFound,
    #[error("this release exists already")]
    Exists,
    #[error("an {0} of this release is under way; wait for its end")]
    OperationInFlight(OperationKind),
    #[error("attempt {attempt} is not the one under way")]
    StaleAttempt { attempt: AttemptId },
    #[error("nothing of this release is under way")]
    NothingToDo,
    #[error("a finished {0} has a manifest")]
    ManifestMissing(OperationKind),
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "RELEASE_EXISTS",
            Self::OperationInFlight(_) => "OPERATION_IN_FLIGHT",
            Self::StaleAttempt { .. } => "STALE_ATTEMPT",
            Self::NothingToDo => "NOTHING_TO_DO",
            Self::ManifestMissing(_) => "MANIFEST_MISSING",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::ManifestMissing(_) => RejectionKind::Invalid,
            Self::Exists | Self::OperationInFlight(_) | Self::StaleAttempt { .. } | Self::NothingToDo => {
                RejectionKind::Conflict
            }
        }
    }
}
