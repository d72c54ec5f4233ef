//! Releases: what is wanted, what was observed, every revision and every attempt.

mod apply;

use std::{collections::HashMap, hash::Hash};

use domain::{
    digest::Sealed,
    ids::{AppId, AttemptId, ProjectId, ReleaseId, WorkerId, WorkspaceId},
    names::ReleaseName,
    release::{self, Cause, Deployment, Failure, FailureReason, Operation, OperationKind},
    version_number::VersionNumber,
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub(crate) use self::apply::{LatestReleases, apply};
pub use crate::moment::Mark;
use crate::{
    error::ViewError,
    lookup::{self, Children, Lookup},
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
    wanted      TEXT NOT NULL,
    observed    TEXT,
    in_flight   INTEGER NOT NULL,
    uninstalled INTEGER NOT NULL,
    row         TEXT NOT NULL
);
CREATE INDEX release_of_project ON release (project, created);
CREATE INDEX release_of_workspace ON release (workspace, created);
CREATE INDEX release_of_app ON release (app, created);
CREATE INDEX release_in_flight ON release (created) WHERE in_flight;

CREATE TABLE release_revision (
    release  BLOB NOT NULL,
    revision INTEGER NOT NULL,
    row      TEXT NOT NULL,
    PRIMARY KEY (release, revision)
);

CREATE TABLE release_attempt (
    release BLOB NOT NULL,
    started INTEGER NOT NULL,
    attempt BLOB NOT NULL UNIQUE,
    row     TEXT NOT NULL,
    PRIMARY KEY (release, started)
);
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
    /// Why what is wanted is wanted.
    pub cause: Cause,
    pub observed: Option<Deployment>,
    /// How often what runs was changed: 1 after the install.
    pub revision: u64,
    /// The operation under way.
    pub operation: Option<Operation>,
    /// How the last operation ended, if without its result and nothing happened since.
    pub failure: Option<Failure>,
    pub uninstalled: bool,
    /// When the install was asked for.
    pub installed: Mark,
    /// When what is wanted was asked for.
    pub requested: Mark,
    pub updated: Mark,
}

/// One state of what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub revision: u64,
    pub cause: Cause,
    pub deployment: Deployment,
    pub manifest: Sealed,
    pub attempt: AttemptId,
    /// When it was asked for, and by whom.
    pub requested: Mark,
    /// When it was observed.
    pub observed: Mark,
}

/// One run of Helm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub id: AttemptId,
    pub release: ReleaseId,
    pub operation: OperationKind,
    /// Who makes it; `None` if that was not recorded yet.
    pub worker: Option<WorkerId>,
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
    /// What a forced removal had to leave behind.
    pub remains: Option<Sealed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeeded,
    Failed(FailureReason),
    Cancelled,
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

    /// The release as its aggregate knows it, but for what ran before: that has rows of its own.
    fn state(&self) -> release::Release {
        release::Release {
            app: self.app,
            project: self.project,
            name: self.name.clone(),
            wanted: self.wanted.clone(),
            cause: self.cause,
            observed: self.observed.clone(),
            revisions: vec![],
            operation: self.operation,
            failure: self.failure,
            uninstalled: self.uninstalled,
        }
    }
}

/// A release by its id, also if it is uninstalled.
pub fn release(conn: &Connection, id: ReleaseId) -> Result<Option<Release>, ViewError> {
    Ok(row(conn, id)?)
}

impl Lookup for ReleaseId {
    type Row = Release;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Release>, ViewError> {
        let row = sql::json::<Release>;
        lookup::by_id(conn, "SELECT row FROM release WHERE id", ids, row, |release| release.id)
    }
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

/// The releases of an app, or of one version of it, that are not uninstalled: those that run it, and those that are
/// being brought to it. The newest first.
pub fn running(
    conn: &Connection,
    app: AppId,
    version: Option<&VersionNumber>,
    page: &PageRequest,
) -> Result<Page<Release>, ViewError> {
    let list = List {
        select: "SELECT created, row FROM release",
        column: "created",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, that_run(app, version), page, sql::json)
}

/// How many there are of [`running`].
pub fn count_running(conn: &Connection, app: AppId, version: Option<&VersionNumber>) -> Result<u64, ViewError> {
    let (sql, values) = that_run(app, version).statement("SELECT count(*) FROM release");
    Ok(sql::first(conn, &sql, values, sql::value)?.unwrap_or(0))
}

fn that_run(app: AppId, version: Option<&VersionNumber>) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.add("app = ?", values![app]);
    conditions.add("NOT uninstalled", vec![]);
    if let Some(version) = version {
        conditions.add(
            "(observed = ? OR wanted = ?)",
            values![version.clone(), version.clone()],
        );
    }
    conditions
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

/// A revision by its number.
pub fn revision(conn: &Connection, release: ReleaseId, revision: u64) -> Result<Option<Revision>, ViewError> {
    let sql = "SELECT row FROM release_revision WHERE release = ? AND revision = ?";
    Ok(sql::first(conn, sql, values![release, revision], sql::json)?)
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

/// A page of the [`revisions`] of a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RevisionsOf(pub ReleaseId, pub PageRequest);

/// A page of the [`attempts`] of a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttemptsOf(pub ReleaseId, pub PageRequest);

impl Lookup for RevisionsOf {
    type Row = Page<Revision>;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, Page<Revision>>, ViewError> {
        of_releases(conn, "release_revision", "revision", keys, |key| (key.0, &key.1), Self)
    }
}

impl Lookup for AttemptsOf {
    type Row = Page<Attempt>;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, Page<Attempt>>, ViewError> {
        of_releases(conn, "release_attempt", "started", keys, |key| (key.0, &key.1), Self)
    }
}

fn of_releases<K: Eq + Hash, R: DeserializeOwned>(
    conn: &Connection,
    table: &'static str,
    key: &'static str,
    keys: &[K],
    parts: impl Fn(&K) -> (ReleaseId, &PageRequest),
    whole: impl Fn(ReleaseId, PageRequest) -> K,
) -> Result<HashMap<K, Page<R>>, ViewError> {
    let children = Children {
        table,
        parent: "release",
        key,
        kind: KeyKind::Position,
    };
    let mut alike: HashMap<_, Vec<ReleaseId>> = HashMap::new();
    for (release, page) in keys.iter().map(parts) {
        alike.entry(page).or_default().push(release);
    }
    let mut found = HashMap::new();
    for (page, releases) in alike {
        let pages = children.pages(conn, &releases, "true", page)?;
        found.extend(
            pages
                .into_iter()
                .map(|(release, rows)| (whole(release, page.clone()), rows)),
        );
    }
    Ok(found)
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
