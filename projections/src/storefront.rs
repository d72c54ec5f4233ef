//! The store: every app that is published and not suspended, as store users find it.
//!
//! An entry's place is the position of the newest publication among the versions it offers, so "newest first" is the
//! order of the rows and of the search index, and needs no sort.

mod text_index;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::{
    app::{Stage as DomainStage, Status},
    digest::Digest,
    ids::{AppId, CategoryId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, Transaction, types::Value};

pub(crate) use self::text_index::TextChanges;
use crate::{
    apps::{Stage, Version},
    content::{self, ChartMetadata},
    dossier::{Change, Dossier, Notes},
    error::ViewError,
    moment::{self, Kept},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    search::SearchQuery,
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
    valid_from      INTEGER NOT NULL
);
CREATE INDEX store_entry_of_category ON store_entry (category, published);
CREATE INDEX store_entry_of_chart ON store_entry (chart);

CREATE VIRTUAL TABLE store_text USING fts5 (
    name, chart, summary, keywords, readme, category,
    content = '', contentless_delete = 1, prefix = '2 3'
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub display_name: String,
    pub summary: String,
    pub keywords: Vec<String>,
    pub icon: Option<Digest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shelf {
    #[default]
    Any,
    Category(CategoryId),
    Uncategorised,
}

/// How many apps stand on a shelf of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facet {
    /// `None` is the shelf of the uncategorised.
    pub category: Option<CategoryId>,
    pub apps: u64,
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

const SELECT: &str = "
SELECT e.published, e.published, e.app, e.workspace, e.chart, e.category, e.listing, e.version, e.package, e.chart_document,
       e.published_at, e.first_published, e.first_published_at, c.app_version,
       l.display_name, l.summary, l.keywords, l.icon";
const CONTENT: &str = "
LEFT JOIN listing l ON l.digest = e.listing
LEFT JOIN chart c ON c.digest = e.chart_document";

/// The entries of a shelf, the newest publication first.
pub fn entries(conn: &Connection, shelf: Shelf, page: &PageRequest) -> Result<Page<Entry>, ViewError> {
    let mut conditions = Conditions::default();
    match shelf {
        Shelf::Any => {}
        Shelf::Category(category) => conditions.add("e.category = ?", values![category]),
        Shelf::Uncategorised => conditions.add("e.category IS NULL", vec![]),
    }
    let select = format!("{SELECT} FROM store_entry e {CONTENT}");
    newest_first(&select).page(conn, conditions, page, entry_columns)
}

/// The entries of a shelf that hold all words of `text`, the last one as a prefix; the newest publication first.
///
/// Every text is allowed. One without a word in it finds nothing, and an empty one everything.
pub fn search(conn: &Connection, text: &str, shelf: Shelf, page: &PageRequest) -> Result<Page<Entry>, ViewError> {
    if text.trim().is_empty() {
        return entries(conn, shelf, page);
    }
    let Some(query) = SearchQuery::parse(text) else {
        return Ok(Page::empty());
    };
    let mut values = values![query.on(shelf)];
    let after = match page.after() {
        Some(after) => {
            values.extend(values![after.to_position()?]);
            "AND rowid < ?"
        }
        None => "",
    };
    // The index alone picks the page; the wide rows are read for what is on it.
    let limit = page.limit();
    let select = format!(
        "{SELECT} FROM (SELECT rowid AS place FROM store_text WHERE store_text MATCH ? {after}
         ORDER BY rowid DESC LIMIT {limit}) JOIN store_entry e ON e.published = place {CONTENT} ORDER BY place DESC"
    );
    let found = sql::rows(conn, &select, values, |columns| {
        KeyKind::Position.keyed(columns, &entry_columns)
    })?;
    Ok(page.page(found))
}

/// The entry of an app, if the store shows it.
pub fn entry(conn: &Connection, app: AppId) -> Result<Option<Entry>, ViewError> {
    one(conn, "e.app = ?", values![app])
}

/// The entry under a chart name, which the store gives to one app.
pub fn entry_of_chart(conn: &Connection, chart: &ChartName) -> Result<Option<Entry>, ViewError> {
    one(conn, "e.chart = ?", values![*chart])
}

/// The shelves that have apps, with how many they have.
pub fn facets(conn: &Connection) -> Result<Vec<Facet>, ViewError> {
    let sql = "SELECT category, count(*) FROM store_entry GROUP BY category";
    Ok(sql::rows(conn, sql, vec![], |c| {
        Ok(Facet {
            category: c.take()?,
            apps: c.take()?,
        })
    })?)
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

const fn newest_first(select: &str) -> List<'_> {
    List {
        select,
        column: "e.published",
        kind: KeyKind::Position,
        order: Order::Descending,
    }
}

fn one(conn: &Connection, condition: &str, values: Vec<Value>) -> Result<Option<Entry>, ViewError> {
    let sql = format!("{SELECT} FROM store_entry e {CONTENT} WHERE {condition}");
    let keyed = |columns: &mut Columns<'_, '_>| KeyKind::Position.keyed(columns, &entry_columns);
    Ok(sql::first(conn, &sql, values, keyed)?.map(|keyed| keyed.row))
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

/// What the columns of an entry hold, without the content its digests name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    published: u64,
    app: AppId,
    workspace: WorkspaceId,
    chart: ChartName,
    category: Option<CategoryId>,
    listing: Digest,
    version: VersionNumber,
    package: Digest,
    chart_document: Digest,
    published_at: DateTime<Utc>,
    first_published: u64,
    first_published_at: DateTime<Utc>,
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<Row>(conn)
}

/// The rows, at once; what becomes of the index is noted in `texts`.
pub(crate) fn apply(tx: &Transaction<'_>, change: &Change<'_>, texts: &mut TextChanges) -> rusqlite::Result<()> {
    let before = change.before.and_then(Row::of);
    let after = Row::of(change.after);
    if before != after {
        moment::replace(tx, change.fact.position, before.as_ref(), after.as_ref())?;
        texts.note(before.as_ref(), after);
    }
    Ok(())
}

impl Row {
    fn of(dossier: &Dossier) -> Option<Self> {
        let app = &dossier.app;
        if app.status() != Status::Published {
            return None;
        }
        let latest = app.latest_published()?;
        let (offered, _) = dossier.version(latest)?;
        let newest = published(dossier)
            .filter_map(|notes| notes.published)
            .max_by_key(|mark| mark.position)?;
        let first = dossier.first_published?;
        Some(Self {
            published: newest.position,
            app: dossier.id,
            workspace: app.workspace,
            chart: app.chart.clone(),
            category: app.category,
            listing: app.listing.published?,
            version: latest.clone(),
            package: offered.package.digest,
            chart_document: offered.package.chart,
            published_at: newest.at,
            first_published: first.position,
            first_published_at: first.at,
        })
    }
}

fn published(dossier: &Dossier) -> impl Iterator<Item = &Notes> {
    dossier
        .versions
        .iter()
        .filter(|(number, _)| {
            let version = dossier.app.versions.get(number);
            version.is_some_and(|version| matches!(version.stage, DomainStage::Published { .. }))
        })
        .map(|(_, notes)| notes)
}

impl Kept for Row {
    const TABLE: &'static str = "store_entry";
    const KEY: &'static [&'static str] = &["published"];
    const COLUMNS: &'static [&'static str] = &[
        "app",
        "workspace",
        "chart",
        "category",
        "listing",
        "version",
        "package",
        "chart_document",
        "published_at",
        "first_published",
        "first_published_at",
    ];
    const PAST_KEYS: &'static [&'static str] = &["published", "category, published", "app"];

    fn key(&self) -> Vec<Value> {
        values![self.published]
    }

    fn values(&self) -> Vec<Value> {
        values![
            self.app,
            self.workspace,
            self.chart,
            self.category,
            self.listing,
            self.version,
            self.package,
            self.chart_document,
            self.published_at,
            self.first_published,
            self.first_published_at,
        ]
    }
}
