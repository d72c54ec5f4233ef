//! Reviewers at work.

use async_graphql::{Context, ID, InputObject, Object};
use domain::ids::SubmissionId;
use uuid::Uuid;

use super::{
    apps::{AppInput, VersionInput},
    payload::{self, give, payload},
};
use crate::{
    commands::{
        ApproveListing, ApproveVersion, RejectListing, RejectVersion, ReleaseListingReview, ReleaseReview,
        StartListingReview, StartReview,
    },
    graphql::{apps::App, error::Result, scalars::Sha256, versions::Version},
};

#[derive(Default)]
pub struct ReviewMutation;

/// What a reviewer read: an approval holds for these bytes and no others.
#[derive(InputObject)]
struct ApproveVersionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The version.
    version: ID,
    /// Its submission, as it was read.
    submission: Uuid,
    /// The digest of the archive, as it was read.
    package_digest: Sha256,
    /// The digest of the listing, as it was read.
    listing_digest: Sha256,
}

/// What a reviewer read, and why it may not be published.
#[derive(InputObject)]
struct RejectVersionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The version.
    version: ID,
    /// Its submission, as it was read.
    submission: Uuid,
    /// The digest of the archive, as it was read.
    package_digest: Sha256,
    /// The digest of the listing, as it was read.
    listing_digest: Sha256,
    /// Why, at most 4,000 characters.
    reason: String,
}

/// Which listing a reviewer read.
#[derive(InputObject)]
struct ApproveListingInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The listing's submission, as it was read.
    submission: Uuid,
    /// The digest of the listing, as it was read.
    listing_digest: Sha256,
}

/// Which listing a reviewer read, and why it may not be published.
#[derive(InputObject)]
struct RejectListingInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The listing's submission, as it was read.
    submission: Uuid,
    /// The digest of the listing, as it was read.
    listing_digest: Sha256,
    /// Why, at most 4,000 characters.
    reason: String,
}

payload!(
    /// The version in review.
    StartReviewPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that waits again.
    ReleaseReviewPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that may be published.
    ApproveVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that was refused.
    RejectVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The app whose listing is in review.
    StartListingReviewPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app whose listing waits again.
    ReleaseListingReviewPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app with its new listing.
    ApproveListingPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app whose listing stays as it was.
    RejectListingPayload {
        /// The app.
        app: App
    }
);

#[Object]
impl ReviewMutation {
    /// Takes a submitted version up for review, and keeps it from other reviewers for a day.
    async fn start_review(&self, ctx: &Context<'_>, input: VersionInput) -> Result<StartReviewPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| StartReview {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Gives a review back to the queue.
    async fn release_review(&self, ctx: &Context<'_>, input: VersionInput) -> Result<ReleaseReviewPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| ReleaseReview {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Approves what was read. If it is not what is submitted now, the answer names the current digests.
    async fn approve_version(&self, ctx: &Context<'_>, input: ApproveVersionInput) -> Result<ApproveVersionPayload> {
        let ApproveVersionInput {
            command_id,
            version,
            submission,
            package_digest,
            listing_digest,
        } = input;
        let command = payload::version(&version).map(|(app, version)| ApproveVersion {
            app,
            version,
            submission: SubmissionId::from_uuid(submission),
            package_digest: package_digest.0,
            listing_digest: listing_digest.0,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Rejects what was read, for a reason. If it is not what is submitted now, the answer names the current digests.
    async fn reject_version(&self, ctx: &Context<'_>, input: RejectVersionInput) -> Result<RejectVersionPayload> {
        let RejectVersionInput {
            command_id,
            version,
            submission,
            package_digest,
            listing_digest,
            reason,
        } = input;
        let command = payload::version(&version).map(|(app, version)| RejectVersion {
            app,
            version,
            submission: SubmissionId::from_uuid(submission),
            package_digest: package_digest.0,
            listing_digest: listing_digest.0,
            reason,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Takes a listing that was submitted on its own up for review.
    async fn start_listing_review(&self, ctx: &Context<'_>, input: AppInput) -> Result<StartListingReviewPayload> {
        let command = payload::app(&input.app).map(|app| StartListingReview { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Gives the review of a listing back to the queue.
    async fn release_listing_review(&self, ctx: &Context<'_>, input: AppInput) -> Result<ReleaseListingReviewPayload> {
        let command = payload::app(&input.app).map(|app| ReleaseListingReview { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Approves a listing that was submitted on its own; the store shows it at once.
    async fn approve_listing(&self, ctx: &Context<'_>, input: ApproveListingInput) -> Result<ApproveListingPayload> {
        let ApproveListingInput {
            command_id,
            app,
            submission,
            listing_digest,
        } = input;
        let (submission, listing_digest) = (SubmissionId::from_uuid(submission), listing_digest.0);
        let command = payload::app(&app).map(|app| ApproveListing {
            app,
            submission,
            listing_digest,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Rejects a listing that was submitted on its own; the store goes on showing what it shows.
    async fn reject_listing(&self, ctx: &Context<'_>, input: RejectListingInput) -> Result<RejectListingPayload> {
        let RejectListingInput {
            command_id,
            app,
            submission,
            listing_digest,
            reason,
        } = input;
        let (submission, listing_digest) = (SubmissionId::from_uuid(submission), listing_digest.0);
        let command = payload::app(&app).map(|app| RejectListing {
            app,
            submission,
            listing_digest,
            reason,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }
}
