//! Every rule that can refuse a command to a release.

use chrono::{DateTime, SecondsFormat, Utc};

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
    #[error("an {0} of this release is under way; wait for its end, or cancel it")]
    OperationInFlight(OperationKind),
    #[error("attempt {attempt} is not the one under way")]
    StaleAttempt { attempt: AttemptId },
    #[error("nothing of this release is under way")]
    NothingToDo,
    #[error("the last operation of this release did not fail, so there is nothing to try again")]
    NothingFailed,
    #[error("this release has no revision {revision}; it has had {last} so far")]
    RevisionNotFound { revision: u64, last: u64 },
    #[error("another worker has taken this operation up; it counts as dead from {} on", until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    TakenUp { until: DateTime<Utc> },
    #[error("nobody asked for this operation to be cancelled")]
    CancellationNotRequested,
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
            Self::NothingFailed => "NOTHING_FAILED",
            Self::RevisionNotFound { .. } => "REVISION_NOT_FOUND",
            Self::TakenUp { .. } => "TAKEN_UP",
            Self::CancellationNotRequested => "CANCELLATION_NOT_REQUESTED",
            Self::ManifestMissing(_) => "MANIFEST_MISSING",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound | Self::RevisionNotFound { .. } => RejectionKind::NotFound,
            Self::ManifestMissing(_) => RejectionKind::Invalid,
            Self::Exists
            | Self::OperationInFlight(_)
            | Self::StaleAttempt { .. }
            | Self::NothingToDo
            | Self::NothingFailed
            | Self::TakenUp { .. }
            | Self::CancellationNotRequested => RejectionKind::Conflict,
        }
    }
}
