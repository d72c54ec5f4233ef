//! One event of an app, with what the views showed of the app before it, and the rows that such events change.

use std::collections::BTreeMap;

use domain::{app::Event, version_number::VersionNumber};

use crate::{
    apps::{App, Version},
    dossier::Dossier,
    fact::Fact,
    moment::Changes,
    reviews::QueueEntry,
    sql::Bound,
    storefront,
};

pub(crate) struct Change<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) event: &'a Event,
    pub(crate) before: Before,
    pub(crate) after: &'a Dossier,
}

/// The rows that an app had before an event, as far as the event may change them. A dossier is as large as the app's
/// life; these are made of it before it moves on, so that it need not be copied.
#[derive(Default)]
pub(crate) struct Before {
    pub(crate) app: Option<App>,
    pub(crate) listing: Option<QueueEntry>,
    pub(crate) entry: Option<storefront::Row>,
    versions: BTreeMap<VersionNumber, BeforeVersion>,
}

#[derive(Default)]
struct BeforeVersion {
    row: Option<Version>,
    queued: Option<QueueEntry>,
}

impl Before {
    pub(crate) fn of(dossier: &Dossier, event: &Event) -> Self {
        let version = |number: &VersionNumber| {
            let version = BeforeVersion {
                row: Version::of(dossier, number),
                queued: QueueEntry::of_version(dossier, number),
            };
            (number.clone(), version)
        };
        Self {
            app: Some(App::of(dossier)),
            listing: QueueEntry::of_listing(dossier),
            entry: storefront::Row::of(dossier),
            versions: touched(dossier, event).into_iter().map(version).collect(),
        }
    }

    pub(crate) fn version(&self, number: &VersionNumber) -> Option<&Version> {
        self.versions.get(number)?.row.as_ref()
    }

    pub(crate) fn queued(&self, number: &VersionNumber) -> Option<&QueueEntry> {
        self.versions.get(number)?.queued.as_ref()
    }
}

/// What a batch does to the tables whose rows follow from dossiers alone.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) apps: Changes<App>,
    pub(crate) versions: Changes<Version>,
    pub(crate) queue: Changes<QueueEntry>,
}

impl Rows {
    /// What writes the rows that became past since it was last taken.
    pub(crate) fn take_past(&mut self) -> Vec<Bound> {
        let mut taken = self.versions.take_past();
        taken.extend(self.apps.take_past());
        taken.extend(self.queue.take_past());
        taken
    }

    /// What writes all of them.
    pub(crate) fn take(&mut self) -> Vec<Bound> {
        let mut taken = self.apps.take();
        taken.extend(self.versions.take());
        taken.extend(self.queue.take());
        taken
    }
}

impl Change<'_> {
    /// The versions whose rows may have changed.
    pub(crate) fn touched(&self) -> Vec<&VersionNumber> {
        touched(self.after, self.event)
    }
}

fn touched<'a>(dossier: &'a Dossier, event: &'a Event) -> Vec<&'a VersionNumber> {
    match event.version() {
        Some(number) => vec![number],
        // An edit of the listing, among others, moves versions that it does not name.
        None => dossier.app.versions.keys().collect(),
    }
}
