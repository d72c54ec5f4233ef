//! Decisions about the review of a listing on its own, without a version.

use super::{Decision, held_by_another, lapsed, reviewer, terms};
use crate::{
    app::{App, Event, ListingReview, Panel, Rejection, Stage, Terms, Verdict},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, SubmissionId},
    permission::Permission,
    review_policy::ReviewPolicy,
};

impl App {
    pub(super) fn ask_for_listing(&self, submission: SubmissionId, policy: Digest, review: ReviewPolicy) -> Decision {
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
            review: Some(review),
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

    pub(super) fn start_listing_review(&self, panel: &Panel, stamp: Stamp) -> Decision {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        let contributed = |account| self.listing.contributors.contains(account);
        let reviewer = reviewer(&open.review, contributed, stamp)?;
        if let Some(claim) = &open.claim {
            held_by_another(claim, reviewer, panel, stamp)?;
            if claim.reviewer == reviewer && !lapsed(claim, panel, stamp) {
                return Ok(vec![]);
            }
        }
        if open.review.was_approved_by(reviewer) {
            return Err(Rejection::AlreadyApproved);
        }
        terms(&open.review, panel, Permission::ReviewApprove, contributed, reviewer)
            .or_else(|_| terms(&open.review, panel, Permission::ReviewReject, contributed, reviewer))?;
        Ok(vec![Event::ListingReviewStarted {
            submission: open.submission.id,
        }])
    }

    pub(super) fn release_listing_review(&self, panel: &Panel, stamp: Stamp) -> Decision {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        let Some(claim) = &open.claim else { return Ok(vec![]) };
        held_by_another(claim, stamp.by.account().ok_or(Rejection::OwnWork)?, panel, stamp)?;
        Ok(vec![Event::ListingReviewReleased {
            submission: open.submission.id,
        }])
    }

    pub(super) fn approve_listing(
        &self,
        submission: SubmissionId,
        listing: Digest,
        panel: &Panel,
        stamp: Stamp,
    ) -> Decision {
        if self.listing_decided(submission, listing, Verdict::Approved, stamp) {
            return Ok(vec![]);
        }
        let seen = ListingSeen { submission, listing };
        let (open, reviewer) = self.listing_decidable(seen, panel, stamp)?;
        if open.review.was_approved_by(reviewer) {
            return Ok(vec![]);
        }
        if open.claim.is_none() {
            return Err(Rejection::ListingReviewNotStarted);
        }
        let terms = self.listing_terms(open, panel, Permission::ReviewApprove, reviewer)?;
        if !open.review.needs_one_more() {
            return Ok(vec![Event::ListingApprovalGiven {
                submission,
                listing,
                terms,
            }]);
        }
        Ok(vec![Event::ListingApproved {
            submission,
            listing,
            terms: Some(terms),
        }])
    }

    pub(super) fn reject_listing(
        &self,
        submission: SubmissionId,
        listing: Digest,
        reason: Sealed,
        panel: &Panel,
        stamp: Stamp,
    ) -> Decision {
        if self.listing_decided(submission, listing, Verdict::Rejected, stamp) {
            return Ok(vec![]);
        }
        let (open, reviewer) = self.listing_decidable(ListingSeen { submission, listing }, panel, stamp)?;
        let terms = self.listing_terms(open, panel, Permission::ReviewReject, reviewer)?;
        Ok(vec![Event::ListingRejected {
            submission,
            listing,
            reason,
            terms: Some(terms),
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

    fn listing_decidable(
        &self,
        seen: ListingSeen,
        panel: &Panel,
        stamp: Stamp,
    ) -> Result<(&ListingReview, AccountId), Rejection> {
        let open = self.listing.review.as_ref().ok_or(Rejection::ListingNotUnderReview)?;
        if (open.submission.id, open.submission.listing) != (seen.submission, seen.listing) {
            let (submission, listing) = (open.submission.id, open.submission.listing);
            return Err(Rejection::StaleListingSubmission { submission, listing });
        }
        let contributed = |account| self.listing.contributors.contains(account);
        let reviewer = reviewer(&open.review, contributed, stamp)?;
        if let Some(claim) = &open.claim {
            held_by_another(claim, reviewer, panel, stamp)?;
        }
        Ok((open, reviewer))
    }

    fn listing_terms(
        &self,
        open: &ListingReview,
        panel: &Panel,
        permission: Permission,
        reviewer: AccountId,
    ) -> Result<Terms, Rejection> {
        let contributed = |account| self.listing.contributors.contains(account);
        terms(&open.review, panel, permission, contributed, reviewer)
    }
}

/// What a reviewer of a listing had read when deciding.
#[derive(Clone, Copy)]
struct ListingSeen {
    submission: SubmissionId,
    listing: Digest,
}
