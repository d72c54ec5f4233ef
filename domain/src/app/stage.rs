//! The life of a version, as one table.

use super::{Authority, Claim, Submission};
use crate::access::StageVisibility;

/// Where a version stands, with what exists only there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    Draft {},
    Submitted {
        submission: Submission,
    },
    InReview {
        submission: Submission,
        claim: Claim,
    },
    Approved {
        submission: Submission,
    },
    Rejected {
        submission: Submission,
    },
    Published {
        submission: Submission,
    },
    Suspended {
        submission: Submission,
        authority: Authority,
    },
    Deleted {},
}

/// One step of a version's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    ReplacePackage,
    Submit,
    Withdraw,
    StartReview,
    ReleaseReview,
    Approve,
    Reject,
    Publish,
    Suspend,
    Resume,
    Delete,
}

impl Action {
    pub const ALL: &[Self] = &[
        Self::ReplacePackage,
        Self::Submit,
        Self::Withdraw,
        Self::StartReview,
        Self::ReleaseReview,
        Self::Approve,
        Self::Reject,
        Self::Publish,
        Self::Suspend,
        Self::Resume,
        Self::Delete,
    ];

    /// The name of the command, as clients know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReplacePackage => "replacePackage",
            Self::Submit => "submitVersion",
            Self::Withdraw => "withdrawVersion",
            Self::StartReview => "startReview",
            Self::ReleaseReview => "releaseReview",
            Self::Approve => "approveVersion",
            Self::Reject => "rejectVersion",
            Self::Publish => "publishVersion",
            Self::Suspend => "suspendVersion",
            Self::Resume => "resumeVersion",
            Self::Delete => "deleteVersion",
        }
    }
}

impl Stage {
    /// The state machine: what may be done to a version that stands here.
    #[must_use]
    pub const fn allows(&self) -> &'static [Action] {
        match self {
            Self::Draft {} => &[Action::ReplacePackage, Action::Submit, Action::Delete],
            Self::Submitted { .. } => &[Action::Withdraw, Action::StartReview, Action::Reject],
            Self::InReview { .. } => &[
                Action::Withdraw,
                Action::StartReview,
                Action::ReleaseReview,
                Action::Approve,
                Action::Reject,
            ],
            Self::Approved { .. } => &[Action::Withdraw, Action::Publish, Action::Delete],
            Self::Rejected { .. } => &[Action::ReplacePackage, Action::Submit, Action::Delete],
            Self::Published { .. } => &[Action::Suspend],
            Self::Suspended { .. } => &[Action::Resume, Action::Delete],
            Self::Deleted {} => &[],
        }
    }

    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.allows().contains(&action)
    }

    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Draft {} => "draft",
            Self::Submitted { .. } => "submitted",
            Self::InReview { .. } => "in review",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Published { .. } => "published",
            Self::Suspended { .. } => "suspended",
            Self::Deleted {} => "deleted",
        }
    }

    #[must_use]
    pub const fn is_published(&self) -> bool {
        matches!(self, Self::Published { .. })
    }

    #[must_use]
    pub const fn visibility(&self) -> StageVisibility {
        match self {
            Self::Draft {} | Self::Deleted {} => StageVisibility::Own,
            Self::Published { .. } => StageVisibility::InStore,
            Self::Submitted { .. }
            | Self::InReview { .. }
            | Self::Approved { .. }
            | Self::Rejected { .. }
            | Self::Suspended { .. } => StageVisibility::HandedIn,
        }
    }

    /// What was frozen for the review this version is in, or came out of.
    #[must_use]
    pub const fn submission(&self) -> Option<&Submission> {
        match self {
            Self::Submitted { submission }
            | Self::InReview { submission, .. }
            | Self::Approved { submission }
            | Self::Rejected { submission }
            | Self::Published { submission }
            | Self::Suspended { submission, .. } => Some(submission),
            Self::Draft {} | Self::Deleted {} => None,
        }
    }
}
