//! The health of releases, as it was last found.

use std::collections::HashMap;

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
    lookup::{self, Lookup},
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

/// The health of a release; none if nobody looked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HealthOf(pub ReleaseId);

impl Lookup for HealthOf {
    type Row = ReleaseHealth;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, ReleaseHealth>, ViewError> {
        let releases: Vec<_> = keys.iter().map(|HealthOf(release)| *release).collect();
        let sql = "SELECT release, health, findings, since FROM release_health
                   WHERE release IN (SELECT unhex(value) FROM json_each(?))";
        let found = |c: &mut Columns<'_, '_>| Ok((Self(c.take()?), ReleaseHealth::read(c)?));
        let found = sql::rows(conn, sql, vec![lookup::list(&releases)], found)?;
        Ok(found.into_iter().collect())
    }
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
