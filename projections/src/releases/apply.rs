//! From a release's events to its rows.

use domain::{
    decider::Decider,
    ids::ReleaseId,
    release::{self, Deployment, Event, Operation},
};
use rusqlite::Transaction;

use super::{Attempt, Cause, Ended, InFlight, Outcome, Release, Revision};
use crate::{
    error::ViewError,
    fact::Fact,
    moment::Mark,
    sql::{self, Json, values},
    tenancy,
};

/// Answers with the release after the event.
pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<Option<Release>, ViewError> {
    let id: ReleaseId = fact.subject()?;
    let before = super::row(tx, id)?;
    let Some(after) = Release::after(tx, id, before.as_ref(), event, fact)? else {
        return Ok(None);
    };
    let Release {
        project,
        workspace,
        app,
        uninstalled,
        ..
    } = after;
    let in_flight = after.operation.is_some();
    let values = values![
        id,
        after.installed.position,
        project,
        workspace,
        app,
        in_flight,
        uninstalled,
        Json(&after)
    ];
    sql::execute(
        tx,
        "INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )?;
    record_attempt(tx, id, fact.mark(), event)?;
    record_revision(tx, fact.mark(), before.as_ref(), &after, event)?;
    Ok(Some(after))
}

fn record_attempt(tx: &Transaction<'_>, release: ReleaseId, mark: Mark, event: &Event) -> rusqlite::Result<()> {
    let (attempt, outcome, output, manifest) = match event {
        Event::OperationStarted { operation, attempt } => {
            let row = Attempt {
                id: *attempt,
                release,
                operation: *operation,
                started: mark,
                ended: None,
            };
            return put_attempt(tx, &row);
        }
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
        } => (attempt, Outcome::Succeeded, output, Some(manifest)),
        Event::ReleaseUninstalled { attempt, output } => (attempt, Outcome::Succeeded, output, None),
        Event::OperationFailed {
            attempt,
            reason,
            output,
            ..
        } => (attempt, Outcome::Failed(*reason), output, None),
        Event::InstallRequested { .. } | Event::UpgradeRequested { .. } | Event::UninstallRequested {} => return Ok(()),
    };
    let sql = "SELECT row FROM release_attempt WHERE attempt = ?";
    let started = sql::first(tx, sql, values![*attempt], sql::json::<Attempt>)?;
    let ended = Ended {
        mark,
        outcome,
        output: output.clone(),
        manifest: manifest.cloned(),
    };
    started.map_or(Ok(()), |row| {
        put_attempt(
            tx,
            &Attempt {
                ended: Some(ended),
                ..row
            },
        )
    })
}

fn put_attempt(tx: &Transaction<'_>, row: &Attempt) -> rusqlite::Result<()> {
    let values = values![row.release, row.started.position, row.id, Json(row)];
    sql::execute(tx, "INSERT OR REPLACE INTO release_attempt VALUES (?, ?, ?, ?)", values).map(drop)
}

fn record_revision(
    tx: &Transaction<'_>,
    observed: Mark,
    before: Option<&Release>,
    after: &Release,
    event: &Event,
) -> rusqlite::Result<()> {
    let (attempt, manifest) = match event {
        Event::ReleaseInstalled { attempt, manifest, .. } | Event::ReleaseUpgraded { attempt, manifest, .. } => {
            (*attempt, manifest.clone())
        }
        Event::InstallRequested { .. }
        | Event::UpgradeRequested { .. }
        | Event::UninstallRequested {}
        | Event::OperationStarted { .. }
        | Event::ReleaseUninstalled { .. }
        | Event::OperationFailed { .. } => return Ok(()),
    };
    let Deployment {
        version,
        digest,
        values,
    } = after.wanted.clone();
    let ran = before.and_then(|before| before.observed.as_ref());
    let cause = match ran {
        None => Cause::Install,
        Some(ran) if ran.digest == digest => Cause::Reconfigure,
        Some(_) => Cause::Upgrade,
    };
    let requested = after.requested;
    let revision = after.revision;
    let row = Revision {
        revision,
        cause,
        version,
        digest,
        values,
        manifest,
        attempt,
        requested,
        observed,
    };
    let values = values![after.id, revision, Json(&row)];
    sql::execute(tx, "INSERT OR REPLACE INTO release_revision VALUES (?, ?, ?)", values).map(drop)
}

impl Release {
    /// What the release's own aggregate makes of the event.
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
            Event::InstallRequested { .. } | Event::UpgradeRequested { .. } => None,
            Event::UninstallRequested {}
            | Event::OperationStarted { .. }
            | Event::ReleaseInstalled { .. }
            | Event::ReleaseUpgraded { .. }
            | Event::ReleaseUninstalled { .. }
            | Event::OperationFailed { .. } => before.map(|before| before.requested),
        };
        Ok(Some(Self {
            id,
            app: state.app,
            project: state.project,
            workspace: tenancy::workspace_of(tx, state.project)?,
            name: state.name,
            wanted: state.wanted,
            observed: state.observed,
            revision: state.revision,
            operation: state
                .operation
                .map(|Operation { kind, attempt }| InFlight { kind, attempt }),
            failed: state.failed,
            uninstalled: state.uninstalled,
            installed: before.map_or(mark, |before| before.installed),
            requested: asked.unwrap_or(mark),
            updated: mark,
        }))
    }
}
