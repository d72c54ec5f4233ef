//! Every rule that can refuse a command to an app, with the evidence.

use chrono::{DateTime, Utc};

use super::Action;
use crate::{
    decider::{Reject, RejectionKind},
    digest::Digest,
    ids::{AccountId, SubmissionId},
    names::{ChartName, StageName},
    review_policy::Deciders,
    version_number::VersionNumber,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("this app does not exist")]
    NotFound,
    #[error("this app has no version {0}")]
    VersionNotFound(VersionNumber),
    #[error("this app exists already")]
    Exists,
    #[error("version {0} exists already; build metadata does not make a number new")]
    VersionExists(VersionNumber),
    #[error("version {0} was in the store once, so its number is not free again")]
    VersionRetired(VersionNumber),
    #[error("the chart is called {found}, and this app's chart is called {expected}")]
    ChartNameDiffers { expected: ChartName, found: ChartName },
    #[error("the chart says it is version {found}, and the version to replace is {expected}")]
    VersionDiffers {
        expected: VersionNumber,
        found: VersionNumber,
    },
    #[error("version {version} is {stage}; {}", allowed_now(.allowed))]
    WrongState {
        version: VersionNumber,
        stage: &'static str,
        allowed: &'static [Action],
    },
    #[error("version {version} has had {actual} events, not {expected}: it changed since it was read")]
    StaleRevision {
        version: VersionNumber,
        expected: u64,
        actual: u64,
    },
    #[error(
        "this decision is about another submission than the current one \
         ({submission}, package {package}, listing {listing})"
    )]
    StaleSubmission {
        submission: SubmissionId,
        package: Digest,
        listing: Digest,
    },
    #[error("whoever uploaded, edited or submitted a version or its listing does not review it")]
    OwnWork,
    #[error("another reviewer holds this review until {until}")]
    ClaimedByAnother { reviewer: AccountId, until: DateTime<Utc> },
    #[error("the stage {stage} is decided with {deciders}")]
    NotOfStage { stage: StageName, deciders: Deciders },
    #[error("you have approved this submission; what else it needs, others give")]
    AlreadyApproved,
    #[error("the app is suspended, and nothing is published meanwhile")]
    AppSuspended,
    #[error("the app is not in the store, so there is nothing to suspend")]
    AppNotPublished,
    #[error("the store suspended this, so its owner cannot resume it")]
    SuspendedByStore,
    #[error("the app still has versions that are not deleted: {}", list(.0))]
    VersionsRemain(Vec<VersionNumber>),
    #[error("the listing has no version in the store to go with; it is reviewed with the first version submitted")]
    ListingNotInStore,
    #[error("the listing is what the store shows already")]
    ListingUnchanged,
    #[error("the listing is under review since submission {0}; withdraw it first")]
    ListingUnderReview(SubmissionId),
    #[error("the listing is not under review")]
    ListingNotUnderReview,
    #[error("the review was not started; start it to decide")]
    ListingReviewNotStarted,
    #[error("this decision is about another submission than the current one ({submission}, listing {listing})")]
    StaleListingSubmission { submission: SubmissionId, listing: Digest },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::VersionNotFound(_) => "NOT_FOUND",
            Self::Exists => "APP_EXISTS",
            Self::VersionExists(_) => "VERSION_EXISTS",
            Self::VersionRetired(_) => "VERSION_RETIRED",
            Self::ChartNameDiffers { .. } => "CHART_NAME_DIFFERS",
            Self::VersionDiffers { .. } => "VERSION_DIFFERS",
            Self::WrongState { .. } => "WRONG_STATE",
            Self::StaleRevision { .. } => "STALE_REVISION",
            Self::StaleSubmission { .. } | Self::StaleListingSubmission { .. } => "STALE_SUBMISSION",
            Self::OwnWork => "SEPARATION_OF_DUTIES",
            Self::ClaimedByAnother { .. } => "REVIEW_CLAIMED",
            Self::NotOfStage { .. } => "REVIEW_STAGE",
            Self::AlreadyApproved => "ALREADY_APPROVED",
            Self::AppSuspended => "APP_SUSPENDED",
            Self::AppNotPublished => "APP_NOT_PUBLISHED",
            Self::SuspendedByStore => "SUSPENDED_BY_STORE",
            Self::VersionsRemain(_) => "VERSIONS_REMAIN",
            Self::ListingNotInStore => "LISTING_NOT_IN_STORE",
            Self::ListingUnchanged => "LISTING_UNCHANGED",
            Self::ListingUnderReview(_) => "LISTING_UNDER_REVIEW",
            Self::ListingNotUnderReview => "LISTING_NOT_UNDER_REVIEW",
            Self::ListingReviewNotStarted => "LISTING_REVIEW_NOT_STARTED",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound | Self::VersionNotFound(_) => RejectionKind::NotFound,
            Self::OwnWork | Self::NotOfStage { .. } | Self::SuspendedByStore => RejectionKind::Forbidden,
            Self::ChartNameDiffers { .. } | Self::VersionDiffers { .. } => RejectionKind::Invalid,
            Self::Exists
            | Self::VersionExists(_)
            | Self::VersionRetired(_)
            | Self::WrongState { .. }
            | Self::StaleRevision { .. }
            | Self::StaleSubmission { .. }
            | Self::StaleListingSubmission { .. }
            | Self::ClaimedByAnother { .. }
            | Self::AlreadyApproved
            | Self::AppSuspended
            | Self::AppNotPublished
            | Self::VersionsRemain(_)
            | Self::ListingNotInStore
            | Self::ListingUnchanged
            | Self::ListingUnderReview(_)
            | Self::ListingNotUnderReview
            | Self::ListingReviewNotStarted => RejectionKind::Conflict,
        }
    }
}

fn allowed_now(allowed: &[Action]) -> String {
    if allowed.is_empty() {
        return "nothing can be done to it now".to_owned();
    }
    let names: Vec<_> = allowed.iter().map(|action| action.as_str()).collect();
    format!("allowed now: {}", names.join(", "))
}

fn list(versions: &[VersionNumber]) -> String {
    let names: Vec<_> = versions.iter().map(VersionNumber::as_str).collect();
    names.join(", ")
}
