//! An app: a workspace's chart, its versions, its listing, and where each of them stands on the way to the store.
//!
//! * [`event`]: what can happen to it
//! * [`stage`]: the life of a version, as one table
//! * [`review`]: by what a submission is decided, and who approved it so far
//! * `decide`: which facts follow from a command, or which rule refuses it
//! * `evolve`: what is remembered, the versions in [`versions`](Versions)
//!
//! Approval is bound to bytes: a submission freezes the digests of the package and of the listing, and a decision
//! names them. Nothing that was not approved at its digest is ever published.

mod allowed;
pub mod command;
mod contributors;
mod decide;
pub mod event;
mod evolve;
pub mod rejection;
pub mod review;
pub mod stage;
#[cfg(test)]
mod tests;
mod versions;
#[cfg(test)]
pub(crate) use self::tests::version_life::commands::every_command as every_app_command;

use std::sync::Arc;

use self::versions::Standing;
pub use self::{
    allowed::Asker,
    command::Command,
    contributors::Contributors,
    event::{Event, Package},
    rejection::Rejection,
    review::{Approval, Exception, Panel, Review, Terms},
    stage::{Action, Stage},
    versions::Versions,
};
use crate::{
    access::AppVisibility,
    decider::{Decider, Stamp},
    digest::Digest,
    ids::{AccountId, CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub workspace: WorkspaceId,
    pub chart: ChartName,
    /// Deleted versions stay: their numbers and their authors are not forgotten.
    pub versions: Versions,
    pub listing: Listing,
    /// `None` is the shelf of the uncategorised.
    pub category: Option<CategoryId>,
    /// Set while the app as a whole is out of the store, whatever its versions are.
    pub suspended: Option<Authority>,
    pub deleted: bool,
    /// How many submissions there have been: later ones supersede the listing of earlier ones.
    submissions: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub package: Package,
    pub stage: Stage,
    /// What its last submission is, or was, decided by.
    pub review: Option<Review>,
    /// How many events this version has had; clients name it to be sure of what they saw.
    pub revision: u64,
    /// Whoever ever uploaded, replaced or submitted it.
    pub contributors: Contributors,
    /// Once in the store, a number is never free again.
    pub ever_published: bool,
}

/// The words and pictures of an app: a draft that reaches the store only through a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub draft: Digest,
    pub published: Option<Digest>,
    /// Whoever ever edited or submitted it.
    pub contributors: Contributors,
    pub review: Option<ListingReview>,
    /// The submission whose listing the store shows.
    published_by: u64,
    /// The last decision about a listing on its own, until the next one is submitted.
    decided: Option<ListingDecision>,
}

/// Remembered so that deciding twice is told apart from two reviewers deciding at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ListingDecision {
    submission: ListingSubmission,
    verdict: Verdict,
    reviewer: Option<AccountId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Approved,
    Rejected,
}

/// A listing submitted without a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingReview {
    pub submission: ListingSubmission,
    pub claim: Option<Claim>,
    pub review: Review,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingSubmission {
    pub id: SubmissionId,
    pub listing: Digest,
    ordinal: u64,
}

/// A version and the listing that goes with it, frozen for review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    pub id: SubmissionId,
    pub package: Digest,
    pub listing: Digest,
    /// Who approved or rejected it, once somebody has.
    pub decided_by: Option<AccountId>,
    ordinal: u64,
}

/// A reviewer's hold on a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub reviewer: AccountId,
    pub since: chrono::DateTime<chrono::Utc>,
}

/// In whose name something was suspended. What the store suspended, its owner does not resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    Owner,
    Store,
}

/// Where an app stands: a pure function of its versions and of its own suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    InDevelopment,
    Published,
    Suspended,
    Deleted,
}

impl App {
    #[must_use]
    pub fn status(&self) -> Status {
        let Standing {
            published, suspended, ..
        } = self.versions.standing;
        match (published, suspended) {
            _ if self.deleted => Status::Deleted,
            _ if self.suspended.is_some() => Status::Suspended,
            (1.., _) => Status::Published,
            (0, 1..) => Status::Suspended,
            (0, 0) => Status::InDevelopment,
        }
    }

    /// What decides who may know of it.
    #[must_use]
    pub fn visibility(&self) -> AppVisibility {
        AppVisibility {
            workspace: self.workspace,
            in_store: self.status() == Status::Published,
            handed_in: self.listing.review.is_some() || self.versions.standing.handed_in > 0,
        }
    }

    /// The version the store offers first: the highest published one, a pre-release only if there is nothing else.
    #[must_use]
    pub fn latest_published(&self) -> Option<&VersionNumber> {
        if self.versions.standing.published == 0 {
            return None;
        }
        let versions = self.versions.iter().rev();
        let mut published = versions.filter(|(_, version)| version.stage.is_published());
        let highest = published.next().map(|(number, _)| number)?;
        match highest.is_prerelease() {
            false => Some(highest),
            true => {
                let release = published
                    .map(|(number, _)| number)
                    .find(|number| !number.is_prerelease());
                release.or(Some(highest))
            }
        }
    }

    /// Whether a store user may install this version: published, and neither it nor its app suspended.
    #[must_use]
    pub fn is_installable(&self, number: &VersionNumber) -> bool {
        self.versions
            .get(number)
            .is_some_and(|version| version.stage.is_published())
            && self.suspended.is_none()
            && !self.deleted
    }

    /// A version that is not deleted.
    #[must_use]
    pub fn version(&self, number: &VersionNumber) -> Option<&Version> {
        let version = self.versions.get(number).map(Arc::as_ref);
        version.filter(|version| !matches!(version.stage, Stage::Deleted {}))
    }

    /// That a version had `expected` events when its reader looked, and has had no other since.
    ///
    /// # Errors
    ///
    /// [`Rejection::StaleRevision`] if it changed, [`Rejection::VersionNotFound`] if it never was or is deleted.
    pub fn unchanged_since(&self, number: &VersionNumber, expected: u64) -> Result<(), Rejection> {
        let Some(version) = self.version(number) else {
            return Err(Rejection::VersionNotFound(number.clone()));
        };
        if version.revision == expected {
            return Ok(());
        }
        Err(Rejection::StaleRevision {
            version: number.clone(),
            expected,
            actual: version.revision,
        })
    }

    /// Everybody who holds a review of it, or held one that may have lapsed.
    pub fn reviewers(&self) -> impl Iterator<Item = AccountId> {
        let of_versions = self.versions.values().filter_map(|version| match &version.stage {
            Stage::InReview { claim, .. } => Some(claim.reviewer),
            _ => None,
        });
        let of_listing = self.listing.review.iter().filter_map(|review| review.claim);
        of_versions.chain(of_listing.map(|claim| claim.reviewer))
    }

    /// Whether `account` is kept from reviewing this version: authors do not review their own work.
    #[must_use]
    pub fn contributed(&self, version: &Version, account: AccountId) -> bool {
        version.contributors.contains(account) || self.listing.contributors.contains(account)
    }
}

impl Decider for App {
    const CATEGORY: &'static str = "app";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, stamp: Stamp) -> Result<Vec<Event>, Rejection> {
        decide::decide(state.as_ref(), command, stamp)
    }

    fn evolve(state: Self::State, event: &Event, stamp: Stamp) -> Self::State {
        evolve::evolve(state, event, stamp)
    }
}
