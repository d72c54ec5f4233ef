//! From events of apps to rows, as far as those follow from the app's own past: without the view file, so that one batch
//! is folded while the one before it is written.

use std::collections::HashMap;

use domain::{
    app::Event,
    event::DomainEvent,
    ids::{AppId, WorkspaceId},
};

use crate::{
    apps,
    batch::Batch,
    change::{Before, Change, Rows},
    decisions::Circumstances,
    dossier::Dossier,
    dossiers::Dossiers,
    error::ViewError,
    fact::Fact,
    reviews,
    sql::Bound,
    storefront::Turn,
};

/// Folds batches that follow each other.
#[derive(Default)]
pub(crate) struct Folder {
    dossiers: Dossiers,
}

/// A batch, with a step for each of its events.
pub(crate) struct Folded {
    pub(crate) batch: Batch,
    pub(crate) steps: Vec<Step>,
}

#[derive(Default)]
pub(crate) struct Step {
    /// What an event of an app comes to; `None` of others, and where there is no app.
    pub(crate) app: Option<AppStep>,
    /// Writes the rows that follow from dossiers alone. Those of a whole batch wait in memory until it is written.
    pub(crate) rows: Vec<Bound>,
}

/// What the view file is needed for to make rows of it.
pub(crate) struct AppStep {
    pub(crate) workspace: WorkspaceId,
    pub(crate) turn: Option<Turn>,
    pub(crate) decided: Option<Circumstances>,
}

/// When rows are written that are live at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveRows {
    AtTheEnd,
    /// With every event that changes them, for whoever watches them change.
    OneByOne,
}

impl Folder {
    /// Apps that are not in memory, with how many of their events come before the batch.
    pub(crate) fn absent_apps(&self, batch: &Batch) -> Result<Vec<(AppId, u64)>, ViewError> {
        let mut absent = HashMap::new();
        for fact in &batch.facts {
            if let DomainEvent::App(_) = &fact.event {
                let id = fact.subject()?;
                if !self.dossiers.contains(id) {
                    absent.entry(id).or_insert(fact.revision - 1);
                }
            }
        }
        absent.retain(|_, events| *events > 0);
        Ok(absent.into_iter().collect())
    }

    /// Folds a batch, with the dossiers of the apps that were absent.
    pub(crate) fn fold(
        &mut self,
        batch: Batch,
        dossiers: Vec<Dossier>,
        live_rows: LiveRows,
    ) -> Result<Folded, ViewError> {
        for dossier in dossiers {
            self.dossiers.put(dossier);
        }
        let mut rows = Rows::default();
        let mut steps = Vec::with_capacity(batch.facts.len());
        for fact in &batch.facts {
            let mut step = Step::default();
            if let DomainEvent::App(event) = &fact.event {
                step.app = self.fold_app(fact, event, &mut rows)?;
                step.rows = match live_rows {
                    LiveRows::AtTheEnd => rows.take_past(),
                    LiveRows::OneByOne => rows.take(),
                };
            }
            steps.push(step);
        }
        if let Some(last) = steps.last_mut() {
            last.rows.extend(rows.take());
        }
        self.dossiers.trim();
        Ok(Folded { batch, steps })
    }

    fn fold_app(&mut self, fact: &Fact, event: &Event, rows: &mut Rows) -> Result<Option<AppStep>, ViewError> {
        let id = fact.subject()?;
        let dossier = self.dossiers.take(id);
        let before = dossier.as_ref().map(|dossier| Before::of(dossier, event));
        let Some(after) = Dossier::record(dossier, id, event, fact) else {
            return Ok(None);
        };
        let change = Change {
            fact,
            event,
            before: before.unwrap_or_default(),
            after: &after,
        };
        apps::fold(&change, rows);
        reviews::fold(&change, &mut rows.queue);
        let step = AppStep {
            workspace: after.app.workspace,
            turn: Turn::of(&change),
            decided: Circumstances::of(&change),
        };
        self.dossiers.put(after);
        Ok(Some(step))
    }
}
