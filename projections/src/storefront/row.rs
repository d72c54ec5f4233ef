//! What the rows of the store hold, and how they follow from the facts.

use chrono::{DateTime, Utc};
use domain::{
    app::{Stage as DomainStage, Status},
    digest::Digest,
    ids::{AppId, CategoryId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, Transaction, types::Value};

use super::{SCHEMA, text_index::TextChanges};
use crate::{
    change::Change,
    dossier::{Dossier, Notes},
    moment::{self, Kept},
    sql::{self, values},
};

/// Rows that one publication may have one after the other, before the last of them share a number: 2^20.
pub(super) const ROWS_PER_PUBLICATION: u64 = 1 << 20;

/// What the columns of an entry hold, without the content its digests name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(super) published: u64,
    app: AppId,
    pub(super) workspace: WorkspaceId,
    pub(super) chart: ChartName,
    pub(super) category: Option<CategoryId>,
    pub(super) listing: Digest,
    version: VersionNumber,
    package: Digest,
    pub(super) chart_document: Digest,
    published_at: DateTime<Utc>,
    first_published: u64,
    first_published_at: DateTime<Utc>,
}

/// A row that is written, with what does not follow from the app's facts alone.
struct Written {
    row: Row,
    /// What it is sorted by: the display name, whatever its letters' case, or the chart's if the listing was removed.
    name: String,
    /// Its number in the index of what is past: those of one publication follow one another.
    place: u64,
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<Written>(conn)
}

/// The rows, at once; what becomes of the indexes is noted in `texts`.
pub(crate) fn apply(tx: &Transaction<'_>, change: &Change<'_>, texts: &mut TextChanges) -> rusqlite::Result<()> {
    let (before, after) = (&change.before.entry, Row::of(change.after));
    if *before == after {
        return Ok(());
    }
    let position = change.fact.position;
    let before = before.clone().map(|row| Written::found(tx, row)).transpose()?;
    let after = after.map(|row| Written::new(tx, row, position)).transpose()?;
    moment::replace(tx, position, before.as_ref(), after.as_ref())?;
    if let Some(Written { row, place, .. }) = &before {
        texts.close(row, *place);
    }
    if let Some(Written { row, .. }) = &after {
        texts.open(row);
    }
    Ok(())
}

/// Content that was removed names nothing any more, and nothing is found by it: now and in the past.
pub(crate) fn forget(tx: &Transaction<'_>, content: Digest, texts: &mut TextChanges) -> rusqlite::Result<()> {
    for table in ["store_entry", "store_entry_history"] {
        let sql = format!("UPDATE {table} SET name = lower(chart) WHERE listing = ?");
        sql::execute(tx, &sql, values![content])?;
    }
    texts.forget(content);
    Ok(())
}

impl Row {
    pub(crate) fn of(dossier: &Dossier) -> Option<Self> {
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

impl Written {
    /// A row that is live.
    fn found(tx: &Transaction<'_>, row: Row) -> rusqlite::Result<Self> {
        let sql = "SELECT name, place FROM store_entry WHERE published = ?";
        let found = sql::first(tx, sql, values![row.published], |c| Ok((c.take()?, c.take()?)))?;
        let (name, place) = found.unwrap_or_default();
        Ok(Self { row, name, place })
    }

    fn new(tx: &Transaction<'_>, row: Row, position: u64) -> rusqlite::Result<Self> {
        let sql = "SELECT display_name FROM listing WHERE digest = ?";
        let display_name: Option<String> = sql::first(tx, sql, values![row.listing], sql::value)?;
        let name = display_name.map_or_else(|| row.chart.as_str().to_lowercase(), |name| name.to_lowercase());
        let place = next_place(tx, row.published, position)?;
        Ok(Self { row, name, place })
    }
}

fn next_place(tx: &Transaction<'_>, published: u64, position: u64) -> rusqlite::Result<u64> {
    let first = published * ROWS_PER_PUBLICATION;
    if published == position {
        return Ok(first);
    }
    let last = first + ROWS_PER_PUBLICATION - 1;
    let sql = "SELECT max(place) FROM (SELECT place FROM store_entry WHERE published = ?
               UNION ALL SELECT max(place) FROM store_entry_history WHERE place BETWEEN ? AND ?)";
    let highest: Option<u64> = sql::first(tx, sql, values![published, first, last], sql::value)?.flatten();
    Ok(highest.map_or(first, |highest| last.min(highest + 1)))
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row
    }
}

impl Kept for Written {
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
        "name",
        "place",
    ];
    const PAST_KEYS: &'static [&'static str] = &["published", "category", "app", "name, published", "place"];

    moment::statements!();

    fn key(&self) -> Vec<Value> {
        values![self.row.published]
    }

    fn values(&self) -> Vec<Value> {
        let row = &self.row;
        values![
            row.app,
            row.workspace,
            row.chart,
            row.category,
            row.listing,
            row.version,
            row.package,
            row.chart_document,
            row.published_at,
            row.first_published,
            row.first_published_at,
            self.name,
            self.place,
        ]
    }
}
