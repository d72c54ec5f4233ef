//! The words of the store: written once at the end of a batch, however often an entry changed within it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{digest::Digest, ids::CategoryId, names::ChartName};
use rusqlite::Transaction;

use super::Row;
use crate::{
    search::shelf_token,
    sql::{self, values},
};

/// What a batch does to the index.
#[derive(Default)]
pub(crate) struct TextChanges {
    /// Places that were in the index before the batch.
    stale: BTreeSet<u64>,
    fresh: BTreeMap<u64, Row>,
    /// Content that is gone.
    removed: BTreeSet<Digest>,
}

impl TextChanges {
    pub(super) fn note(&mut self, before: Option<&Row>, after: Option<Row>) {
        if let Some(before) = before
            && self.fresh.remove(&before.published).is_none()
        {
            self.stale.insert(before.published);
        }
        self.fresh.extend(after.map(|row| (row.published, row)));
    }

    /// What was removed is not found any more.
    pub(crate) fn forget(&mut self, content: Digest) {
        self.removed.insert(content);
    }

    pub(crate) fn write(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        self.stale.iter().try_for_each(|place| delete(tx, *place))?;
        for content in &self.removed {
            for entry in Text::naming(tx, *content)? {
                // What comes in with this batch is written below.
                if !self.fresh.contains_key(&entry.place) {
                    delete(tx, entry.place)?;
                    entry.insert(tx)?;
                }
            }
        }
        self.fresh.values().try_for_each(|row| Text::of(row).insert(tx))
    }
}

fn delete(tx: &Transaction<'_>, place: u64) -> rusqlite::Result<()> {
    sql::execute(tx, "DELETE FROM store_text WHERE rowid = ?", values![place]).map(drop)
}

/// What an entry is found by: its listing, and the README of the version it offers first.
struct Text {
    place: u64,
    chart: ChartName,
    category: Option<CategoryId>,
    listing: Digest,
    chart_document: Digest,
}

impl Text {
    fn of(row: &Row) -> Self {
        Self {
            place: row.published,
            chart: row.chart.clone(),
            category: row.category,
            listing: row.listing,
            chart_document: row.chart_document,
        }
    }

    fn naming(tx: &Transaction<'_>, content: Digest) -> rusqlite::Result<Vec<Self>> {
        let sql = "SELECT published, chart, category, listing, chart_document FROM store_entry
                   WHERE listing = ?1 OR chart_document = ?1";
        sql::rows(tx, sql, values![content], |columns| {
            Ok(Self {
                place: columns.take()?,
                chart: columns.take()?,
                category: columns.take()?,
                listing: columns.take()?,
                chart_document: columns.take()?,
            })
        })
    }

    fn insert(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO store_text (rowid, name, chart, summary, keywords, readme, category)
                   SELECT ?1, l.display_name, ?2, l.summary, l.keywords, c.readme, ?3
                   FROM (SELECT 1) LEFT JOIN listing l ON l.digest = ?4 LEFT JOIN chart c ON c.digest = ?5";
        let shelf = shelf_token(self.category);
        let values = values![self.place, self.chart, shelf, self.listing, self.chart_document];
        sql::execute(tx, sql, values).map(drop)
    }
}
