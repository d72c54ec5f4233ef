//! The words of the store: written once at the end of a batch, however often an entry changed within it.

use std::collections::{BTreeMap, BTreeSet};

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

    pub(crate) fn write(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        for place in &self.stale {
            sql::execute(tx, "DELETE FROM store_text WHERE rowid = ?", values![*place])?;
        }
        self.fresh.values().try_for_each(|row| insert(tx, row))
    }
}

/// Makes the entry findable by its listing, and by the README of the version it offers first.
fn insert(tx: &Transaction<'_>, row: &Row) -> rusqlite::Result<()> {
    let sql = "INSERT INTO store_text (rowid, name, chart, summary, keywords, readme, category)
               SELECT ?1, l.display_name, ?2, l.summary, l.keywords, c.readme, ?3
               FROM (SELECT 1) LEFT JOIN listing l ON l.digest = ?4 LEFT JOIN chart c ON c.digest = ?5";
    let shelf = shelf_token(row.category);
    let values = values![row.published, row.chart, shelf, row.listing, row.chart_document];
    sql::execute(tx, sql, values).map(drop)
}
