//! The facts of an app's life. Stored by these names: rename nothing, remove nothing.

use serde::{Deserialize, Serialize};

use super::{Authority, review::Terms};
use crate::{
    digest::{Digest, Sealed},
    ids::{CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
};

/// What a chart archive is known by. The bytes, and what was read from them, are blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The archive as it was uploaded.
    pub digest: Digest,
    /// What was read from it: metadata, README, default values, schema, list of files.
    pub chart: Digest,
    /// Size of the archive in bytes, as decimal digits: the log holds no 64-bit JSON numbers.
    pub size: String,
}

/// Who did it, and when, is in the envelope: no event repeats it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The app exists, with a listing drafted from its chart. Its first version follows in the same append.
    AppUploaded {
        workspace: WorkspaceId,
        chart: ChartName,
        listing: Digest,
    },
    VersionUploaded {
        version: VersionNumber,
        package: Package,
    },
    PackageReplaced {
        version: VersionNumber,
        package: Package,
    },
    ListingEdited {
        listing: Digest,
    },
    IconSet {
        icon: Digest,
        listing: Digest,
    },
    CategoryAssigned {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<CategoryId>,
    },

    VersionSubmitted {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
        policy: Digest,
        /// What the digest of the policy stands for; absent only from what was submitted before policies could be set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewPolicy>,
    },
    VersionWithdrawn {
        version: VersionNumber,
        submission: SubmissionId,
    },
    ReviewStarted {
        version: VersionNumber,
        submission: SubmissionId,
    },
    ReviewReleased {
        version: VersionNumber,
        submission: SubmissionId,
    },
    /// One approval of several; the review waits for the next reviewer.
    ApprovalGiven {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
        terms: Terms,
    },
    /// The last approval that was needed. Terms are absent only from decisions older than they are.
    VersionApproved {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Terms>,
    },
    VersionRejected {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
        reason: Sealed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Terms>,
    },
    /// `listing` is what the store shows from now on.
    PublishedToStore {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
    },

    ListingSubmitted {
        submission: SubmissionId,
        listing: Digest,
        policy: Digest,
        /// What the digest of the policy stands for; absent only from what was submitted before policies could be set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewPolicy>,
    },
    ListingWithdrawn {
        submission: SubmissionId,
    },
    ListingReviewStarted {
        submission: SubmissionId,
    },
    ListingReviewReleased {
        submission: SubmissionId,
    },
    /// One approval of several; the review waits for the next reviewer.
    ListingApprovalGiven {
        submission: SubmissionId,
        listing: Digest,
        terms: Terms,
    },
    /// The store shows this listing from now on.
    ListingApproved {
        submission: SubmissionId,
        listing: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Terms>,
    },
    ListingRejected {
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Terms>,
    },

    /// One version, or the whole app if none is named.
    Suspended {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<VersionNumber>,
        authority: Authority,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Sealed>,
    },
    /// One version, or the whole app if none is named.
    Resumed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<VersionNumber>,
    },
    /// The app belongs to this workspace from now on.
    AppMoved {
        workspace: WorkspaceId,
    },
    VersionDeleted {
        version: VersionNumber,
    },
    AppDeleted {},
}

impl Event {
    /// The version the event is about, if it is about one.
    #[must_use]
    pub const fn version(&self) -> Option<&VersionNumber> {
        match self {
            Self::VersionUploaded { version, .. }
            | Self::PackageReplaced { version, .. }
            | Self::VersionSubmitted { version, .. }
            | Self::VersionWithdrawn { version, .. }
            | Self::ReviewStarted { version, .. }
            | Self::ReviewReleased { version, .. }
            | Self::ApprovalGiven { version, .. }
            | Self::VersionApproved { version, .. }
            | Self::VersionRejected { version, .. }
            | Self::PublishedToStore { version, .. }
            | Self::VersionDeleted { version } => Some(version),
            Self::Suspended { version, .. } | Self::Resumed { version } => version.as_ref(),
            Self::AppUploaded { .. }
            | Self::ListingEdited { .. }
            | Self::IconSet { .. }
            | Self::CategoryAssigned { .. }
            | Self::ListingSubmitted { .. }
            | Self::ListingWithdrawn { .. }
            | Self::ListingReviewStarted { .. }
            | Self::ListingReviewReleased { .. }
            | Self::ListingApprovalGiven { .. }
            | Self::ListingApproved { .. }
            | Self::ListingRejected { .. }
            | Self::AppMoved { .. }
            | Self::AppDeleted {} => None,
        }
    }

    /// The submission the event is about, if it is about one.
    #[must_use]
    pub const fn submission(&self) -> Option<SubmissionId> {
        match self {
            Self::VersionSubmitted { submission, .. }
            | Self::VersionWithdrawn { submission, .. }
            | Self::ReviewStarted { submission, .. }
            | Self::ReviewReleased { submission, .. }
            | Self::ApprovalGiven { submission, .. }
            | Self::VersionApproved { submission, .. }
            | Self::VersionRejected { submission, .. }
            | Self::PublishedToStore { submission, .. }
            | Self::ListingSubmitted { submission, .. }
            | Self::ListingWithdrawn { submission }
            | Self::ListingReviewStarted { submission }
            | Self::ListingReviewReleased { submission }
            | Self::ListingApprovalGiven { submission, .. }
            | Self::ListingApproved { submission, .. }
            | Self::ListingRejected { submission, .. } => Some(*submission),
            Self::AppUploaded { .. }
            | Self::VersionUploaded { .. }
            | Self::PackageReplaced { .. }
            | Self::ListingEdited { .. }
            | Self::IconSet { .. }
            | Self::CategoryAssigned { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::AppMoved { .. }
            | Self::VersionDeleted { .. }
            | Self::AppDeleted {} => None,
        }
    }
}
