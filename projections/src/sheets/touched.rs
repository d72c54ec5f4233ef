//! Which event touched which row: noted by the database itself, as the rows change.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::View;
use crate::{error::ViewError, sql};

/// Positions of the events that touched a row, by the row's key.
pub type ByRow = BTreeMap<String, Vec<u64>>;

/// Notes from now on what touches the rows of `views`, on this connection.
///
/// A row of the audit trail is the last that an event leaves, so it tells whose the changes before it were.
pub(crate) fn note(conn: &Connection, views: &[View]) -> rusqlite::Result<()> {
    conn.execute_batch(
        // So that a row that is replaced is noted as one that goes, too.
        "PRAGMA recursive_triggers = ON;
         CREATE TEMP TABLE touched (view TEXT NOT NULL, key TEXT NOT NULL, position INTEGER);
         CREATE INDEX temp.touched_now ON touched (position) WHERE position IS NULL;
         CREATE TEMP TRIGGER touched_by AFTER INSERT ON main.audit BEGIN
             UPDATE touched SET position = NEW.position WHERE position IS NULL;
         END",
    )?;
    for view in views {
        for (table, key) in view.definition().tables {
            watch(conn, *view, table, key)?;
        }
    }
    Ok(())
}

fn watch(conn: &Connection, view: View, table: &str, key: &str) -> rusqlite::Result<()> {
    // What goes into the trail itself is noted under its own position, whichever trigger runs first.
    let position = if view == View::Audit { "NEW.position" } else { "NULL" };
    let events = if view == View::Audit {
        &[("INSERT", "NEW")][..]
    } else {
        // What a row stood for before it was changed may be another than what it stands for now.
        &[
            ("INSERT", "NEW"),
            ("UPDATE", "OLD"),
            ("UPDATE", "NEW"),
            ("DELETE", "OLD"),
        ]
    };
    for (event, row) in events {
        let key = key.replace("{row}", row);
        conn.execute_batch(&format!(
            "CREATE TEMP TRIGGER touched_{view}_{table}_{event}_{row} AFTER {event} ON main.{table} WHEN {key} IS NOT NULL BEGIN
                 INSERT INTO touched VALUES ('{view}', {key}, {position});
             END"
        ))?;
    }
    Ok(())
}

/// The events that touched the rows of a view since it was noted, in order.
///
/// # Errors
///
/// [`ViewError::Database`], also if nothing was noted on this connection.
pub fn by_row(conn: &Connection, view: View) -> Result<ByRow, ViewError> {
    let sql = "SELECT DISTINCT key, position FROM temp.touched WHERE view = ? ORDER BY position";
    let mut touched = ByRow::new();
    let rows = sql::rows(conn, sql, sql::values![view.as_str()], |c| {
        Ok((c.take::<String>()?, c.take::<u64>()?))
    })?;
    for (key, position) in rows {
        touched.entry(key).or_default().push(position);
    }
    Ok(touched)
}
