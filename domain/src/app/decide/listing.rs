//! Decisions about the review of a listing on its own, without a version.

use super::{Decision, held_by_another, lapsed};
use crate::{
    app::{App, Event, Rejection, Stage, Verdict},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, SubmissionId},
};

impl App {
    pub(super) fn ask_for_listing(&self, submission: SubmissionId, policy: Digest) -> Decision {
        let listing = self.listing.draft;
        match &self.listing.review {
            Some(open) if open.submission.listing == listing => return Ok(vec![]),
            Some(open) => return Err(Rejection::ListingUnderReview(open.submission.id)),
            None => {}
        }
        let goes_with = |stage: &Stage| matches!(stage, Stage::Published { .. } | Stage::Suspended { .. });
        if !self.versions.values().any(|version| goes_with(&version.stage)) {
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

    pub(super) fn withdraw_listing(&self) -> Decision {
        Ok(self
            .listing
            .review
            .iter()
            .map(|open| Event::ListingWithdrawn {
                submission: open.submission.id,
            })
            .collect())
    }

    pub(super) fn start_listing_review(&self, stamp: Stamp) -> Decision {
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

    pub(super) fn release_listing_review(&self, stamp: Stamp) -> Decision {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        let Some(claim) = &open.claim else { return Ok(vec![]) };
        held_by_another(claim, stamp.by.account().ok_or(Rejection::OwnWork)?, stamp)?;
        Ok(vec![Event::ListingReviewReleased {
            submission: open.submission.id,
        }])
    }

    pub(super) fn approve_listing(&self, submission: SubmissionId, listing: Digest, stamp: Stamp) -> Decision {
        if self.listing_decided(submission, listing, Verdict::Approved, stamp) {
            return Ok(vec![]);
        }
        self.listing_decidable(submission, listing, stamp)?;
        if self.listing.review.as_ref().is_some_and(|open| open.claim.is_none()) {
            return Err(Rejection::ListingReviewNotStarted);
        }
        Ok(vec![Event::ListingApproved { submission, listing }])
    }

    pub(super) fn reject_listing(
        &self,
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
        stamp: Stamp,
    ) -> Decision {
        if self.listing_decided(submission, listing, Verdict::Rejected, stamp) {
            return Ok(vec![]);
        }
        self.listing_decidable(submission, listing, stamp)?;
        Ok(vec![Event::ListingRejected {
            submission,
            listing,
            reason,
        }])
    }

    /// Whether this is the decision that was taken last, by the same reviewer.
    fn listing_decided(&self, submission: SubmissionId, listing: Digest, verdict: Verdict, stamp: Stamp) -> bool {
        self.listing.decided.is_some_and(|last| {
            (last.submission.id, last.submission.listing) == (submission, listing)
                && last.verdict == verdict
                && last.reviewer == stamp.by.account()
        })
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
