//! Dossiers of the apps that something happened to lately.

use domain::ids::AppId;
use lru::LruCache;

use crate::dossier::Dossier;

/// Apps and versions that stay in memory, each of about two kilobytes. Dossiers of other apps are read from their streams
/// when something happens to them.
const WEIGHT_MAX: usize = 20_000;

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
