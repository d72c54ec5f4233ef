//! Which facts follow from a command, or which rule refuses it. Doing what is already so is no fact.

mod listing;
mod packages;
mod review;
mod store;

use super::{Action, App, Claim, Command, Event, Exception, Panel, Rejection, Review, Submission, Terms, Version};
use crate::{
    decider::Stamp, ids::AccountId, permission::Permission, review_policy::CLAIM_LAPSES_AFTER,
    version_number::VersionNumber,
};

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
            review,
        } => app.submit(version, submission, policy, review),
        Command::WithdrawVersion { version } => app.withdraw(version),
        Command::StartReview { version, panel } => app.start_review(version, &panel, stamp),
        Command::ReleaseReview { version, panel } => app.release_review(version, &panel, stamp),
        Command::ApproveVersion { version, seen, panel } => app.approve(version, seen, &panel, stamp),
        Command::RejectVersion {
            version,
            seen,
            reason,
            panel,
        } => app.reject(version, seen, reason, &panel, stamp),
        Command::PublishVersion { version } => app.publish_version(version),
        Command::SuspendVersion {
            version,
            authority,
            reason,
        } => app.suspend_version(version, authority, reason),
        Command::ResumeVersion { version, authority } => app.resume_version(version, authority),
        Command::DeleteVersion { version } => app.delete_version(version),

        Command::SubmitListing {
            submission,
            policy,
            review,
        } => app.ask_for_listing(submission, policy, review),
        Command::WithdrawListing => app.withdraw_listing(),
        Command::StartListingReview { panel } => app.start_listing_review(&panel, stamp),
        Command::ReleaseListingReview { panel } => app.release_listing_review(&panel, stamp),
        Command::ApproveListing {
            submission,
            listing,
            panel,
        } => app.approve_listing(submission, listing, &panel, stamp),
        Command::RejectListing {
            submission,
            listing,
            reason,
            panel,
        } => app.reject_listing(submission, listing, reason, &panel, stamp),

        Command::MoveApp { workspace } if workspace == app.workspace => Ok(vec![]),
        Command::MoveApp { workspace } => Ok(vec![Event::AppMoved { workspace }]),
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

/// Whoever acts, if the policy lets them review: authors do not, unless it says otherwise.
fn reviewer(review: &Review, contributed: impl Fn(AccountId) -> bool, stamp: Stamp) -> Result<AccountId, Rejection> {
    // Charthouse itself reviews nothing.
    let reviewer = stamp.by.account().ok_or(Rejection::OwnWork)?;
    if review.policy.author_is_not_reviewer && contributed(reviewer) {
        return Err(Rejection::OwnWork);
    }
    Ok(reviewer)
}

/// By what whoever acts may decide at the stage that is open, with what takes `permission`.
fn terms(
    review: &Review,
    panel: &Panel,
    permission: Permission,
    contributed: impl Fn(AccountId) -> bool,
    reviewer: AccountId,
) -> Result<Terms, Rejection> {
    // While a review is under way one stage is open: the last approval ends it.
    let stage = review.open_stage().ok_or(Rejection::AlreadyApproved)?;
    let role = panel.role_for(stage, permission).ok_or_else(|| Rejection::NotOfStage {
        stage: stage.name.clone(),
        deciders: stage.deciders.clone(),
    })?;
    Ok(Terms {
        stage: stage.name.clone(),
        role: role.clone(),
        policy: review.digest,
        exception: contributed(reviewer).then_some(Exception::OwnWork),
    })
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

/// A claim ends after a day, or with the rights of whoever holds it.
fn lapsed(claim: &Claim, panel: &Panel, stamp: Stamp) -> bool {
    stamp.at - claim.since >= CLAIM_LAPSES_AFTER || panel.dismissed.contains(&claim.reviewer)
}

fn held_by_another(claim: &Claim, reviewer: AccountId, panel: &Panel, stamp: Stamp) -> Result<(), Rejection> {
    if claim.reviewer == reviewer || lapsed(claim, panel, stamp) {
        return Ok(());
    }
    Err(Rejection::ClaimedByAnother {
        reviewer: claim.reviewer,
        until: claim.since + CLAIM_LAPSES_AFTER,
    })
}
