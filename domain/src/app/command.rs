//! What can be asked of an app. Who asks, and when, comes beside the command.

use super::{Authority, Package};
use crate::{
    digest::{Digest, Sealed},
    ids::{CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    permission::Permission,
    version_number::VersionNumber,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Upload {
        workspace: WorkspaceId,
        chart: ChartName,
        listing: Digest,
        version: VersionNumber,
        package: Package,
    },
    UploadVersion {
        chart: ChartName,
        version: VersionNumber,
        package: Package,
    },
    /// Exchanges the archive of a version that is not under way: `chart` and `number` are what the new one says.
    ReplacePackage {
        version: VersionNumber,
        chart: ChartName,
        number: VersionNumber,
        package: Package,
    },
    EditListing {
        listing: Digest,
    },
    SetIcon {
        icon: Digest,
        listing: Digest,
    },
    AssignCategory {
        category: Option<CategoryId>,
        authority: Authority,
    },

    SubmitVersion {
        version: VersionNumber,
        submission: SubmissionId,
        policy: Digest,
    },
    WithdrawVersion {
        version: VersionNumber,
    },
    StartReview {
        version: VersionNumber,
    },
    ReleaseReview {
        version: VersionNumber,
    },
    ApproveVersion {
        version: VersionNumber,
        seen: Seen,
    },
    RejectVersion {
        version: VersionNumber,
        seen: Seen,
        reason: Sealed,
    },
    PublishVersion {
        version: VersionNumber,
    },
    SuspendVersion {
        version: VersionNumber,
        authority: Authority,
        reason: Option<Sealed>,
    },
    ResumeVersion {
        version: VersionNumber,
        authority: Authority,
    },
    DeleteVersion {
        version: VersionNumber,
    },

    SubmitListing {
        submission: SubmissionId,
        policy: Digest,
    },
    WithdrawListing,
    StartListingReview,
    ReleaseListingReview,
    ApproveListing {
        submission: SubmissionId,
        listing: Digest,
    },
    RejectListing {
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
    },

    SuspendApp {
        authority: Authority,
        reason: Option<Sealed>,
    },
    ResumeApp {
        authority: Authority,
    },
    DeleteApp,
}

/// What a reviewer had read when deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub submission: SubmissionId,
    pub package: Digest,
    pub listing: Digest,
}

impl Command {
    /// What its giver must hold: on the platform or in the app's workspace, as the permission's level says.
    #[must_use]
    pub const fn permission(&self) -> Permission {
        match self {
            Self::Upload { .. } => Permission::AppUpload,
            Self::UploadVersion { .. } => Permission::VersionUpload,
            Self::ReplacePackage { .. } => Permission::PackageReplace,
            Self::EditListing { .. } | Self::SetIcon { .. } => Permission::ListingEdit,
            Self::AssignCategory {
                authority: Authority::Owner,
                ..
            } => Permission::AppCategorise,
            Self::AssignCategory {
                authority: Authority::Store,
                ..
            } => Permission::CategoryAssign,
            Self::SubmitVersion { .. } => Permission::VersionSubmit,
            Self::WithdrawVersion { .. } => Permission::VersionWithdraw,
            Self::StartReview { .. }
            | Self::ReleaseReview { .. }
            | Self::StartListingReview
            | Self::ReleaseListingReview => Permission::ReviewStart,
            Self::ApproveVersion { .. } | Self::ApproveListing { .. } => Permission::ReviewApprove,
            Self::RejectVersion { .. } | Self::RejectListing { .. } => Permission::ReviewReject,
            Self::PublishVersion { .. } => Permission::VersionPublish,
            Self::SuspendVersion {
                authority: Authority::Owner,
                ..
            } => Permission::VersionSuspend,
            Self::ResumeVersion {
                authority: Authority::Owner,
                ..
            } => Permission::VersionResume,
            Self::SuspendApp {
                authority: Authority::Owner,
                ..
            } => Permission::AppSuspend,
            Self::ResumeApp {
                authority: Authority::Owner,
            } => Permission::AppResume,
            Self::SuspendVersion {
                authority: Authority::Store,
                ..
            }
            | Self::SuspendApp {
                authority: Authority::Store,
                ..
            } => Permission::StoreSuspend,
            Self::ResumeVersion {
                authority: Authority::Store,
                ..
            }
            | Self::ResumeApp {
                authority: Authority::Store,
            } => Permission::StoreResume,
            Self::DeleteVersion { .. } => Permission::VersionDelete,
            Self::DeleteApp => Permission::AppDelete,
            Self::SubmitListing { .. } => Permission::ListingSubmit,
            Self::WithdrawListing => Permission::ListingWithdraw,
        }
    }
}
