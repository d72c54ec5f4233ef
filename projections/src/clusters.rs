//! Clusters: where releases run, and what the last check of each found.

use std::collections::HashMap;

use domain::{
    cluster::{Event, Kind, Trouble},
    ids::{AppId, ClusterId},
    names::ClusterName,
};
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use crate::{
    error::ViewError,
    fact::Fact,
    lookup::{self, Lookup},
    page::{Conditions, Page, PageRequest},
    sql::{self, Columns, Json, values},
    tenancy::{after_key, by_name, one},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE cluster (
    id           BLOB NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL,
    created      INTEGER NOT NULL,
    uid          BLOB,
    version      TEXT,
    trouble      TEXT,
    cluster_wide TEXT NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub id: ClusterId,
    pub name: ClusterName,
    pub kind: Kind,
    /// The position it was registered at.
    pub created: u64,
    /// That of its namespace `kube-system`; `None` for a folder of manifests.
    pub uid: Option<Uuid>,
    /// What it said of itself when it was last reached.
    pub version: Option<String>,
    /// Why the last check did not find it; `None` if it did.
    pub trouble: Option<Trouble>,
    /// Apps whose releases may hold what belongs to the whole cluster.
    pub cluster_wide: Vec<AppId>,
}

const CLUSTER: &str = "SELECT name, id, name, kind, created, uid, version, trouble, cluster_wide FROM cluster";

pub fn cluster(conn: &Connection, id: ClusterId) -> Result<Option<Cluster>, ViewError> {
    one(conn, CLUSTER, "id = ?", values![id], Cluster::read)
}

impl Lookup for ClusterId {
    type Row = Cluster;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Cluster>, ViewError> {
        let select = format!("{CLUSTER} WHERE id");
        lookup::by_id(conn, &select, ids, after_key(Cluster::read), |cluster| cluster.id)
    }
}

pub fn named(conn: &Connection, name: &ClusterName) -> Result<Option<Cluster>, ViewError> {
    one(conn, CLUSTER, "name = ?", values![*name], Cluster::read)
}

/// All clusters, by name.
pub fn list(conn: &Connection, page: &PageRequest) -> Result<Page<Cluster>, ViewError> {
    by_name(CLUSTER).page(conn, Conditions::default(), page, Cluster::read)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let id: ClusterId = fact.subject()?;
    match event {
        Event::ClusterRegistered { name, kind, kubernetes } => {
            let found = kubernetes.as_ref();
            let (uid, version) = (found.map(|it| it.uid), found.map(|it| it.version.as_str()));
            let values = values![id, *name, *kind, fact.position, uid, version];
            let sql = "INSERT OR REPLACE INTO cluster VALUES (?, ?, ?, ?, ?, ?, NULL, '[]')";
            sql::execute(tx, sql, values)?;
        }
        Event::ClusterReached { version } => {
            let sql = "UPDATE cluster SET version = ?, trouble = NULL WHERE id = ?";
            sql::execute(tx, sql, values![version.as_str(), id])?;
        }
        Event::ClusterLost { reason } => {
            sql::execute(tx, "UPDATE cluster SET trouble = ? WHERE id = ?", values![*reason, id])?;
        }
        Event::ClusterScopeAllowed { app } => {
            change_cluster_wide(tx, id, |apps| apps.push(*app))?;
        }
        Event::ClusterScopeForbidden { app } => {
            change_cluster_wide(tx, id, |apps| apps.retain(|other| other != app))?;
        }
        // How a cluster is reached is for the effects only.
        Event::KubeconfigReplaced { .. } => {}
    }
    Ok(())
}

fn change_cluster_wide(
    tx: &Transaction<'_>,
    id: ClusterId,
    change: impl FnOnce(&mut Vec<AppId>),
) -> Result<(), ViewError> {
    if let Some(mut cluster) = cluster(tx, id)? {
        change(&mut cluster.cluster_wide);
        let sql = "UPDATE cluster SET cluster_wide = ? WHERE id = ?";
        sql::execute(tx, sql, values![Json(&cluster.cluster_wide), id])?;
    }
    Ok(())
}

impl Cluster {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            name: columns.take()?,
            kind: columns.take()?,
            created: columns.take()?,
            uid: columns.take()?,
            version: columns.take()?,
            trouble: columns.take()?,
            cluster_wide: columns.json()?,
        })
    }
}
