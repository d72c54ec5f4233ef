//! Workspaces, their projects, and the clusters these are on.

use domain::{
    cluster::{self, Kind},
    ids::{ClusterId, ProjectId, WorkspaceId},
    names::{ClusterName, Namespace, ProjectName, WorkspaceName},
    project, workspace,
};
use rusqlite::{
    Connection, Transaction,
    types::{FromSqlError, FromSqlResult, Value, ValueRef},
};

use crate::{
    error::ViewError,
    fact::Fact,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, FromColumn, ToColumn, values},
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
    UNIQUE (workspace, name)
) WITHOUT ROWID;
CREATE TABLE cluster (
    id      BLOB NOT NULL PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    kind    TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub id: ClusterId,
    pub name: ClusterName,
    pub kind: Kind,
    /// The position it was registered at.
    pub created: u64,
}

const WORKSPACE: &str = "SELECT name, id, name, created FROM workspace";
const PROJECT: &str = "SELECT name, id, workspace, name, cluster, namespace, created FROM project";
const CLUSTER: &str = "SELECT name, id, name, kind, created FROM cluster";

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

pub fn cluster(conn: &Connection, id: ClusterId) -> Result<Option<Cluster>, ViewError> {
    one(conn, CLUSTER, "id = ?", values![id], Cluster::read)
}

pub fn cluster_named(conn: &Connection, name: &ClusterName) -> Result<Option<Cluster>, ViewError> {
    one(conn, CLUSTER, "name = ?", values![*name], Cluster::read)
}

/// All clusters, by name.
pub fn clusters(conn: &Connection, page: &PageRequest) -> Result<Page<Cluster>, ViewError> {
    by_name(CLUSTER).page(conn, Conditions::default(), page, Cluster::read)
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

const fn by_name(select: &str) -> List<'_> {
    List {
        select,
        column: "name",
        kind: KeyKind::Text,
        order: Order::Ascending,
    }
}

fn one<T>(
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
    let project::Event::ProjectCreated {
        workspace,
        name,
        cluster,
        namespace,
    } = event;
    let id: ProjectId = fact.subject()?;
    let values = values![id, *workspace, *name, *cluster, *namespace, fact.position];
    sql::execute(tx, "INSERT OR REPLACE INTO project VALUES (?, ?, ?, ?, ?, ?)", values)?;
    Ok(())
}

pub(crate) fn apply_cluster(tx: &Transaction<'_>, fact: &Fact, event: &cluster::Event) -> Result<(), ViewError> {
    let cluster::Event::ClusterRegistered { name, kind } = event;
    let values = values![fact.subject::<ClusterId>()?, *name, *kind, fact.position];
    sql::execute(tx, "INSERT OR REPLACE INTO cluster VALUES (?, ?, ?, ?)", values)?;
    Ok(())
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
        })
    }
}

impl Cluster {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            name: columns.take()?,
            kind: columns.take()?,
            created: columns.take()?,
        })
    }
}

impl ToColumn for Kind {
    fn to_value(&self) -> Value {
        match self {
            Self::Directory => "directory".to_value(),
        }
    }
}

impl FromColumn for Kind {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "directory" => Ok(Self::Directory),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}
