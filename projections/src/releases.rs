//! Releases: what is wanted, what was observed, every revision and every attempt.

use domain::{
    decider::Decider,
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId, ReleaseId, WorkspaceId},
    names::ReleaseName,
    release::{self, Deployment, Event, FailureReason, Operation, OperationKind},
    version_number::VersionNumber,
};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

pub use crate::moment::Mark;
use crate::{
    error::ViewError,
    fact::Fact,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, Json, values},
    tenancy,
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE release (
    id        BLOB NOT NULL PRIMARY KEY,
    requested INTEGER NOT NULL,
    project   BLOB NOT NULL,
    workspace BLOB,
    app       BLOB NOT NULL,
    in_flight INTEGER NOT NULL,
    uninstalled INTEGER NOT NULL,
    row       TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX release_of_project ON release (project, requested);
CREATE INDEX release_of_workspace ON release (workspace, requested);
CREATE INDEX release_of_app ON release (app, requested);
CREATE INDEX release_in_flight ON release (requested) WHERE in_flight;

CREATE TABLE release_revision (
    release  BLOB NOT NULL,
    revision INTEGER NOT NULL,
    row      TEXT NOT NULL,
    PRIMARY KEY (release, revision)
) WITHOUT ROWID;

CREATE TABLE release_attempt (
    release BLOB NOT NULL,
    started INTEGER NOT NULL,
    attempt BLOB NOT NULL UNIQUE,
    row     TEXT NOT NULL,
    PRIMARY KEY (release, started)
) WITHOUT ROWID;
";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub id: ReleaseId,
    pub app: AppId,
    pub project: ProjectId,
    /// The project's; `None` if nobody created the project.
    pub workspace: Option<WorkspaceId>,
    pub name: ReleaseName,
    pub wanted: Deployment,
    pub observed: Option<Deployment>,
    /// How often what runs was changed: 1 after the install.
    pub revision: u64,
    pub operation: Option<InFlight>,
    /// The operation that failed last, if nothing happened since.
    pub failed: Option<OperationKind>,
    pub uninstalled: bool,
    /// When the install was asked for.
    pub installed: Mark,
    /// When what is wanted was asked for.
    pub requested: Mark,
    pub updated: Mark,
}

/// The operation under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    pub kind: OperationKind,
    /// `None` until a worker has taken it up.
    pub attempt: Option<AttemptId>,
}

/// One state of what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub revision: u64,
    pub cause: Cause,
    pub version: VersionNumber,
    pub digest: Digest,
    pub values: Option<Sealed>,
    pub manifest: Sealed,
    pub attempt: AttemptId,
    /// When it was asked for, and by whom.
    pub requested: Mark,
    /// When it was observed.
    pub observed: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Install,
    /// Another package.
    Upgrade,
    /// The same package with other values.
    Reconfigure,
}

/// One run of Helm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub id: AttemptId,
    pub release: ReleaseId,
    pub operation: OperationKind,
    pub started: Mark,
    /// `None` while it runs, and for ever if another attempt took its place.
    pub ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub mark: Mark,
    pub outcome: Outcome,
    /// All that Helm said.
    pub output: Sealed,
    /// What it rendered, if it succeeded.
    pub manifest: Option<Sealed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeeded,
    Failed(FailureReason),
}

/// Whose releases to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Project(ProjectId),
    Workspace(WorkspaceId),
    App(AppId),
}

impl Release {
    /// The release as people speak of it.
    #[must_use]
    pub fn status(&self) -> release::Status {
        self.state().status()
    }
}

/// A release by its id, also if it is uninstalled.
pub fn release(conn: &Connection, id: ReleaseId) -> Result<Option<Release>, ViewError> {
    Ok(row(conn, id)?)
}

/// The releases of `of` that are not uninstalled, the newest first.
pub fn list(conn: &Connection, of: Of, page: &PageRequest) -> Result<Page<Release>, ViewError> {
    let mut conditions = Conditions::default();
    match of {
        Of::Project(project) => conditions.add("project = ?", values![project]),
        Of::Workspace(workspace) => conditions.add("workspace = ?", values![workspace]),
        Of::App(app) => conditions.add("app = ?", values![app]),
    }
    conditions.add("NOT uninstalled", vec![]);
    let list = List {
        select: "SELECT requested, row FROM release",
        column: "requested",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, Columns::json)
}

/// The releases with an operation under way, the oldest first.
pub fn in_flight(conn: &Connection) -> Result<Vec<Release>, ViewError> {
    Ok(sql::rows(
        conn,
        "SELECT row FROM release WHERE in_flight ORDER BY requested",
        vec![],
        Columns::json,
    )?)
}

/// What ran, the newest first.
pub fn revisions(conn: &Connection, release: ReleaseId, page: &PageRequest) -> Result<Page<Revision>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("release = ?", values![release]);
    let list = List {
        select: "SELECT revision, row FROM release_revision",
        column: "revision",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, Columns::json)
}

/// What was tried, the newest first.
pub fn attempts(conn: &Connection, release: ReleaseId, page: &PageRequest) -> Result<Page<Attempt>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("release = ?", values![release]);
    let list = List {
        select: "SELECT started, row FROM release_attempt",
        column: "started",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, Columns::json)
}

pub fn attempt(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT row FROM release_attempt WHERE attempt = ?",
        values![id],
        Columns::json,
    )?)
}

pub(crate) fn row(conn: &Connection, id: ReleaseId) -> rusqlite::Result<Option<Release>> {
    sql::first(
        conn,
        "SELECT row FROM release WHERE id = ?",
        values![id],
        |c: &mut Columns<'_, '_>| c.json(),
    )
}

/// Answers with the release after the event.
pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<Option<Release>, ViewError> {
    let id: ReleaseId = fact.subject()?;
    let before = row(tx, id)?;
    let Some(after) = Release::after(tx, id, before.as_ref(), event, fact)? else {
        return Ok(None);
    };
    let mut values = values![id, after.installed.position, after.project, after.workspace, after.app];
    values.extend(values![after.operation.is_some(), after.uninstalled]);
    values.push(Json(&after).to_value());
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
    let started = sql::first(tx, sql, values![*attempt], |c| c.json::<Attempt>())?;
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
    let mut values = values![row.release, row.started.position, row.id];
    values.push(Json(row).to_value());
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
    let mut values = values![after.id, revision];
    values.push(Json(&row).to_value());
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

    fn state(&self) -> release::Release {
        release::Release {
            app: self.app,
            project: self.project,
            name: self.name.clone(),
            wanted: self.wanted.clone(),
            observed: self.observed.clone(),
            revision: self.revision,
            operation: self
                .operation
                .map(|InFlight { kind, attempt }| Operation { kind, attempt }),
            failed: self.failed,
            uninstalled: self.uninstalled,
        }
    }
}
