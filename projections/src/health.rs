//! The health of releases, as it was last found.

use chrono::{DateTime, Utc};
use domain::{
    digest::Sealed,
    health::{Event, Health},
    ids::ReleaseId,
};
use rusqlite::{Connection, Transaction};

use crate::{
    error::ViewError,
    fact::Fact,
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE release_health (
    release  BLOB NOT NULL PRIMARY KEY,
    health   TEXT NOT NULL,
    findings TEXT,
    since    INTEGER NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHealth {
    pub health: Health,
    /// Which objects are not as they should be.
    pub findings: Option<Sealed>,
    /// When this was found first.
    pub since: DateTime<Utc>,
}

/// `None` if nobody looked yet.
pub fn of(conn: &Connection, release: ReleaseId) -> Result<Option<ReleaseHealth>, ViewError> {
    let sql = "SELECT health, findings, since FROM release_health WHERE release = ?";
    Ok(sql::first(conn, sql, values![release], ReleaseHealth::read)?)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let Event::HealthChanged { health, findings } = event;
    let release: ReleaseId = fact.subject()?;
    let values = values![release, *health, findings.as_ref().map(Json), fact.stamp.at];
    sql::execute(tx, "INSERT OR REPLACE INTO release_health VALUES (?, ?, ?, ?)", values)?;
    Ok(())
}

impl ReleaseHealth {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            health: columns.take()?,
            findings: columns.optional_json()?,
            since: columns.take()?,
        })
    }
}
