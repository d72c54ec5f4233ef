//! Dossiers of the apps that something happened to lately.

use domain::ids::AppId;
use lru::LruCache;

use crate::dossier::Dossier;

/// Apps and versions that stay in memory, each of about two kilobytes. Dossiers of other apps are read from their streams
/// when something happens to them, which takes milliseconds for an app with hundreds of versions.
const WEIGHT_MAX: usize = 50_000;

pub(crate) struct Dossiers {
    apps: LruCache<AppId, Dossier>,
    weight: usize,
}

impl Default for Dossiers {
    fn default() -> Self {
        Self {
            apps: LruCache::unbounded(),
            weight: 0,
        }
    }
}

impl Dossiers {
    pub(crate) fn contains(&self, id: AppId) -> bool {
        self.apps.contains(&id)
    }

    pub(crate) fn take(&mut self, id: AppId) -> Option<Dossier> {
        let dossier = self.apps.pop(&id)?;
        self.weight -= weight(&dossier);
        Some(dossier)
    }

    pub(crate) fn put(&mut self, dossier: Dossier) -> &Dossier {
        let id = dossier.id;
        self.take(id);
        self.weight += weight(&dossier);
        self.apps.get_or_insert(id, || dossier)
    }

    /// Lets go of those that nothing happened to for the longest time, until the rest is as small as it should be.
    pub(crate) fn trim(&mut self) {
        while self.weight > WEIGHT_MAX
            && let Some((_, dossier)) = self.apps.pop_lru()
        {
            self.weight -= weight(&dossier);
        }
    }
}

fn weight(dossier: &Dossier) -> usize {
    1 + dossier.versions.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use domain::{
        app::{App, Event},
        decider::{Decider as _, Stamp},
        digest::Digest,
        ids::{Actor, WorkspaceId},
    };
    use uuid::Uuid;

    use super::*;
    use crate::moment::Mark;

    const APPS_MAX: u128 = WEIGHT_MAX as u128;

    fn id(n: u128) -> AppId {
        AppId::from_uuid(Uuid::from_u128(n))
    }

    /// Of an app without versions, which weighs one.
    fn dossier(n: u128) -> Dossier {
        let at = DateTime::UNIX_EPOCH;
        let uploaded = Event::AppUploaded {
            workspace: WorkspaceId::from_uuid(Uuid::nil()),
            chart: "redis".parse().unwrap(),
            listing: Digest::from_bytes([1; 32]),
        };
        let stamp = Stamp { by: Actor::System, at };
        Dossier {
            id: id(n),
            app: App::evolve(None, &uploaded, stamp).unwrap(),
            uploaded: Mark {
                position: 0,
                at,
                by: None,
            },
            first_published: None,
            last_published: None,
            suspension: None,
            listing_submitted: None,
            versions: BTreeMap::new(),
        }
    }

    #[test]
    fn those_that_nothing_happened_to_for_the_longest_time_are_let_go() {
        let mut dossiers = Dossiers::default();
        for n in 0..APPS_MAX {
            dossiers.put(dossier(n));
        }
        dossiers.trim();
        assert!((0..APPS_MAX).all(|n| dossiers.contains(id(n))), "all of them fit");

        let touched = dossiers.take(id(0)).unwrap();
        dossiers.put(touched);
        for n in 0..2 {
            dossiers.put(dossier(APPS_MAX + n));
        }
        assert!(dossiers.contains(id(1)), "a batch is applied with all it needs");
        dossiers.trim();
        let gone: Vec<_> = (0..APPS_MAX + 2).filter(|n| !dossiers.contains(id(*n))).collect();
        assert_eq!(gone, [1, 2]);
    }

    #[test]
    fn what_is_put_twice_weighs_once() {
        let mut dossiers = Dossiers::default();
        for _ in 0..=WEIGHT_MAX {
            dossiers.put(dossier(1));
        }
        assert_eq!(dossiers.weight, 1);
        dossiers.take(id(1)).unwrap();
        assert_eq!(dossiers.weight, 0);
    }
}
