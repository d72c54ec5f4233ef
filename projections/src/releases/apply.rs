//! From a release's events to its rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    decider::Decider,
    ids::{AttemptId, ReleaseId},
    release::{self, Event},
};
use rusqlite::{Transaction, types::Value};

use super::{Attempt, Ended, Outcome, Release, Revision};
use crate::{
    error::ViewError,
    fact::Fact,
    moment::Mark,
    sql::{self, Json, values},
    tenancy,
};

/// Releases that something happened to lately, so that what follows soon need not read them. However often one changes within
/// a batch, it is written once.
#[derive(Default)]
pub(crate) struct LatestReleases {
    releases: HashMap<ReleaseId, Release>,
    /// Those that are not written yet, and their attempts.
    changed: BTreeSet<ReleaseId>,
    attempts: BTreeMap<AttemptId, Attempt>,
}

const LATEST_MAX: usize = 1_000;

impl LatestReleases {
    fn take(&mut self, tx: &Transaction<'_>, id: ReleaseId) -> rusqlite::Result<Option<Release>> {
        match self.releases.remove(&id) {
            Some(release) => Ok(Some(release)),
            None => super::row(tx, id),
        }
    }

    fn put(&mut self, release: Release) -> &Release {
        self.changed.insert(release.id);
        self.releases.entry(release.id).insert_entry(release).into_mut()
    }

    pub(crate) fn write(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let changed = std::mem::take(&mut self.changed);
        for release in changed.iter().filter_map(|id| self.releases.get(id)) {
            sql::execute(tx, PUT_RELEASE, release_values(release))?;
        }
        for attempt in std::mem::take(&mut self.attempts).values() {
            sql::execute(tx, PUT_ATTEMPT, attempt_values(attempt))?;
        }
        if self.releases.len() > LATEST_MAX {
            self.releases.clear();
        }
        Ok(())
    }
}

/// Answers with the release after the event.
pub(crate) fn apply<'a>(
    tx: &Transaction<'_>,
    fact: &Fact,
    event: &Event,
    latest: &'a mut LatestReleases,
) -> Result<Option<&'a Release>, ViewError> {
    let id: ReleaseId = fact.subject()?;
    let before = latest.take(tx, id)?;
    let Some(after) = Release::after(tx, id, before.as_ref(), event, fact)? else {
        return Ok(None);
    };
    record_attempt(tx, id, fact.mark(), event, &mut latest.attempts)?;
    record_revision(tx, fact.mark(), &after, event)?;
    Ok(Some(latest.put(after)))
}

const PUT_RELEASE: &str = "
INSERT INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
workspace = excluded.workspace, wanted = excluded.wanted, observed = excluded.observed,
in_flight = excluded.in_flight, uninstalled = excluded.uninstalled, row = excluded.row";

fn release_values(release: &Release) -> Vec<Value> {
    let Release {
        id,
        project,
        workspace,
        app,
        uninstalled,
        ..
    } = *release;
    let in_flight = release.operation.is_some();
    values![
        id,
        release.installed.position,
        project,
        workspace,
        app,
        release.wanted.version,
        release.observed.as_ref().map(|runs| runs.version.clone()),
        in_flight,
        uninstalled,
        Json(release)
    ]
}

const PUT_ATTEMPT: &str = "
INSERT INTO release_attempt VALUES (?, ?, ?, ?)
ON CONFLICT (release, started) DO UPDATE SET attempt = excluded.attempt, row = excluded.row";

fn attempt_values(row: &Attempt) -> Vec<Value> {
    values![row.release, row.started.position, row.id, Json(row)]
}

fn record_attempt(
    tx: &Transaction<'_>,
    release: ReleaseId,
    mark: Mark,
    event: &Event,
    attempts: &mut BTreeMap<AttemptId, Attempt>,
) -> rusqlite::Result<()> {
    if let Event::OperationStarted {
        operation,
        attempt,
        worker,
    } = event
    {
        let row = Attempt {
            id: *attempt,
            release,
            operation: *operation,
            worker: *worker,
            started: mark,
            ended: None,
        };
        attempts.insert(*attempt, row);
        return Ok(());
    }
    let Some((attempt, ended)) = ended(mark, event) else {
        return Ok(());
    };
    let sql = "SELECT row FROM release_attempt WHERE attempt = ?";
    let started = match attempts.remove(&attempt) {
        Some(row) => Some(row),
        None => sql::first(tx, sql, values![attempt], sql::json::<Attempt>)?,
    };
    let ended = Some(ended);
    attempts.extend(started.map(|row| (attempt, Attempt { ended, ..row })));
    Ok(())
}

/// The attempt that an event ends, and how.
fn ended(mark: Mark, event: &Event) -> Option<(AttemptId, Ended)> {
    let (attempt, outcome, output, manifest, remains) = match event {
        Event::ReleaseInstalled {
            attempt,
            manifest,
            output,
            ..
        }
        | Event::ReleaseUpgraded {
            attempt,
            manifest,
            output,
            ..
        } => (*attempt, Outcome::Succeeded, output, Some(manifest), None),
        Event::ReleaseUninstalled {
            attempt,
            output,
            remains,
        } => (*attempt, Outcome::Succeeded, output, None, remains.as_ref()),
        Event::OperationFailed {
            attempt,
            reason,
            output,
            ..
        } => (*attempt, Outcome::Failed(*reason), output, None, None),
        Event::OperationCancelled { attempt, output, .. } => {
            ((*attempt)?, Outcome::Cancelled, output.as_ref()?, None, None)
        }
        Event::InstallRequested { .. }
        | Event::UpgradeRequested { .. }
        | Event::RollbackRequested { .. }
        | Event::UninstallRequested { .. }
        | Event::RetryRequested { .. }
        | Event::CancellationRequested {}
        | Event::OperationStarted { .. } => return None,
    };
    let ended = Ended {
        mark,
        outcome,
        output: output.clone(),
        manifest: manifest.cloned(),
        remains: remains.cloned(),
    };
    Some((attempt, ended))
}

fn record_revision(tx: &Transaction<'_>, observed: Mark, after: &Release, event: &Event) -> rusqlite::Result<()> {
    let (attempt, manifest) = match event {
        Event::ReleaseInstalled { attempt, manifest, .. } | Event::ReleaseUpgraded { attempt, manifest, .. } => {
            (*attempt, manifest.clone())
        }
        Event::InstallRequested { .. }
        | Event::UpgradeRequested { .. }
        | Event::RollbackRequested { .. }
        | Event::UninstallRequested { .. }
        | Event::RetryRequested { .. }
        | Event::CancellationRequested {}
        | Event::OperationStarted { .. }
        | Event::ReleaseUninstalled { .. }
        | Event::OperationFailed { .. }
        | Event::OperationCancelled { .. } => return Ok(()),
    };
    let row = Revision {
        revision: after.revision,
        cause: after.cause,
        deployment: after.wanted.clone(),
        manifest,
        attempt,
        requested: after.requested,
        observed,
    };
    let values = values![after.id, after.revision, Json(&row)];
    sql::execute(tx, "INSERT OR REPLACE INTO release_revision VALUES (?, ?, ?)", values).map(drop)
}

impl Release {
    /// What the release's own aggregate makes of the event. It starts with no revisions here, so it has those that this
    /// event added.
    fn after(
        tx: &Transaction<'_>,
        id: ReleaseId,
        before: Option<&Self>,
        event: &Event,
        fact: &Fact,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(state) = release::Release::evolve(before.map(Self::state), event, fact.stamp) else {
            return Ok(None);
        };
        let mark = fact.mark();
        let asked = match event {
            Event::InstallRequested { .. } | Event::UpgradeRequested { .. } | Event::RollbackRequested { .. } => None,
            Event::UninstallRequested { .. }
            | Event::RetryRequested { .. }
            | Event::CancellationRequested {}
            | Event::OperationStarted { .. }
            | Event::ReleaseInstalled { .. }
            | Event::ReleaseUpgraded { .. }
            | Event::ReleaseUninstalled { .. }
            | Event::OperationFailed { .. }
            | Event::OperationCancelled { .. } => before.map(|before| before.requested),
        };
        Ok(Some(Self {
            id,
            revision: before.map_or(0, |before| before.revision) + state.revision(),
            app: state.app,
            project: state.project,
            workspace: tenancy::workspace_of(tx, state.project)?,
            name: state.name,
            wanted: state.wanted,
            cause: state.cause,
            observed: state.observed,
            operation: state.operation,
            failure: state.failure,
            uninstalled: state.uninstalled,
            installed: before.map_or(mark, |before| before.installed),
            requested: asked.unwrap_or(mark),
            updated: mark,
        }))
    }
}
