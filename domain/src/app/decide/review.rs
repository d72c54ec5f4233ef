//! Decisions about the review of a version. An approval is bound to a submission and to both of its digests.

use super::{Decision, held_by_another, lapsed, require, require_submitted, reviewer, terms};
use crate::{
    app::{Action, App, Event, Panel, Rejection, Review, Stage, Submission, Terms, Version, command::Seen},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::SubmissionId,
    permission::Permission,
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
};

impl App {
    pub(super) fn submit(
        &self,
        version: VersionNumber,
        submission: SubmissionId,
        policy: Digest,
        review: ReviewPolicy,
    ) -> Decision {
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
            review: Some(review),
        }])
    }

    pub(super) fn withdraw(&self, version: VersionNumber) -> Decision {
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

    pub(super) fn start_review(&self, version: VersionNumber, panel: &Panel, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        let submission = require_submitted(&version, known, Action::StartReview)?;
        let review = self.review(&version, known, Action::StartReview)?;
        let contributed = |account| self.contributed(known, account);
        let reviewer = reviewer(review, contributed, stamp)?;
        if let Stage::InReview { claim, .. } = &known.stage {
            held_by_another(claim, reviewer, panel, stamp)?;
            if claim.reviewer == reviewer && !lapsed(claim, panel, stamp) {
                return Ok(vec![]);
            }
        }
        if review.was_approved_by(reviewer) {
            return Err(Rejection::AlreadyApproved);
        }
        // To hold a review is to keep others from it, so it takes what approving or rejecting takes.
        terms(review, panel, Permission::ReviewApprove, contributed, reviewer)
            .or_else(|_| terms(review, panel, Permission::ReviewReject, contributed, reviewer))?;
        Ok(vec![Event::ReviewStarted {
            version,
            submission: submission.id,
        }])
    }

    pub(super) fn release_review(&self, version: VersionNumber, panel: &Panel, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Submitted { .. }) {
            return Ok(vec![]);
        }
        let submission = require_submitted(&version, known, Action::ReleaseReview)?;
        if let (Stage::InReview { claim, .. }, Some(reviewer)) = (&known.stage, stamp.by.account()) {
            held_by_another(claim, reviewer, panel, stamp)?;
        }
        Ok(vec![Event::ReviewReleased {
            version,
            submission: submission.id,
        }])
    }

    pub(super) fn approve(&self, version: VersionNumber, seen: Seen, panel: &Panel, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if has_approved(known, seen, stamp) {
            return Ok(vec![]);
        }
        let (submission, terms) = self.decidable(&version, known, Action::Approve, seen, panel, stamp)?;
        let Submission {
            id, package, listing, ..
        } = submission;
        if known.review.as_ref().is_some_and(|review| !review.needs_one_more()) {
            return Ok(vec![Event::ApprovalGiven {
                version,
                submission: id,
                digest: package,
                listing,
                terms,
            }]);
        }
        Ok(vec![Event::VersionApproved {
            version,
            submission: id,
            digest: package,
            listing,
            terms: Some(terms),
        }])
    }

    pub(super) fn reject(
        &self,
        version: VersionNumber,
        seen: Seen,
        reason: Sealed,
        panel: &Panel,
        stamp: Stamp,
    ) -> Decision {
        let known = self.known(&version)?;
        if let Stage::Rejected { submission } = &known.stage
            && is_current(submission, seen)
            && submission.decided_by == stamp.by.account()
        {
            return Ok(vec![]);
        }
        let (submission, terms) = self.decidable(&version, known, Action::Reject, seen, panel, stamp)?;
        let Submission {
            id, package, listing, ..
        } = submission;
        Ok(vec![Event::VersionRejected {
            version,
            submission: id,
            digest: package,
            listing,
            reason,
            terms: Some(terms),
        }])
    }

    /// The submission `seen`, if it is the current one and `stamp` may decide about it, and by which terms.
    ///
    /// That the page is stale is said before that the state is wrong: whoever reads it must look again either way,
    /// and the new digests are the better answer.
    fn decidable(
        &self,
        number: &VersionNumber,
        version: &Version,
        action: Action,
        seen: Seen,
        panel: &Panel,
        stamp: Stamp,
    ) -> Result<(Submission, Terms), Rejection> {
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
        let review = self.review(number, version, action)?;
        let contributed = |account| self.contributed(version, account);
        let reviewer = reviewer(review, contributed, stamp)?;
        if let Stage::InReview { claim, .. } = &version.stage {
            held_by_another(claim, reviewer, panel, stamp)?;
        }
        let permission = match action {
            Action::Approve => Permission::ReviewApprove,
            _ => Permission::ReviewReject,
        };
        let terms = terms(review, panel, permission, contributed, reviewer)?;
        Ok((submission, terms))
    }

    /// What the current submission is decided by.
    fn review<'a>(
        &self,
        number: &VersionNumber,
        version: &'a Version,
        action: Action,
    ) -> Result<&'a Review, Rejection> {
        require(number, version, action)?;
        version.review.as_ref().ok_or_else(|| Rejection::WrongState {
            version: number.clone(),
            stage: version.stage.as_str(),
            allowed: version.stage.allows(),
        })
    }
}

/// Whether whoever acts has approved exactly this already, as the last one or as one of several.
fn has_approved(version: &Version, seen: Seen, stamp: Stamp) -> bool {
    let is_mine = |reviewer| {
        version
            .review
            .as_ref()
            .is_some_and(|review| review.was_approved_by(reviewer))
    };
    match &version.stage {
        Stage::Approved { submission } => is_current(submission, seen) && submission.decided_by == stamp.by.account(),
        Stage::Submitted { submission } | Stage::InReview { submission, .. } => {
            is_current(submission, seen) && stamp.by.account().is_some_and(is_mine)
        }
        Stage::Draft {}
        | Stage::Rejected { .. }
        | Stage::Published { .. }
        | Stage::Suspended { .. }
        | Stage::Deleted {} => false,
    }
}

fn is_current(submission: &Submission, seen: Seen) -> bool {
    (submission.id, submission.package, submission.listing) == (seen.submission, seen.package, seen.listing)
}
