//! An app as its own aggregate remembers it, with the marks that views show beside it.
//!
//! Rows about apps are functions of this, so the rules of an app's life are the domain's alone: which stage a version
//! is in, which one is the latest, whether the app is in the store.

use std::collections::BTreeMap;

use domain::{
    app::{self, App, Authority, Event},
    decider::Decider,
    digest::{Digest, Sealed},
    ids::{AppId, SubmissionId},
    version_number::VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::{fact::Fact, moment::Mark};

#[derive(Debug, Clone)]
pub(crate) struct Dossier {
    pub(crate) id: AppId,
    pub(crate) app: App,
    pub(crate) uploaded: Mark,
    /// When it first came into the store.
    pub(crate) first_published: Option<Mark>,
    /// The newest publication of a version that is still published. Kept, since the store's row asks for it after every
    /// event, and an app may have hundreds of versions.
    pub(crate) last_published: Option<Mark>,
    pub(crate) suspension: Option<Suspension>,
    pub(crate) listing_submitted: Option<Submitted>,
    /// In boxes: a map has room for nearly twice as many as are in it.
    pub(crate) versions: BTreeMap<VersionNumber, Box<Notes>>,
}

/// What a version's stage does not say.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    pub(crate) uploaded: Mark,
    pub(crate) updated: Mark,
    pub(crate) submitted: Option<Submitted>,
    pub(crate) decision: Option<Decided>,
    pub(crate) published: Option<Mark>,
    pub(crate) suspension: Option<Suspension>,
}

/// The last submission for review.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submitted {
    pub(crate) mark: Mark,
    /// The review policy it froze.
    pub(crate) policy: Digest,
}

/// Out of the store: in whose name, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub authority: Authority,
    pub reason: Option<Sealed>,
    pub mark: Mark,
}

/// How a review of a version ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub submission: SubmissionId,
    pub decision: Decision,
    /// Why it was rejected.
    pub reason: Option<Sealed>,
    /// `by` is the reviewer.
    pub mark: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Approved,
    Rejected,
}

impl Dossier {
    /// The dossier after one more event. `None` as long as there is no app.
    pub(crate) fn record(before: Option<Self>, id: AppId, event: &Event, fact: &Fact) -> Option<Self> {
        let mark = fact.mark();
        let Some(before) = before else {
            let app = App::evolve(None, event, fact.stamp)?;
            return Some(Self {
                id,
                app,
                uploaded: mark,
                first_published: None,
                last_published: None,
                suspension: None,
                listing_submitted: None,
                versions: BTreeMap::new(),
            });
        };
        let was_published = event
            .version()
            .is_some_and(|number| before.publication(number).is_some());
        let Self { app, .. } = before;
        let app = App::evolve(Some(app), event, fact.stamp)?;
        let mut dossier = Self { app, ..before };
        dossier.annotate(event, mark);
        let position = |mark: &Mark| mark.position;
        dossier.last_published = match event.version() {
            Some(_) if was_published => dossier.publications().max_by_key(position),
            Some(number) => {
                let marks = dossier.last_published.into_iter().chain(dossier.publication(number));
                marks.max_by_key(position)
            }
            None => dossier.last_published,
        };
        Some(dossier)
    }

    /// When a version was published, if it is.
    fn publication(&self, number: &VersionNumber) -> Option<Mark> {
        let (version, notes) = self.version(number)?;
        notes.published.filter(|_| version.stage.is_published())
    }

    fn publications(&self) -> impl Iterator<Item = Mark> {
        self.versions.keys().filter_map(|number| self.publication(number))
    }

    fn annotate(&mut self, event: &Event, mark: Mark) {
        if let Some(notes) = event.version().and_then(|number| self.versions.get_mut(number)) {
            notes.updated = mark;
        }
        match event {
            Event::VersionUploaded { version, .. } => {
                self.versions.insert(version.clone(), Box::new(Notes::uploaded(mark)));
            }
            Event::VersionSubmitted { version, policy, .. } => {
                let policy = *policy;
                self.note(version, |notes| notes.submitted = Some(Submitted { mark, policy }));
            }
            Event::VersionApproved {
                version, submission, ..
            } => {
                self.decide(version, *submission, Decision::Approved, None, mark);
            }
            Event::VersionRejected {
                version,
                submission,
                reason,
                ..
            } => {
                self.decide(version, *submission, Decision::Rejected, Some(reason.clone()), mark);
            }
            Event::PublishedToStore { version, .. } => {
                self.first_published.get_or_insert(mark);
                self.note(version, |notes| notes.published = Some(mark));
            }
            Event::ListingSubmitted { policy, .. } => {
                let policy = *policy;
                self.listing_submitted = Some(Submitted { mark, policy });
            }
            Event::Suspended {
                version,
                authority,
                reason,
            } => {
                let suspension = Suspension {
                    authority: *authority,
                    reason: reason.clone(),
                    mark,
                };
                self.suspend(version.as_ref(), Some(suspension));
            }
            Event::Resumed { version } => self.suspend(version.as_ref(), None),
            Event::AppUploaded { .. }
            | Event::PackageReplaced { .. }
            | Event::ListingEdited { .. }
            | Event::IconSet { .. }
            | Event::CategoryAssigned { .. }
            | Event::VersionWithdrawn { .. }
            | Event::ReviewStarted { .. }
            | Event::ReviewReleased { .. }
            | Event::ApprovalGiven { .. }
            | Event::ListingApprovalGiven { .. }
            | Event::ListingWithdrawn { .. }
            | Event::ListingReviewStarted { .. }
            | Event::ListingReviewReleased { .. }
            | Event::ListingApproved { .. }
            | Event::ListingRejected { .. }
            | Event::AppMoved { .. }
            | Event::VersionDeleted { .. }
            | Event::AppDeleted {} => {}
        }
    }

    fn note(&mut self, number: &VersionNumber, note: impl FnOnce(&mut Notes)) {
        if let Some(notes) = self.versions.get_mut(number) {
            note(notes);
        }
    }

    fn decide(
        &mut self,
        number: &VersionNumber,
        submission: SubmissionId,
        decision: Decision,
        reason: Option<Sealed>,
        mark: Mark,
    ) {
        self.note(number, |notes| {
            notes.decision = Some(Decided {
                submission,
                decision,
                reason,
                mark,
            });
        });
    }

    fn suspend(&mut self, number: Option<&VersionNumber>, suspension: Option<Suspension>) {
        match number {
            None => self.suspension = suspension,
            Some(number) => self.note(number, |notes| notes.suspension = suspension),
        }
    }

    /// A version with what is noted about it.
    pub(crate) fn version(&self, number: &VersionNumber) -> Option<(&app::Version, &Notes)> {
        Some((self.app.versions.get(number)?.as_ref(), self.versions.get(number)?))
    }
}

impl Notes {
    const fn uploaded(mark: Mark) -> Self {
        Self {
            uploaded: mark,
            updated: mark,
            submitted: None,
            decision: None,
            published: None,
            suspension: None,
        }
    }
}
