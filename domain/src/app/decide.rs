//! Which facts follow from a command, or which rule refuses it. Doing what is already so is no fact.

mod listing;
mod packages;
mod review;
mod store;

use super::{Action, App, Claim, Command, Event, Rejection, Submission, Version};
use crate::{decider::Stamp, ids::AccountId, review_policy::CLAIM_LAPSES_AFTER, version_number::VersionNumber};

type Decision = Result<Vec<Event>, Rejection>;

pub(super) fn decide(state: Option<&App>, command: Command, stamp: Stamp) -> Decision {
    let Some(app) = state else {
        let Command::Upload {
            workspace,
            chart,
            listing,
            version,
            package,
        } = command
        else {
            return Err(Rejection::NotFound);
        };
        return Ok(vec![
            Event::AppUploaded {
                workspace,
                chart,
                listing,
            },
            Event::VersionUploaded { version, package },
        ]);
    };
    match command {
        Command::DeleteApp => app.delete(),
        Command::Upload { .. } => Err(Rejection::Exists),
        _ if app.deleted => Err(Rejection::NotFound),

        Command::UploadVersion {
            chart,
            version,
            package,
        } => app.upload_version(&chart, version, package),
        Command::ReplacePackage {
            version,
            chart,
            number,
            package,
        } => app.replace_package(version, &chart, number, package),
        Command::EditListing { listing } if listing == app.listing.draft => Ok(vec![]),
        Command::EditListing { listing } => Ok(vec![Event::ListingEdited { listing }]),
        Command::SetIcon { listing, .. } if listing == app.listing.draft => Ok(vec![]),
        Command::SetIcon { icon, listing } => Ok(vec![Event::IconSet { icon, listing }]),
        Command::AssignCategory { category, .. } if category == app.category => Ok(vec![]),
        Command::AssignCategory { category, .. } => Ok(vec![Event::CategoryAssigned { category }]),

        Command::SubmitVersion {
            version,
            submission,
            policy,
        } => app.submit(version, submission, policy),
        Command::WithdrawVersion { version } => app.withdraw(version),
        Command::StartReview { version } => app.start_review(version, stamp),
        Command::ReleaseReview { version } => app.release_review(version, stamp),
        Command::ApproveVersion { version, seen } => app.approve(version, seen, stamp),
        Command::RejectVersion { version, seen, reason } => app.reject(version, seen, reason, stamp),
        Command::PublishVersion { version } => app.publish_version(version),
        Command::SuspendVersion {
            version,
            authority,
            reason,
        } => app.suspend_version(version, authority, reason),
        Command::ResumeVersion { version, authority } => app.resume_version(version, authority),
        Command::DeleteVersion { version } => app.delete_version(version),

        Command::SubmitListing { submission, policy } => app.ask_for_listing(submission, policy),
        Command::WithdrawListing => app.withdraw_listing(),
        Command::StartListingReview => app.start_listing_review(stamp),
        Command::ReleaseListingReview => app.release_listing_review(stamp),
        Command::ApproveListing { submission, listing } => app.approve_listing(submission, listing, stamp),
        Command::RejectListing {
            submission,
            listing,
            reason,
        } => app.reject_listing(submission, listing, reason, stamp),

        Command::SuspendApp { authority, reason } => app.suspend(authority, reason),
        Command::ResumeApp { authority } => app.resume(authority),
    }
}

impl App {
    /// The version of that number, unless it is deleted.
    fn known(&self, number: &VersionNumber) -> Result<&Version, Rejection> {
        self.version(number)
            .ok_or_else(|| Rejection::VersionNotFound(number.clone()))
    }
}

fn require(number: &VersionNumber, version: &Version, action: Action) -> Result<(), Rejection> {
    if version.stage.may(action) {
        return Ok(());
    }
    let (stage, allowed) = (version.stage.as_str(), version.stage.allows());
    Err(Rejection::WrongState {
        version: number.clone(),
        stage,
        allowed,
    })
}

/// As [`require`], for the actions that are only allowed where there is a submission.
fn require_submitted(number: &VersionNumber, version: &Version, action: Action) -> Result<Submission, Rejection> {
    require(number, version, action)?;
    version
        .stage
        .submission()
        .copied()
        .ok_or_else(|| Rejection::WrongState {
            version: number.clone(),
            stage: version.stage.as_str(),
            allowed: version.stage.allows(),
        })
}

fn lapsed(claim: &Claim, stamp: Stamp) -> bool {
    stamp.at - claim.since >= CLAIM_LAPSES_AFTER
}

fn held_by_another(claim: &Claim, reviewer: AccountId, stamp: Stamp) -> Result<(), Rejection> {
    if claim.reviewer == reviewer || lapsed(claim, stamp) {
        return Ok(());
    }
    Err(Rejection::ClaimedByAnother {
        reviewer: claim.reviewer,
        until: claim.since + CLAIM_LAPSES_AFTER,
    })
}
