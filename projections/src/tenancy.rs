//! Workspaces, and their projects.

use std::collections::HashMap;

use domain::{
    digest::Sealed,
    ids::{ClusterId, ProjectId, WorkspaceId},
    names::{Namespace, ProjectName, WorkspaceName},
    project::{self, PreparationFailure},
    workspace,
};
use rusqlite::{Connection, Transaction, types::Value};

use crate::{
    error::ViewError,
    fact::Fact,
    lookup::{self, Lookup},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE workspace (
    id      BLOB NOT NULL PRIMARY KEY,
    name    TEXT NOT NULL,
    created INTEGER NOT NULL,
    closed  INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX workspace_by_name ON workspace (name) WHERE closed IS NULL;
CREATE TABLE project (
    id        BLOB NOT NULL PRIMARY KEY,
    workspace BLOB NOT NULL,
    name      TEXT NOT NULL,
    cluster   BLOB NOT NULL,
    namespace TEXT NOT NULL,
    created   INTEGER NOT NULL,
    status    TEXT NOT NULL,
    failure   TEXT,
    output    TEXT,
    UNIQUE (workspace, name)
) WITHOUT ROWID;
CREATE INDEX project_preparing ON project (id) WHERE status = 'preparing';
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: WorkspaceName,
    /// The position it was created at.
    pub created: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub workspace: WorkspaceId,
    pub name: ProjectName,
    pub cluster: ClusterId,
    pub namespace: Namespace,
    /// The position it was created at.
    pub created: u64,
    pub status: ProjectStatus,
}

/// Whether its namespace and its service account are on the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectStatus {
    Preparing,
    Ready,
    /// `output` is what the cluster said.
    Failed {
        reason: PreparationFailure,
        output: Sealed,
    },
}

const WORKSPACE: &str = "SELECT name, id, name, created FROM workspace";
const PROJECT: &str =
    "SELECT name, id, workspace, name, cluster, namespace, created, status, failure, output FROM project";

/// A workspace that is not closed.
pub fn workspace(conn: &Connection, id: WorkspaceId) -> Result<Option<Workspace>, ViewError> {
    one(
        conn,
        WORKSPACE,
        "id = ? AND closed IS NULL",
        values![id],
        Workspace::read,
    )
}

pub fn workspace_named(conn: &Connection, name: &WorkspaceName) -> Result<Option<Workspace>, ViewError> {
    one(
        conn,
        WORKSPACE,
        "name = ? AND closed IS NULL",
        values![*name],
        Workspace::read,
    )
}

impl Lookup for WorkspaceId {
    type Row = Workspace;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Workspace>, ViewError> {
        let select = format!("{WORKSPACE} WHERE closed IS NULL AND id");
        lookup::by_id(conn, &select, ids, after_key(Workspace::read), |workspace| workspace.id)
    }
}

impl Lookup for ProjectId {
    type Row = Project;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Project>, ViewError> {
        let select = format!("{PROJECT} WHERE id");
        lookup::by_id(conn, &select, ids, after_key(Project::read), |project| project.id)
    }
}

/// The key of a page comes first in the row.
pub(crate) fn after_key<R>(
    row: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<R>,
) -> impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<R> {
    move |columns| Ok(KeyKind::Text.keyed(columns, &row)?.row)
}

/// All workspaces that are not closed, by name.
pub fn workspaces(conn: &Connection, page: &PageRequest) -> Result<Page<Workspace>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("closed IS NULL", vec![]);
    by_name(WORKSPACE).page(conn, conditions, page, Workspace::read)
}

pub fn project(conn: &Connection, id: ProjectId) -> Result<Option<Project>, ViewError> {
    one(conn, PROJECT, "id = ?", values![id], Project::read)
}

pub fn project_named(
    conn: &Connection,
    workspace: WorkspaceId,
    name: &ProjectName,
) -> Result<Option<Project>, ViewError> {
    one(
        conn,
        PROJECT,
        "workspace = ? AND name = ?",
        values![workspace, *name],
        Project::read,
    )
}

/// The projects of a workspace, by name.
pub fn projects(conn: &Connection, workspace: WorkspaceId, page: &PageRequest) -> Result<Page<Project>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("workspace = ?", values![workspace]);
    by_name(PROJECT).page(conn, conditions, page, Project::read)
}

/// The projects whose namespace is being made, in the order of their ids.
pub fn preparing(conn: &Connection) -> Result<Vec<ProjectId>, ViewError> {
    let sql = "SELECT id FROM project WHERE status = 'preparing' ORDER BY id";
    Ok(sql::rows(conn, sql, vec![], sql::value)?)
}

pub(crate) fn workspace_of(conn: &Connection, project: ProjectId) -> rusqlite::Result<Option<WorkspaceId>> {
    sql::first(
        conn,
        "SELECT workspace FROM project WHERE id = ?",
        values![project],
        sql::value,
    )
}

/// Every project with its workspace.
pub(crate) fn project_workspaces(conn: &Connection) -> rusqlite::Result<Vec<(ProjectId, WorkspaceId)>> {
    sql::rows(conn, "SELECT id, workspace FROM project", vec![], |c| {
        Ok((c.take()?, c.take()?))
    })
}

pub(crate) fn closed_workspaces(conn: &Connection) -> rusqlite::Result<Vec<WorkspaceId>> {
    let sql = "SELECT id FROM workspace WHERE closed IS NOT NULL";
    sql::rows(conn, sql, vec![], sql::value)
}

pub(crate) const fn by_name(select: &str) -> List<'_> {
    List {
        select,
        column: "name",
        kind: KeyKind::Text,
        order: Order::Ascending,
    }
}

pub(crate) fn one<T>(
    conn: &Connection,
    select: &str,
    condition: &str,
    values: Vec<Value>,
    read: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, ViewError> {
    let keyed = |columns: &mut Columns<'_, '_>| KeyKind::Text.keyed(columns, &read);
    let found = sql::first(conn, &format!("{select} WHERE {condition}"), values, keyed)?;
    Ok(found.map(|keyed| keyed.row))
}

pub(crate) fn apply_workspace(tx: &Transaction<'_>, fact: &Fact, event: &workspace::Event) -> Result<(), ViewError> {
    let id: WorkspaceId = fact.subject()?;
    match event {
        workspace::Event::WorkspaceCreated { name } => {
            let values = values![id, *name, fact.position];
            sql::execute(tx, "INSERT OR REPLACE INTO workspace VALUES (?, ?, ?, NULL)", values)?;
        }
        workspace::Event::WorkspaceClosed {} => {
            let values = values![fact.position, id];
            sql::execute(tx, "UPDATE workspace SET closed = ? WHERE id = ?", values)?;
        }
        // What it owns says so itself.
        workspace::Event::AppJoined { .. }
        | workspace::Event::AppLeft { .. }
        | workspace::Event::ProjectJoined { .. }
        | workspace::Event::ReleaseJoined { .. }
        | workspace::Event::ReleaseLeft { .. } => {}
    }
    Ok(())
}

pub(crate) fn apply_project(tx: &Transaction<'_>, fact: &Fact, event: &project::Event) -> Result<(), ViewError> {
    let id: ProjectId = fact.subject()?;
    let (status, reason, sealed) = match event {
        project::Event::ProjectCreated {
            workspace,
            name,
            cluster,
            namespace,
        } => {
            let values = values![id, *workspace, *name, *cluster, *namespace, fact.position];
            let sql = "INSERT OR REPLACE INTO project VALUES (?, ?, ?, ?, ?, ?, 'ready', NULL, NULL)";
            return Ok(sql::execute(tx, sql, values).map(drop)?);
        }
        project::Event::PreparationRequested { .. } => ("preparing", None, None),
        project::Event::ProjectPrepared {} => ("ready", None, None),
        project::Event::PreparationFailed { reason, output } => ("failed", Some(*reason), Some(output)),
    };
    let values = values![status, reason, sealed.map(Json), id];
    let sql = "UPDATE project SET status = ?, failure = ?, output = ? WHERE id = ?";
    Ok(sql::execute(tx, sql, values).map(drop)?)
}

impl Workspace {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            name: columns.take()?,
            created: columns.take()?,
        })
    }
}

impl Project {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            workspace: columns.take()?,
            name: columns.take()?,
            cluster: columns.take()?,
            namespace: columns.take()?,
            created: columns.take()?,
            status: ProjectStatus::read(columns)?,
        })
    }
}

impl ProjectStatus {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        let (status, reason, output): (String, Option<PreparationFailure>, _) =
            (columns.take()?, columns.take()?, columns.optional_json()?);
        Ok(match (status.as_str(), reason, output) {
            ("failed", Some(reason), Some(output)) => Self::Failed { reason, output },
            ("preparing", ..) => Self::Preparing,
            _ => Self::Ready,
        })
    }
}
