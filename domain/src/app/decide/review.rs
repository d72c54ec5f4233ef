//! Decisions about the review of a version. An approval is bound to a submission and to both of its digests.

use super::{Decision, held_by_another, lapsed, require, require_submitted};
use crate::{
    app::{Action, App, Event, Rejection, Stage, Submission, Version, command::Seen},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, SubmissionId},
    version_number::VersionNumber,
};

impl App {
    pub(super) fn submit(&self, version: VersionNumber, submission: SubmissionId, policy: Digest) -> Decision {
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

    pub(super) fn start_review(&self, version: VersionNumber, stamp: Stamp) -> Decision {
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

    pub(super) fn release_review(&self, version: VersionNumber, stamp: Stamp) -> Decision {
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

    pub(super) fn approve(&self, version: VersionNumber, seen: Seen, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if let Stage::Approved { submission } = &known.stage
            && is_current(submission, seen)
            && submission.decided_by == stamp.by.account()
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

    pub(super) fn reject(&self, version: VersionNumber, seen: Seen, reason: Sealed, stamp: Stamp) -> Decision {
        let known = self.known(&version)?;
        if let Stage::Rejected { submission } = &known.stage
            && is_current(submission, seen)
            && submission.decided_by == stamp.by.account()
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

fn is_current(submission: &Submission, seen: Seen) -> bool {
    (submission.id, submission.package, submission.listing) == (seen.submission, seen.package, seen.listing)
}
