//! The store: every app that is published and not suspended, as store users find it.
//!
//! An entry's place is the position of the newest publication among the versions it offers, so "newest first" is the
//! order of the rows and of the search index, and needs no sort.
//!
//! An entry's row holds all that a list shows of it, so that a page is read from as many rows as it has.
//!
//! There are two indexes of words: one of the entries that are live, under the numbers of their rows, and one of those that
//! are past, under their own numbers, which sort as their publications do; in both the numbers are negative, so that the
//! newest come first. So the past is searched as the present is.
//! What stands on a shelf, or is there at all, is told by the rows' own indexes.
//! The present has the beginnings of words in its index, too: the word that somebody is still typing costs what a whole
//! one does.

mod cursor;
mod list;
mod row;
mod text_index;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{
    digest::Digest,
    ids::{AppId, CategoryId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, types::Value};

pub use self::list::{Facet, Filter, Shelf, Sort, facets, list};
pub(crate) use self::{
    row::{Row, Turn, Written, apply, create, forget},
    text_index::TextChanges,
};
use crate::{
    apps::{Stage, Version},
    content::{self, ChartMetadata},
    error::ViewError,
    sql::{self, Columns, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE store_entry (
    published       INTEGER NOT NULL PRIMARY KEY,
    app             BLOB NOT NULL UNIQUE,
    workspace       BLOB NOT NULL,
    chart           TEXT NOT NULL,
    category        BLOB,
    listing         BLOB NOT NULL,
    version         TEXT NOT NULL,
    package         BLOB NOT NULL,
    chart_document  BLOB NOT NULL,
    published_at    INTEGER NOT NULL,
    first_published INTEGER NOT NULL,
    first_published_at INTEGER NOT NULL,
    name            TEXT NOT NULL,
    place           INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    app_version     TEXT,
    display_name    TEXT,
    summary         TEXT,
    keywords        TEXT,
    icon            BLOB,
    valid_from      INTEGER NOT NULL
);
CREATE INDEX store_entry_of_category ON store_entry (category, published, valid_from);
CREATE INDEX store_entry_of_chart ON store_entry (chart);
CREATE INDEX store_entry_by_name ON store_entry (name, published, valid_from);
CREATE INDEX store_entry_by_update ON store_entry (valid_from);

CREATE VIRTUAL TABLE store_text USING fts5 (
    name, chart, summary, keywords, readme, filters,
    content = '', contentless_delete = 1, prefix = '1 2 3 4 5 6 7 8 9 10'
);
CREATE VIRTUAL TABLE past_store_text USING fts5 (
    name, chart, summary, keywords, readme, filters,
    content = '', contentless_delete = 1
);
";

/// An app as the store shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub app: AppId,
    pub workspace: WorkspaceId,
    pub chart: ChartName,
    pub category: Option<CategoryId>,
    /// The digest of the published listing.
    pub listing: Digest,
    /// What a list shows of it; `None` if it was removed.
    pub card: Option<Card>,
    /// The published version the store offers first, and its package and chart document.
    pub version: VersionNumber,
    pub package: Digest,
    pub chart_document: Digest,
    pub app_version: Option<String>,
    pub published_position: u64,
    pub published_at: DateTime<Utc>,
    pub first_published_position: u64,
    pub first_published_at: DateTime<Utc>,
    /// When anything of this last became another.
    pub updated_position: u64,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub display_name: String,
    pub summary: String,
    pub keywords: Vec<String>,
    pub icon: Option<Digest>,
}

/// A version as a Helm repository lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEntry {
    pub app: AppId,
    pub chart: ChartName,
    pub number: VersionNumber,
    /// `None` if the chart's content was removed.
    pub metadata: Option<ChartMetadata>,
    pub package: Digest,
    /// Whether the archive was taken away, so that it cannot be had.
    pub removed: bool,
    /// When it was published, or uploaded if it was not.
    pub created: DateTime<Utc>,
}

/// What an entry is read from.
const COLUMNS: &str = "e.name, e.published, e.app, e.workspace, e.chart, e.category, e.listing, e.version, e.package,
    e.chart_document, e.published_at, e.first_published, e.first_published_at, e.valid_from, e.updated_at, e.app_version,
    e.display_name, e.summary, e.keywords, e.icon";

/// The entry of an app, if the store shows it.
pub fn entry(conn: &Connection, app: AppId) -> Result<Option<Entry>, ViewError> {
    one(conn, "e.app = ?", values![app])
}

/// The entry under a chart name, which the store gives to one app.
pub fn entry_of_chart(conn: &Connection, chart: &ChartName) -> Result<Option<Entry>, ViewError> {
    one(conn, "e.chart = ?", values![*chart])
}

/// Every published version of every app in the store, by chart name and the highest version first.
pub fn index(conn: &Connection) -> Result<Vec<IndexEntry>, ViewError> {
    let sql = "SELECT e.app, e.chart, v.row, c.metadata FROM store_entry e JOIN version v ON v.app = e.app
               LEFT JOIN chart c ON c.digest = v.chart WHERE v.stage = ? ORDER BY e.chart, v.sort_key DESC";
    index_entries(conn, sql, values![Stage::Published.as_str()])
}

/// Every version of every app of a workspace that is not deleted, by chart name and the highest version first.
pub fn workspace_index(conn: &Connection, workspace: WorkspaceId) -> Result<Vec<IndexEntry>, ViewError> {
    let sql = "SELECT a.id, a.chart, v.row, c.metadata FROM app a JOIN version v ON v.app = a.id
               LEFT JOIN chart c ON c.digest = v.chart
               WHERE a.workspace = ? AND v.stage <> ? ORDER BY a.chart, v.sort_key DESC";
    index_entries(conn, sql, values![workspace, Stage::Deleted.as_str()])
}

fn index_entries(conn: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<IndexEntry>, ViewError> {
    let removed: HashSet<_> = content::removed(conn)?.into_iter().collect();
    let entries = sql::rows(conn, sql, values, |columns| {
        let (app, chart) = (columns.take()?, columns.take()?);
        let version: Version = columns.json()?;
        Ok(IndexEntry {
            app,
            chart,
            metadata: columns.optional_json()?,
            package: version.package.digest,
            removed: removed.contains(&version.package.digest),
            created: version.published.unwrap_or(version.uploaded).at,
            number: version.number,
        })
    })?;
    Ok(entries)
}

fn one(conn: &Connection, condition: &str, values: Vec<Value>) -> Result<Option<Entry>, ViewError> {
    let sql = format!("SELECT {COLUMNS} FROM store_entry e WHERE {condition}");
    let found = sql::first(conn, &sql, values, Listed::read)?;
    Ok(found.map(|listed| listed.entry))
}

/// An entry with the name it is sorted by.
struct Listed {
    name: String,
    entry: Entry,
}

impl Listed {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: columns.take()?,
            entry: entry_columns(columns)?,
        })
    }
}

fn entry_columns(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        published_position: columns.take()?,
        app: columns.take()?,
        workspace: columns.take()?,
        chart: columns.take()?,
        category: columns.take()?,
        listing: columns.take()?,
        version: columns.take()?,
        package: columns.take()?,
        chart_document: columns.take()?,
        published_at: columns.take()?,
        first_published_position: columns.take()?,
        first_published_at: columns.take()?,
        updated_position: columns.take()?,
        updated_at: columns.take()?,
        app_version: columns.take()?,
        card: card(columns)?,
    })
}

fn card(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Card>> {
    let Some(display_name) = columns.take()? else {
        return Ok(None);
    };
    let summary = columns.take()?;
    let keywords = columns.json()?;
    Ok(Some(Card {
        display_name,
        summary,
        keywords,
        icon: columns.take()?,
    }))
}
