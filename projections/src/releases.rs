//! Releases: what is wanted, what was observed, every revision and every attempt.

mod apply;

use domain::{
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId, ReleaseId, WorkspaceId},
    names::ReleaseName,
    release::{self, Deployment, FailureReason, Operation, OperationKind},
    version_number::VersionNumber,
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

pub(crate) use self::apply::apply;
pub use crate::moment::Mark;
use crate::{
    error::ViewError,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE release (
    id          BLOB NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    project     BLOB NOT NULL,
    workspace   BLOB,
    app         BLOB NOT NULL,
    in_flight   INTEGER NOT NULL,
    uninstalled INTEGER NOT NULL,
    row         TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX release_of_project ON release (project, created);
CREATE INDEX release_of_workspace ON release (workspace, created);
CREATE INDEX release_of_app ON release (app, created);
CREATE INDEX release_in_flight ON release (created) WHERE in_flight;

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
        select: "SELECT created, row FROM release",
        column: "created",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, sql::json)
}

/// The releases with an operation under way, the oldest first.
pub fn in_flight(conn: &Connection) -> Result<Vec<Release>, ViewError> {
    Ok(sql::rows(
        conn,
        "SELECT row FROM release WHERE in_flight ORDER BY created",
        vec![],
        sql::json,
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
    list.page(conn, conditions, page, sql::json)
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
    list.page(conn, conditions, page, sql::json)
}

/// An attempt by its id.
pub fn attempt(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT row FROM release_attempt WHERE attempt = ?",
        values![id],
        sql::json,
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
