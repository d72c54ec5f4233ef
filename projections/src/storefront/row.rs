//! What the rows of the store hold, and how they follow from the facts.

use chrono::{DateTime, Utc};
use domain::{
    app::Status,
    digest::Digest,
    ids::{AppId, CategoryId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, Transaction, types::Value};

use super::{SCHEMA, text_index::TextChanges};
use crate::{
    change::Change,
    dossier::Dossier,
    moment::{self, Changes, Kept, Mark},
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
pub(crate) struct Written {
    row: Row,
    /// Its number in the index of what is past: those of one publication follow one another.
    place: u64,
    /// When it became what it is.
    updated_at: DateTime<Utc>,
    shown: Shown,
}

/// What lists show of the content that a row names, as far as that is there.
#[derive(Default)]
struct Shown {
    app_version: Option<String>,
    display_name: Option<String>,
    summary: Option<String>,
    /// A JSON array.
    keywords: Option<String>,
    icon: Option<Digest>,
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<Written>(conn)
}

/// The entry of an app before an event and after it, where the two are not the same.
pub(crate) struct Turn {
    before: Option<Row>,
    after: Option<Row>,
}

impl Turn {
    pub(crate) fn of(change: &Change<'_>) -> Option<Self> {
        let (before, after) = (&change.before.entry, Row::of(change.after));
        (*before != after).then(|| Self {
            before: before.clone(),
            after,
        })
    }
}

/// Notes the row that is live now, and writes what it was; what becomes of the indexes is noted in `texts`.
pub(crate) fn apply(
    tx: &Transaction<'_>,
    mark: Mark,
    turn: Turn,
    rows: &mut Changes<Written>,
    texts: &mut TextChanges,
) -> rusqlite::Result<()> {
    let Mark { position, at, .. } = mark;
    let before = turn.before.map(|row| Written::found(tx, rows, row, at)).transpose()?;
    let after = turn
        .after
        .map(|row| Written::new(tx, row, position, at, before.as_ref()))
        .transpose()?;
    if let Some(Written { row, place, .. }) = &before {
        texts.close(row, *place);
    }
    if let Some(Written { row, .. }) = &after {
        texts.open(row);
    }
    rows.replace(position, before.as_ref(), after);
    // The next row of the same publication is numbered after it.
    sql::run(tx, rows.take_past())
}

/// Content that was removed names nothing any more, and nothing is found by it: now and in the past.
pub(crate) fn forget(
    tx: &Transaction<'_>,
    content: Digest,
    rows: &mut Changes<Written>,
    texts: &mut TextChanges,
) -> rusqlite::Result<()> {
    rows.write(tx)?;
    for table in ["store_entry", "store_entry_history"] {
        let listing = format!(
            "UPDATE {table} SET name = lower(chart), display_name = NULL, summary = NULL, keywords = NULL, icon = NULL
             WHERE listing = ?"
        );
        sql::execute(tx, &listing, values![content])?;
        let chart = format!("UPDATE {table} SET app_version = NULL WHERE chart_document = ?");
        sql::execute(tx, &chart, values![content])?;
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
        let newest = dossier.last_published?;
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

impl Written {
    /// A row that is live, until `updated_at`. What it shows is kept where it was written, and stays.
    fn found(
        tx: &Transaction<'_>,
        rows: &Changes<Self>,
        row: Row,
        updated_at: DateTime<Utc>,
    ) -> rusqlite::Result<Self> {
        let sql = "SELECT place FROM store_entry WHERE published = ?";
        let place = match rows.get(&row.published) {
            Some(changed) => Some(changed.place),
            None => sql::first(tx, sql, values![row.published], sql::value)?,
        };
        Ok(Self {
            row,
            place: place.unwrap_or_default(),
            updated_at,
            shown: Shown::default(),
        })
    }

    fn new(
        tx: &Transaction<'_>,
        row: Row,
        position: u64,
        updated_at: DateTime<Utc>,
        before: Option<&Self>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            place: next_place(tx, row.published, position, before)?,
            updated_at,
            shown: Shown::by(tx, &row)?,
            row,
        })
    }

    /// What it is sorted by: the display name, whatever its letters' case, or the chart's if there is no listing.
    fn name(&self) -> String {
        let chart = self.row.chart.as_str();
        self.shown.display_name.as_deref().unwrap_or(chart).to_lowercase()
    }
}

impl Shown {
    fn by(tx: &Transaction<'_>, row: &Row) -> rusqlite::Result<Self> {
        let sql = "SELECT display_name, summary, keywords, icon FROM listing WHERE digest = ?";
        let listing = sql::first(tx, sql, values![row.listing], |c| {
            Ok(Self {
                app_version: None,
                display_name: c.take()?,
                summary: c.take()?,
                keywords: c.take()?,
                icon: c.take()?,
            })
        })?;
        let sql = "SELECT app_version FROM chart WHERE digest = ?";
        let app_version: Option<Option<String>> = sql::first(tx, sql, values![row.chart_document], sql::value)?;
        Ok(Self {
            app_version: app_version.flatten(),
            ..listing.unwrap_or_default()
        })
    }
}

/// The place after the one of the row `before`, or of the last one that this publication had.
fn next_place(tx: &Transaction<'_>, published: u64, position: u64, before: Option<&Written>) -> rusqlite::Result<u64> {
    let first = published * ROWS_PER_PUBLICATION;
    if published == position {
        return Ok(first);
    }
    let last = first + ROWS_PER_PUBLICATION - 1;
    let highest: Option<u64> = match before.filter(|before| before.row.published == published) {
        Some(before) => Some(before.place),
        None => {
            let sql = "SELECT max(place) FROM store_entry_history WHERE place BETWEEN ? AND ?";
            sql::first(tx, sql, values![first, last], sql::value)?.flatten()
        }
    };
    Ok(highest.map_or(first, |highest| last.min(highest + 1)))
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row
    }
}

impl Kept for Written {
    type Key = u64;

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
        "updated_at",
        "app_version",
        "display_name",
        "summary",
        "keywords",
        "icon",
    ];
    const PAST_KEYS: &'static [&'static str] = &["published", "category, published", "app", "name, published", "place"];
    const OF_A_MOMENT: Option<&'static str> = Some("category");

    moment::statements!();

    fn key(&self) -> u64 {
        self.row.published
    }

    fn key_values(published: &u64) -> Vec<Value> {
        values![*published]
    }

    fn values(&self) -> Vec<Value> {
        let (row, shown) = (&self.row, &self.shown);
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
            self.name(),
            self.place,
            self.updated_at,
            shown.app_version,
            shown.display_name,
            shown.summary,
            shown.keywords,
            shown.icon,
        ]
    }
}
