//! The versions of an app, and how many of them stand where.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use super::{Stage, Version};
use crate::{access::StageVisibility, version_number::VersionNumber};

/// Read as the map that it is. Where an app stands is asked after every event, and an app may have hundreds of versions: so
/// they are counted as they change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// Shared by copies of the app: one event changes one of many.
    by_number: BTreeMap<VersionNumber, Arc<Version>>,
    pub(super) standing: Standing,
}

/// How many versions stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    pub(super) published: usize,
    pub(super) suspended: usize,
    /// Whatever others than their owners may know of.
    pub(super) handed_in: usize,
}

impl Deref for Versions {
    type Target = BTreeMap<VersionNumber, Arc<Version>>;

    fn deref(&self) -> &Self::Target {
        &self.by_number
    }
}

impl Versions {
    pub(super) fn insert(&mut self, number: VersionNumber, version: Version) {
        self.remove(&number);
        self.standing.count(&version.stage, |count| *count += 1);
        self.by_number.insert(number, Arc::new(version));
    }

    pub(super) fn remove(&mut self, number: &VersionNumber) -> Option<Arc<Version>> {
        let removed = self.by_number.remove(number)?;
        self.standing.count(&removed.stage, |count| *count -= 1);
        Some(removed)
    }

    /// Changes a version, if there is one of this number.
    pub(super) fn change(&mut self, number: &VersionNumber, change: impl FnOnce(&mut Version)) {
        if let Some(version) = self.by_number.get_mut(number).map(Arc::make_mut) {
            self.standing.count(&version.stage, |count| *count -= 1);
            change(version);
            self.standing.count(&version.stage, |count| *count += 1);
        }
    }

    /// Moves all that stand at some stages to another.
    pub(super) fn move_all(&mut self, which: impl Fn(&Stage) -> bool, stage: &Stage) {
        for version in self.by_number.values_mut().filter(|version| which(&version.stage)) {
            self.standing.count(&version.stage, |count| *count -= 1);
            Arc::make_mut(version).stage = stage.clone();
            self.standing.count(stage, |count| *count += 1);
        }
    }
}

impl Standing {
    /// Changes the counts of versions that stand here.
    fn count(&mut self, stage: &Stage, change: impl Fn(&mut usize)) {
        match stage {
            Stage::Published { .. } => change(&mut self.published),
            Stage::Suspended { .. } => change(&mut self.suspended),
            Stage::Draft {}
            | Stage::Submitted { .. }
            | Stage::InReview { .. }
            | Stage::Approved { .. }
            | Stage::Rejected { .. }
            | Stage::Deleted {} => {}
        }
        if stage.visibility() != StageVisibility::Own {
            change(&mut self.handed_in);
        }
    }
}
