//! What an event decides, and about what.

use domain::{
    app::{Event, Terms},
    digest::{Digest, Sealed},
    ids::{AccountId, SubmissionId},
    names::RoleName,
    version_number::VersionNumber,
};
use rusqlite::Connection;

use crate::{
    accounts,
    dossier::{Decision, Dossier, Submitted},
    error::ViewError,
};

/// The decision that an event records.
pub(super) struct Made<'a> {
    pub(super) decision: Decision,
    pub(super) version: Option<(&'a VersionNumber, Digest)>,
    pub(super) submission: SubmissionId,
    pub(super) listing: Digest,
    pub(super) reason: Option<&'a Sealed>,
    pub(super) terms: Option<&'a Terms>,
    pub(super) last: bool,
}

impl<'a> Made<'a> {
    pub(super) fn by(event: &'a Event) -> Option<Self> {
        let (decision, submission, listing) = match event {
            Event::ApprovalGiven {
                submission, listing, ..
            }
            | Event::VersionApproved {
                submission, listing, ..
            }
            | Event::ListingApprovalGiven {
                submission, listing, ..
            }
            | Event::ListingApproved {
                submission, listing, ..
            } => (Decision::Approved, *submission, *listing),
            Event::VersionRejected {
                submission, listing, ..
            }
            | Event::ListingRejected {
                submission, listing, ..
            } => (Decision::Rejected, *submission, *listing),
            Event::AppUploaded { .. }
            | Event::VersionUploaded { .. }
            | Event::PackageReplaced { .. }
            | Event::ListingEdited { .. }
            | Event::IconSet { .. }
            | Event::CategoryAssigned { .. }
            | Event::VersionSubmitted { .. }
            | Event::VersionWithdrawn { .. }
            | Event::ReviewStarted { .. }
            | Event::ReviewReleased { .. }
            | Event::PublishedToStore { .. }
            | Event::ListingSubmitted { .. }
            | Event::ListingWithdrawn { .. }
            | Event::ListingReviewStarted { .. }
            | Event::ListingReviewReleased { .. }
            | Event::Suspended { .. }
            | Event::Resumed { .. }
            | Event::AppMoved { .. }
            | Event::VersionDeleted { .. }
            | Event::AppDeleted {} => return None,
        };
        let mut made = Self {
            decision,
            version: None,
            submission,
            listing,
            reason: None,
            terms: None,
            last: true,
        };
        made.detail(event);
        Some(made)
    }

    fn detail(&mut self, event: &'a Event) {
        match event {
            Event::ApprovalGiven {
                version, digest, terms, ..
            } => {
                self.version = Some((version, *digest));
                self.terms = Some(terms);
                self.last = false;
            }
            Event::VersionApproved {
                version, digest, terms, ..
            } => {
                self.version = Some((version, *digest));
                self.terms = terms.as_ref();
            }
            Event::VersionRejected {
                version,
                digest,
                terms,
                reason,
                ..
            } => {
                self.version = Some((version, *digest));
                self.terms = terms.as_ref();
                self.reason = Some(reason);
            }
            Event::ListingApprovalGiven { terms, .. } => {
                self.terms = Some(terms);
                self.last = false;
            }
            Event::ListingApproved { terms, .. } => self.terms = terms.as_ref(),
            Event::ListingRejected { terms, reason, .. } => {
                self.terms = terms.as_ref();
                self.reason = Some(reason);
            }
            _ => {}
        }
    }

    /// The last submission of what it is about.
    pub(super) fn submitted(&self, dossier: &Dossier) -> Option<Submitted> {
        match self.version {
            Some((number, _)) => dossier.version(number)?.1.submitted,
            None => dossier.listing_submitted,
        }
    }

    /// Whom separation of duties keeps from deciding.
    pub(super) fn authors(&self, dossier: &Dossier) -> Vec<AccountId> {
        let of_listing = &dossier.app.listing.contributors;
        let mut authors = of_listing.clone();
        if let Some((version, _)) = self.version.and_then(|(number, _)| dossier.version(number)) {
            authors.extend(version.contributors.iter());
        }
        authors.iter().collect()
    }

    /// In which of the reviewer's roles it was made. Applied in order, the grants are those that held then.
    pub(super) fn roles(&self, conn: &Connection, reviewer: Option<AccountId>) -> Result<Vec<RoleName>, ViewError> {
        match (self.terms, reviewer) {
            (Some(terms), _) => Ok(vec![terms.role.clone()]),
            (None, Some(reviewer)) => accounts::roles_allowing(conn, reviewer, self.decision.permission()),
            (None, None) => Ok(vec![]),
        }
    }
}
