//! The facts of an app's life. Stored by these names: rename nothing, remove nothing.

use serde::{Deserialize, Serialize};

use super::Authority;
use crate::{
    digest::{Digest, Sealed},
    ids::{CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
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
    VersionApproved {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
    },
    VersionRejected {
        version: VersionNumber,
        submission: SubmissionId,
        digest: Digest,
        listing: Digest,
        reason: Sealed,
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
    /// The store shows this listing from now on.
    ListingApproved {
        submission: SubmissionId,
        listing: Digest,
    },
    ListingRejected {
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
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
            | Self::ListingApproved { .. }
            | Self::ListingRejected { .. }
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
            | Self::VersionApproved { submission, .. }
            | Self::VersionRejected { submission, .. }
            | Self::PublishedToStore { submission, .. }
            | Self::ListingSubmitted { submission, .. }
            | Self::ListingWithdrawn { submission }
            | Self::ListingReviewStarted { submission }
            | Self::ListingReviewReleased { submission }
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
            | Self::VersionDeleted { .. }
            | Self::AppDeleted {} => None,
        }
    }
}
