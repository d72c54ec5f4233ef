//! What can be asked of an app. Who asks, and when, comes beside the command.

use super::{Authority, Package, review::Panel};
use crate::{
    digest::{Digest, Sealed},
    ids::{CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    permission::Permission,
    review_policy::ReviewPolicy,
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
        /// The digest of the policy in force.
        policy: Digest,
        review: ReviewPolicy,
    },
    WithdrawVersion {
        version: VersionNumber,
    },
    StartReview {
        version: VersionNumber,
        panel: Panel,
    },
    ReleaseReview {
        version: VersionNumber,
        panel: Panel,
    },
    ApproveVersion {
        version: VersionNumber,
        seen: Seen,
        panel: Panel,
    },
    RejectVersion {
        version: VersionNumber,
        seen: Seen,
        reason: Sealed,
        panel: Panel,
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
        /// The digest of the policy in force.
        policy: Digest,
        review: ReviewPolicy,
    },
    WithdrawListing,
    StartListingReview {
        panel: Panel,
    },
    ReleaseListingReview {
        panel: Panel,
    },
    ApproveListing {
        submission: SubmissionId,
        listing: Digest,
        panel: Panel,
    },
    RejectListing {
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
        panel: Panel,
    },

    SuspendApp {
        authority: Authority,
        reason: Option<Sealed>,
    },
    ResumeApp {
        authority: Authority,
    },
    /// To another workspace, which owns it from then on.
    MoveApp {
        workspace: WorkspaceId,
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
    /// The same command, given by somebody with these roles; only reviewers' commands ask.
    #[must_use]
    pub fn given_by(mut self, by: Panel) -> Self {
        match &mut self {
            Self::StartReview { panel, .. }
            | Self::ReleaseReview { panel, .. }
            | Self::ApproveVersion { panel, .. }
            | Self::RejectVersion { panel, .. }
            | Self::StartListingReview { panel }
            | Self::ReleaseListingReview { panel }
            | Self::ApproveListing { panel, .. }
            | Self::RejectListing { panel, .. } => *panel = by,
            Self::Upload { .. }
            | Self::UploadVersion { .. }
            | Self::ReplacePackage { .. }
            | Self::EditListing { .. }
            | Self::SetIcon { .. }
            | Self::AssignCategory { .. }
            | Self::SubmitVersion { .. }
            | Self::WithdrawVersion { .. }
            | Self::PublishVersion { .. }
            | Self::SuspendVersion { .. }
            | Self::ResumeVersion { .. }
            | Self::DeleteVersion { .. }
            | Self::SubmitListing { .. }
            | Self::WithdrawListing
            | Self::SuspendApp { .. }
            | Self::ResumeApp { .. }
            | Self::MoveApp { .. }
            | Self::DeleteApp => {}
        }
        self
    }

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
            | Self::StartListingReview { .. }
            | Self::ReleaseListingReview { .. } => Permission::ReviewStart,
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
            Self::MoveApp { .. } => Permission::AppMove,
            Self::DeleteApp => Permission::AppDelete,
            Self::SubmitListing { .. } => Permission::ListingSubmit,
            Self::WithdrawListing => Permission::ListingWithdraw,
        }
    }
}
