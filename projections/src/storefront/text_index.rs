//! The words of the store: written once at the end of a batch, however often an entry changed within it.
//!
//! The rows of an index have negative numbers, so that the newest publications come first: a page is read from the beginning
//! of a word's rows, and those behind it are not; backwards, all of them would be. They are written in that order, too: each
//! row that is not behind the one before makes an index write out all that it holds in memory.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    digest::Digest,
    ids::{CategoryId, WorkspaceId},
    names::ChartName,
};
use rusqlite::Transaction;

use super::row::Row;
use crate::{
    search::{shelf_token, workspace_token},
    sql::{self, Columns, values},
};

const LIVE: &str = "store_text";
const PAST: &str = "past_store_text";
/// How much of an index waits in memory: what the database takes if nothing is said, and when very much is written.
const GATHERED_BYTES: u64 = 1 << 20;
const GATHERED_MAX_BYTES: u64 = 32 << 20;

/// What a batch does to the indexes.
#[derive(Default)]
pub(crate) struct TextChanges {
    /// Publications that were in the index before the batch.
    stale: BTreeSet<u64>,
    /// By publication.
    fresh: BTreeMap<u64, Text>,
    /// What became past, by its place there.
    closed: BTreeMap<u64, Text>,
    /// Content that is gone.
    removed: BTreeSet<Digest>,
}

impl TextChanges {
    /// What was live is past, at `place`.
    pub(super) fn close(&mut self, row: &Row, place: u64) {
        if self.fresh.remove(&row.published).is_none() {
            self.stale.insert(row.published);
        }
        self.closed.insert(place, Text::of(row));
    }

    pub(super) fn open(&mut self, row: &Row) {
        self.fresh.insert(row.published, Text::of(row));
    }

    /// What was removed is not found any more.
    pub(super) fn forget(&mut self, content: Digest) {
        self.removed.insert(content);
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            stale,
            fresh,
            closed,
            removed,
        } = self;
        stale.is_empty() && fresh.is_empty() && closed.is_empty() && removed.is_empty()
    }

    /// Like [`TextChanges::write`], for very many: the indexes gather them in memory, so that less is merged later.
    pub(crate) fn write_all(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        gather(tx, GATHERED_MAX_BYTES)?;
        self.write(tx)?;
        gather(tx, GATHERED_BYTES)
    }

    pub(crate) fn write(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        for publication in self.stale.iter().rev() {
            sql::execute(tx, "DELETE FROM store_text WHERE rowid = -?", values![*publication])?;
        }
        for content in &self.removed {
            rewrite(tx, LIVE, "published", "store_entry", *content)?;
            rewrite(tx, PAST, "place", "store_entry_history", *content)?;
        }
        let write = |index, texts: &BTreeMap<u64, Text>| {
            texts
                .iter()
                .rev()
                .try_for_each(|(number, text)| text.write(tx, index, *number))
        };
        write(LIVE, &self.fresh)?;
        write(PAST, &self.closed)
    }
}

/// How much of an index may wait in memory to be written.
fn gather(tx: &Transaction<'_>, bytes: u64) -> rusqlite::Result<()> {
    for index in [LIVE, PAST] {
        let sql = format!("INSERT INTO {index} ({index}, rank) VALUES ('hashsize', ?)");
        sql::execute(tx, &sql, values![bytes])?;
    }
    Ok(())
}

/// Writes again what named this content. What comes in with the batch is written once more after it.
fn rewrite(tx: &Transaction<'_>, index: &str, number: &str, rows: &str, content: Digest) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {number}, workspace, chart, category, listing, chart_document FROM {rows}
         WHERE listing = ?1 OR chart_document = ?1 ORDER BY {number} DESC"
    );
    let found: Vec<(u64, Text)> = sql::rows(tx, &sql, values![content], |columns| {
        Ok((columns.take()?, Text::read(columns)?))
    })?;
    found
        .iter()
        .try_for_each(|(number, text)| text.write(tx, index, *number))
}

/// What an entry is found by: its listing, the README of the version it offers first, and where it stands.
struct Text {
    workspace: WorkspaceId,
    chart: ChartName,
    category: Option<CategoryId>,
    listing: Digest,
    chart_document: Digest,
}

impl Text {
    fn of(row: &Row) -> Self {
        Self {
            workspace: row.workspace,
            chart: row.chart.clone(),
            category: row.category,
            listing: row.listing,
            chart_document: row.chart_document,
        }
    }

    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            workspace: columns.take()?,
            chart: columns.take()?,
            category: columns.take()?,
            listing: columns.take()?,
            chart_document: columns.take()?,
        })
    }

    fn write(&self, tx: &Transaction<'_>, index: &str, number: u64) -> rusqlite::Result<()> {
        let words = "SELECT display_name, summary, keywords, maintainers FROM listing WHERE digest = ?";
        let words: Option<[Option<String>; 4]> = sql::first(tx, words, values![self.listing], |c| {
            Ok([c.take()?, c.take()?, c.take()?, c.take()?])
        })?;
        let [name, summary, keywords, maintainers] = words.unwrap_or_default();
        let readme = "SELECT readme FROM chart WHERE digest = ?";
        let readme: Option<Option<String>> = sql::first(tx, readme, values![self.chart_document], sql::value)?;
        let (shelf, workspace) = (shelf_token(self.category), workspace_token(self.workspace));
        let filters = format!("{shelf} {workspace} {}", maintainers.unwrap_or_default());
        // A statement that writes more than one row makes the index write out all that it holds in memory.
        let sql = format!(
            "INSERT OR REPLACE INTO {index} (rowid, name, chart, summary, keywords, readme, filters)
             VALUES (-?, ?, ?, ?, ?, ?, ?)"
        );
        let values = values![number, name, self.chart, summary, keywords, readme.flatten(), filters];
        sql::execute(tx, &sql, values).map(drop)
    }
}
