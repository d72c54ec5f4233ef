//! Why a version is where it is: the chain of facts that led there, and what shows or hides it in the store.

mod standing;
mod words;

use chrono::{DateTime, Utc};
use domain::{
    app::{Authority, Event},
    digest::{Digest, Sealed},
    event::DomainEvent,
    ids::{Actor, AppId, SubmissionId},
    version_number::VersionNumber,
};
use eventstore::Recorded;

pub use self::standing::Reason;
use crate::{
    apps::{Decision, Stage},
    dossier::Dossier,
    error::ViewError,
    explanation::standing::Standing,
    fact::Fact,
};

/// A version, as its app's stream tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub app: AppId,
    pub number: VersionNumber,
    pub stage: Stage,
    /// The archive it has now.
    pub package: Digest,
    /// Whether the store shows it.
    pub is_in_store: bool,
    /// Why it does, or everything that keeps it out; and what else stands in the way of an install.
    pub reasons: Vec<Reason>,
    /// What happened to it, and what else changed how it stands in the store; in order.
    pub steps: Vec<Step>,
}

/// A fact that matters to a version, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub position: u64,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// The event's stored name.
    pub event: String,
    /// What happened, in plain words.
    pub words: String,
    /// Where the version stood before; `None` if it was not there.
    pub before: Option<Stage>,
    pub after: Stage,
    pub was_in_store: bool,
    pub is_in_store: bool,
    pub facts: Facts,
}

/// What an event says of a review or a suspension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub submission: Option<SubmissionId>,
    pub package: Option<Digest>,
    pub listing: Option<Digest>,
    /// The review policy that was in force.
    pub policy: Option<Digest>,
    pub decision: Option<Decision>,
    /// In whose name it was suspended.
    pub authority: Option<Authority>,
    pub reason: Option<Sealed>,
}

impl Explanation {
    /// The same of a version whose archive is not there any more, which only the blobs can tell.
    #[must_use]
    pub fn without_content(mut self) -> Self {
        self.reasons.push(Reason::ContentRemoved);
        self
    }
}

/// Explains the version out of the events of its app's stream, from the first to any moment. `None` if there was no such
/// version.
///
/// # Errors
///
/// [`ViewError::Undecodable`] at an event this program does not know.
pub fn of(id: AppId, events: &[Recorded], number: &VersionNumber) -> Result<Option<Explanation>, ViewError> {
    let mut steps = vec![];
    let mut dossier: Option<Dossier> = None;
    let mut standing: Option<Standing> = None;
    for recorded in events {
        let fact = Fact::decode(recorded)?;
        let DomainEvent::App(event) = &fact.event else {
            continue;
        };
        dossier = Dossier::record(dossier, id, event, &fact);
        let now = dossier.as_ref().and_then(|dossier| Standing::of(dossier, number));
        if let Some(now) = &now
            && (standing.as_ref() != Some(now) || concerns(event, number))
        {
            steps.push(Step::of(&fact, event, number, standing.as_ref(), now));
        }
        standing = now;
    }
    let Some((dossier, standing)) = dossier.zip(standing) else {
        return Ok(None);
    };
    let Some((version, _)) = dossier.version(number) else {
        return Ok(None);
    };
    Ok(Some(Explanation {
        app: id,
        number: number.clone(),
        stage: standing.stage,
        package: version.package.digest,
        is_in_store: standing.is_in_store(),
        reasons: standing.reasons,
        steps,
    }))
}

/// Whether an event is about the version, or about its app as a whole.
fn concerns(event: &Event, number: &VersionNumber) -> bool {
    match event {
        Event::Suspended { version: None, .. } | Event::Resumed { version: None } | Event::AppDeleted {} => true,
        event => event.version() == Some(number),
    }
}

impl Step {
    fn of(fact: &Fact, event: &Event, number: &VersionNumber, before: Option<&Standing>, after: &Standing) -> Self {
        Self {
            position: fact.position,
            at: fact.stamp.at,
            actor: fact.stamp.by,
            event: fact.name.clone(),
            words: words::of(event, number, before, after),
            before: before.map(|standing| standing.stage),
            after: after.stage,
            was_in_store: before.is_some_and(Standing::is_in_store),
            is_in_store: after.is_in_store(),
            facts: Facts::of(event),
        }
    }
}

impl Facts {
    fn of(event: &Event) -> Self {
        let mut facts = Self {
            submission: event.submission(),
            ..Self::default()
        };
        match event {
            Event::VersionUploaded { package, .. } | Event::PackageReplaced { package, .. } => {
                facts.package = Some(package.digest);
            }
            Event::VersionSubmitted {
                digest,
                listing,
                policy,
                ..
            } => {
                (facts.package, facts.listing, facts.policy) = (Some(*digest), Some(*listing), Some(*policy));
            }
            Event::ApprovalGiven { digest, listing, .. } | Event::VersionApproved { digest, listing, .. } => {
                (facts.package, facts.listing) = (Some(*digest), Some(*listing));
                facts.decision = Some(Decision::Approved);
            }
            Event::VersionRejected {
                digest,
                listing,
                reason,
                ..
            } => {
                (facts.package, facts.listing) = (Some(*digest), Some(*listing));
                facts.decision = Some(Decision::Rejected);
                facts.reason = Some(reason.clone());
            }
            Event::PublishedToStore { digest, listing, .. } => {
                (facts.package, facts.listing) = (Some(*digest), Some(*listing));
            }
            Event::ListingEdited { listing } | Event::IconSet { listing, .. } => facts.listing = Some(*listing),
            Event::Suspended { authority, reason, .. } => {
                (facts.authority, facts.reason) = (Some(*authority), reason.clone());
            }
            Event::AppUploaded { .. }
            | Event::CategoryAssigned { .. }
            | Event::VersionWithdrawn { .. }
            | Event::ReviewStarted { .. }
            | Event::ReviewReleased { .. }
            | Event::ListingSubmitted { .. }
            | Event::ListingWithdrawn { .. }
            | Event::ListingReviewStarted { .. }
            | Event::ListingReviewReleased { .. }
            | Event::ListingApprovalGiven { .. }
            | Event::ListingApproved { .. }
            | Event::ListingRejected { .. }
            | Event::Resumed { .. }
            | Event::AppMoved { .. }
            | Event::VersionDeleted { .. }
            | Event::AppDeleted {} => {}
        }
        facts
    }
}
