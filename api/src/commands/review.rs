//! Reviewers at work. A decision names what was read: the submission and the digests of its package and listing.
//!
//! Which roles whoever decides holds is filled in where permission is asked for.

use domain::{
    app::{Command as Do, Panel, command::Seen},
    digest::{Digest, Sealed},
    ids::{AppId, SubmissionId},
    version_number::VersionNumber,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    app::{on_version, package_is_there},
};

/// Takes a submitted version up for review, and keeps it from other reviewers for a day.
#[derive(Debug, Serialize)]
pub struct StartReview {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for StartReview {
    const NAME: &'static str = "StartReview";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let start = Do::StartReview {
            version: self.version.clone(),
            panel: Panel::default(),
        };
        on_version(work, self.app, &self.version, self.expected_revision, start).await
    }
}

/// Gives a review back to the queue.
#[derive(Debug, Serialize)]
pub struct ReleaseReview {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for ReleaseReview {
    const NAME: &'static str = "ReleaseReview";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let release = Do::ReleaseReview {
            version: self.version.clone(),
            panel: Panel::default(),
        };
        on_version(work, self.app, &self.version, self.expected_revision, release).await
    }
}

#[derive(Debug, Serialize)]
pub struct ApproveVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub submission: SubmissionId,
    pub package_digest: Digest,
    pub listing_digest: Digest,
}

impl Command for ApproveVersion {
    const NAME: &'static str = "ApproveVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let seen = Seen {
            submission: self.submission,
            package: self.package_digest,
            listing: self.listing_digest,
        };
        let approve = Do::ApproveVersion {
            version: self.version.clone(),
            seen,
            panel: Panel::default(),
        };
        let target = on_version(work, self.app, &self.version, None, approve).await?;
        package_is_there(work, self.app, &self.version).await?;
        Ok(target)
    }
}

#[derive(Debug, Serialize)]
pub struct RejectVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub submission: SubmissionId,
    pub package_digest: Digest,
    pub listing_digest: Digest,
    pub reason: String,
}

impl Command for RejectVersion {
    const NAME: &'static str = "RejectVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let reason = sealed_reason(work, self.app, &self.reason).await?;
        let seen = Seen {
            submission: self.submission,
            package: self.package_digest,
            listing: self.listing_digest,
        };
        let reject = Do::RejectVersion {
            version: self.version.clone(),
            seen,
            reason,
            panel: Panel::default(),
        };
        on_version(work, self.app, &self.version, None, reject).await
    }
}

/// Takes a listing submitted on its own up for review.
#[derive(Debug, Serialize)]
pub struct StartListingReview {
    pub app: AppId,
}

impl Command for StartListingReview {
    const NAME: &'static str = "StartListingReview";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.decide_on_app(
            self.app,
            Do::StartListingReview {
                panel: Panel::default(),
            },
        )
        .await?;
        Ok(Target::App(self.app))
    }
}

/// Gives the review of a listing back to the queue.
#[derive(Debug, Serialize)]
pub struct ReleaseListingReview {
    pub app: AppId,
}

impl Command for ReleaseListingReview {
    const NAME: &'static str = "ReleaseListingReview";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.decide_on_app(
            self.app,
            Do::ReleaseListingReview {
                panel: Panel::default(),
            },
        )
        .await?;
        Ok(Target::App(self.app))
    }
}

/// Approves a listing on its own; the store shows it at once.
#[derive(Debug, Serialize)]
pub struct ApproveListing {
    pub app: AppId,
    pub submission: SubmissionId,
    pub listing_digest: Digest,
}

impl Command for ApproveListing {
    const NAME: &'static str = "ApproveListing";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let approve = Do::ApproveListing {
            submission: self.submission,
            listing: self.listing_digest,
            panel: Panel::default(),
        };
        work.decide_on_app(self.app, approve).await?;
        Ok(Target::App(self.app))
    }
}

#[derive(Debug, Serialize)]
pub struct RejectListing {
    pub app: AppId,
    pub submission: SubmissionId,
    pub listing_digest: Digest,
    pub reason: String,
}

impl Command for RejectListing {
    const NAME: &'static str = "RejectListing";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let reason = sealed_reason(work, self.app, &self.reason).await?;
        let reject = Do::RejectListing {
            submission: self.submission,
            listing: self.listing_digest,
            reason,
            panel: Panel::default(),
        };
        work.decide_on_app(self.app, reject).await?;
        Ok(Target::App(self.app))
    }
}

/// A reason in the vault, under the key of whoever gave it.
pub(super) async fn sealed_reason(work: &mut Work<'_>, app: AppId, text: &str) -> Result<Sealed, CommandError> {
    checked_reason(work, text)?;
    // No key is made for an app that does not exist.
    work.visible_app(app).await?;
    work.seal_words(format!("app-{app}"), text).await
}

pub(super) fn checked_reason(work: &Work<'_>, text: &str) -> Result<(), CommandError> {
    if text.trim().is_empty() {
        return Err(CommandError::Invalid {
            code: "REASON_REQUIRED",
            message: "this needs a reason, and the one given is empty".to_owned(),
            path: vec!["input", "reason"],
        });
    }
    let (found, limit) = (text.chars().count(), work.commands.limits.reason_max_characters);
    if found > limit {
        let message = format!("the reason has {found} characters, and {limit} are allowed");
        return Err(CommandError::Invalid {
            code: "REASON_TOO_LONG",
            message,
            path: vec!["input", "reason"],
        });
    }
    Ok(())
}
