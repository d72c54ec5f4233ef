//! Which facts follow from a command, or which rule refuses it. Doing what is already so is no fact.

use super::{
    Action, App, Authority, Claim, Command, Event, Package, Rejection, Stage, Status, Submission, Version,
    command::Seen,
};
use crate::{
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, SubmissionId},
    names::ChartName,
    review_policy::CLAIM_LAPSES_AFTER,
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

/// Packages.
impl App {
    fn upload_version(&self, chart: &ChartName, version: VersionNumber, package: Package) -> Decision {
        self.same_chart(chart)?;
        match self.versions.get(&version) {
            Some(known) if known.ever_published && matches!(known.stage, Stage::Deleted {}) => {
                Err(Rejection::VersionRetired(version))
            }
            Some(known) if !matches!(known.stage, Stage::Deleted {}) => Err(Rejection::VersionExists(version)),
            Some(_) | None => Ok(vec![Event::VersionUploaded { version, package }]),
        }
    }

    fn replace_package(
        &self,
        version: VersionNumber,
        chart: &ChartName,
        number: VersionNumber,
        package: Package,
    ) -> Decision {
        let known = self.known(&version)?;
        self.same_chart(chart)?;
        if number != version {
            return Err(Rejection::VersionDiffers {
                expected: version,
                found: number,
            });
        }
        require(&version, known, Action::ReplacePackage)?;
        if known.package == package {
            return Ok(vec![]);
        }
        Ok(vec![Event::PackageReplaced { version, package }])
    }

    fn same_chart(&self, found: &ChartName) -> Result<(), Rejection> {
        if *found == self.chart {
            return Ok(());
        }
        Err(Rejection::ChartNameDiffers {
            expected: self.chart.clone(),
            found: found.clone(),
        })
    }

    fn known(&self, number: &VersionNumber) -> Result<&Version, Rejection> {
        self.version(number)
            .ok_or_else(|| Rejection::VersionNotFound(number.clone()))
    }
}

/// Review of a version.
impl App {
    fn submit(&self, version: VersionNumber, submission: SubmissionId, policy: Digest) -> Decision {
        let known = self.known(&version)?;
        let listing = self.listing.draft;
        if let Stage::Submitted { submission } = known.stage
            && submission.listing == listing
        {
            return Ok(vec![]);
        }
        require(&version, known, Action::Submit)?;
        Ok(vec![Event::VersionSubmitted {
            version,
            submission,
            digest: known.package.digest,
            listing,
            policy,
        }])
    }

    fn withdraw(&self, version: VersionNumber) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Draft {}) {
            return Ok(vec![]);
        }
        let submission = require_submitted(&version, known, Action::Withdraw)?;
        Ok(vec![Event::VersionWithdrawn {
            version,
            submission: submission.id,
        }])
    }

    fn start_review(&self, version: VersionNumber, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        let submission = require_submitted(&version, known, Action::StartReview)?;
        let reviewer = self.reviewer(known, stamp)?;
        if let Stage::InReview { claim, .. } = &known.stage {
            held_by_another(claim, reviewer, stamp)?;
            if claim.reviewer == reviewer && !lapsed(claim, stamp) {
                return Ok(vec![]);
            }
        }
        Ok(vec![Event::ReviewStarted {
            version,
            submission: submission.id,
        }])
    }

    fn release_review(&self, version: VersionNumber, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Submitted { .. }) {
            return Ok(vec![]);
        }
        let submission = require_submitted(&version, known, Action::ReleaseReview)?;
        if let (Stage::InReview { claim, .. }, Some(reviewer)) = (&known.stage, stamp.by.account()) {
            held_by_another(claim, reviewer, stamp)?;
        }
        Ok(vec![Event::ReviewReleased {
            version,
            submission: submission.id,
        }])
    }

    fn approve(&self, version: VersionNumber, seen: Seen, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if let Stage::Approved { submission } = &known.stage
            && is_current(submission, seen)
        {
            return Ok(vec![]);
        }
        let submission = self.decidable(&version, known, Action::Approve, seen, stamp)?;
        let Submission {
            id, package, listing, ..
        } = submission;
        Ok(vec![Event::VersionApproved {
            version,
            submission: id,
            digest: package,
            listing,
        }])
    }

    fn reject(&self, version: VersionNumber, seen: Seen, reason: Sealed, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if let Stage::Rejected { submission } = &known.stage
            && is_current(submission, seen)
        {
            return Ok(vec![]);
        }
        let submission = self.decidable(&version, known, Action::Reject, seen, stamp)?;
        let Submission {
            id, package, listing, ..
        } = submission;
        Ok(vec![Event::VersionRejected {
            version,
            submission: id,
            digest: package,
            listing,
            reason,
        }])
    }

    /// The submission `seen`, if it is the current one and `stamp` may decide about it.
    ///
    /// That the page is stale is said before that the state is wrong: whoever reads it must look again either way,
    /// and the new digests are the better answer.
    fn decidable(
        &self,
        number: &VersionNumber,
        version: &Version,
        action: Action,
        seen: Seen,
        stamp: Stamp,
    ) -> Result<Submission, Rejection> {
        if let Stage::Submitted { submission } | Stage::InReview { submission, .. } = &version.stage
            && !is_current(submission, seen)
        {
            let Submission {
                id, package, listing, ..
            } = *submission;
            return Err(Rejection::StaleSubmission {
                submission: id,
                package,
                listing,
            });
        }
        let submission = require_submitted(number, version, action)?;
        let reviewer = self.reviewer(version, stamp)?;
        if let Stage::InReview { claim, .. } = &version.stage {
            held_by_another(claim, reviewer, stamp)?;
        }
        Ok(submission)
    }

    fn reviewer(&self, version: &Version, stamp: Stamp) -> Result<AccountId, Rejection> {
        // Charthouse itself reviews nothing.
        let reviewer = stamp.by.account().ok_or(Rejection::OwnWork)?;
        if self.contributed(version, reviewer) {
            Err(Rejection::OwnWork)
        } else {
            Ok(reviewer)
        }
    }
}

/// The store.
impl App {
    fn publish_version(&self, version: VersionNumber) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Published { .. }) {
            return Ok(vec![]);
        }
        let Submission {
            id,
            package,
            listing,
            ordinal,
        } = require_submitted(&version, known, Action::Publish)?;
        if self.suspended.is_some() {
            return Err(Rejection::AppSuspended);
        }
        // A listing that passed a later review than this version's stays.
        let listing = match self.listing.published {
            Some(newer) if self.listing.published_by > ordinal => newer,
            Some(_) | None => listing,
        };
        Ok(vec![Event::PublishedToStore {
            version,
            submission: id,
            digest: package,
            listing,
        }])
    }

    fn suspend_version(&self, version: VersionNumber, authority: Authority, reason: Option<Sealed>) -> Decision {
        let known = self.known(&version)?;
        match known.stage {
            // The store may take over what the owner suspended; nothing else changes a suspension.
            Stage::Suspended { authority: by, .. } if by >= authority => return Ok(vec![]),
            Stage::Suspended { .. } => {}
            _ => require(&version, known, Action::Suspend)?,
        }
        Ok(vec![Event::Suspended {
            version: Some(version),
            authority,
            reason,
        }])
    }

    fn resume_version(&self, version: VersionNumber, authority: Authority) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Published { .. }) {
            return Ok(vec![]);
        }
        require(&version, known, Action::Resume)?;
        if let Stage::Suspended { authority: by, .. } = known.stage
            && by > authority
        {
            return Err(Rejection::SuspendedByStore);
        }
        Ok(vec![Event::Resumed { version: Some(version) }])
    }

    fn suspend(&self, authority: Authority, reason: Option<Sealed>) -> Decision {
        match self.suspended {
            Some(by) if by >= authority => return Ok(vec![]),
            Some(_) => {}
            None if self.status() == Status::InDevelopment => return Err(Rejection::AppNotPublished),
            None => {}
        }
        Ok(vec![Event::Suspended {
            version: None,
            authority,
            reason,
        }])
    }

    fn resume(&self, authority: Authority) -> Decision {
        match self.suspended {
            None => Ok(vec![]),
            Some(by) if by > authority => Err(Rejection::SuspendedByStore),
            Some(_) => Ok(vec![Event::Resumed { version: None }]),
        }
    }

    fn delete_version(&self, version: VersionNumber) -> Decision {
        match self.versions.get(&version) {
            Some(known) if matches!(known.stage, Stage::Deleted {}) => Ok(vec![]),
            Some(known) => {
                require(&version, known, Action::Delete)?;
                Ok(vec![Event::VersionDeleted { version }])
            }
            None => Err(Rejection::VersionNotFound(version)),
        }
    }

    fn delete(&self) -> Decision {
        if self.deleted {
            return Ok(vec![]);
        }
        let remain: Vec<_> = self
            .versions
            .iter()
            .filter(|(_, v)| !matches!(v.stage, Stage::Deleted {}))
            .map(|(n, _)| n.clone())
            .collect();
        if !remain.is_empty() {
            return Err(Rejection::VersionsRemain(remain));
        }
        Ok(vec![Event::AppDeleted {}])
    }
}

/// Review of a listing on its own.
impl App {
    fn ask_for_listing(&self, submission: SubmissionId, policy: Digest) -> Decision {
        let listing = self.listing.draft;
        match &self.listing.review {
            Some(open) if open.submission.listing == listing => return Ok(vec![]),
            Some(open) => return Err(Rejection::ListingUnderReview(open.submission.id)),
            None => {}
        }
        if self.listing.published.is_none() {
            return Err(Rejection::ListingNotInStore);
        }
        if self.listing.published == Some(listing) {
            return Err(Rejection::ListingUnchanged);
        }
        Ok(vec![Event::ListingSubmitted {
            submission,
            listing,
            policy,
        }])
    }

    fn withdraw_listing(&self) -> Decision {
        Ok(self
            .listing
            .review
            .iter()
            .map(|open| Event::ListingWithdrawn {
                submission: open.submission.id,
            })
            .collect())
    }

    fn start_listing_review(&self, stamp: Stamp) -> Decision {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        let reviewer = self.listing_reviewer(stamp)?;
        if let Some(claim) = &open.claim {
            held_by_another(claim, reviewer, stamp)?;
            if claim.reviewer == reviewer && !lapsed(claim, stamp) {
                return Ok(vec![]);
            }
        }
        Ok(vec![Event::ListingReviewStarted {
            submission: open.submission.id,
        }])
    }

    fn release_listing_review(&self, stamp: Stamp) -> Decision {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        let Some(claim) = &open.claim else { return Ok(vec![]) };
        held_by_another(claim, stamp.by.account().ok_or(Rejection::OwnWork)?, stamp)?;
        Ok(vec![Event::ListingReviewReleased {
            submission: open.submission.id,
        }])
    }

    fn approve_listing(&self, submission: SubmissionId, listing: Digest, stamp: Stamp) -> Decision {
        self.listing_decidable(submission, listing, stamp)?;
        if self.listing.review.as_ref().is_some_and(|open| open.claim.is_none()) {
            return Err(Rejection::ListingReviewNotStarted);
        }
        Ok(vec![Event::ListingApproved { submission, listing }])
    }

    fn reject_listing(&self, submission: SubmissionId, listing: Digest, reason: Sealed, stamp: Stamp) -> Decision {
        self.listing_decidable(submission, listing, stamp)?;
        Ok(vec![Event::ListingRejected {
            submission,
            listing,
            reason,
        }])
    }

    fn listing_decidable(&self, submission: SubmissionId, listing: Digest, stamp: Stamp) -> Result<(), Rejection> {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        if (open.submission.id, open.submission.listing) != (submission, listing) {
            let (submission, listing) = (open.submission.id, open.submission.listing);
            return Err(Rejection::StaleListingSubmission { submission, listing });
        }
        let reviewer = self.listing_reviewer(stamp)?;
        if let Some(claim) = &open.claim {
            held_by_another(claim, reviewer, stamp)?;
        }
        Ok(())
    }

    fn listing_reviewer(&self, stamp: Stamp) -> Result<AccountId, Rejection> {
        let reviewer = stamp.by.account().ok_or(Rejection::OwnWork)?;
        if self.listing.contributors.contains(&reviewer) {
            Err(Rejection::OwnWork)
        } else {
            Ok(reviewer)
        }
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

fn is_current(submission: &Submission, seen: Seen) -> bool {
    (submission.id, submission.package, submission.listing) == (seen.submission, seen.package, seen.listing)
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
