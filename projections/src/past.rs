//! Connections on which the views stand at an earlier moment.
//!
//! Over every table with a history, such a connection has a temporary view of the same name, which statements find
//! first: it holds the rows that were live at the position the connection was turned to. So a question is written once,
//! and asked of the present or of the past by asking it of another connection.
//!
//! Such a view is for rows that are looked up, or listed from where a page begins. What is asked of all rows at once is
//! asked of [`whole`] tables.

use std::path::Path;

use rusqlite::Connection;

use crate::{
    checkpoint,
    error::ViewError,
    file,
    moment::{SPAN, SPAN_MAX},
    sql::{self, values},
};

/// Tables with a history, with their columns, and whether the history can be read by how long its rows lived.
const TABLES: &str = "
SELECT live.name, (SELECT group_concat(name) FROM pragma_table_info(live.name)),
       EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = past.name || '_by_span')
FROM main.sqlite_schema live JOIN main.sqlite_schema past ON past.name = live.name || '_history'";

/// A connection that cannot write, and has to be [turned](turn_to) to a moment before it is asked anything.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let conn = file::open_for_reading(path)?;
    let tables: Vec<(String, String, bool)> =
        sql::rows(&conn, TABLES, vec![], |c| Ok((c.take()?, c.take()?, c.take()?)))?;
    for (table, columns, by_span) in &tables {
        conn.execute_batch(&view(table, columns))?;
        if *by_span {
            conn.execute_batch(&whole_view(table, columns))?;
        }
    }
    // The index of words is of the present alone, and has another beside it. Hidden, it is not taken for more.
    conn.execute_batch("CREATE TEMP VIEW store_text AS SELECT 0 AS place WHERE 0")?;
    Ok(conn)
}

const MOMENT: &str = "(SELECT position FROM temp.moment)";

/// Turns to the moment right after the event at `position`, in the reader's transaction.
pub(crate) fn turn_to(conn: &Connection, position: u64) -> Result<(), ViewError> {
    let reached = checkpoint::position(conn)?;
    if position >= reached {
        return Err(ViewError::InTheFuture {
            asked: position,
            reached,
        });
    }
    sql::execute(conn, "UPDATE temp.moment SET position = ?", values![position])?;
    Ok(())
}

/// Where the moment stands that a connection was turned to. Every connection of the views has it.
pub(crate) const SCHEMA: &str = "
CREATE TEMP TABLE moment (position INTEGER);
INSERT INTO temp.moment VALUES (NULL);
";

/// The position of the event that the views stand right after; `None` on a connection that reads the present.
pub(crate) fn moment(conn: &Connection) -> rusqlite::Result<Option<u64>> {
    Ok(sql::first(conn, "SELECT position FROM temp.moment", vec![], sql::value)?.flatten())
}

/// What a list has to know before it reads its rows, asked for at once.
pub(crate) struct Standing {
    /// The epoch of the log that the views are of. Positions mean nothing in another.
    pub(crate) epoch: String,
    /// As [`moment`].
    pub(crate) moment: Option<u64>,
}

impl Standing {
    pub(crate) fn of(conn: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT epoch, (SELECT position FROM temp.moment) FROM checkpoint";
        let found = sql::first(conn, sql, vec![], |c| {
            Ok(Self {
                epoch: c.take()?,
                moment: c.take()?,
            })
        })?;
        found.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }
}

/// What all rows of a table are read from: the table itself, or those that were live at the moment.
pub(crate) fn whole(conn: &Connection, table: &str) -> rusqlite::Result<String> {
    Ok(match moment(conn)? {
        None => table.to_owned(),
        Some(_) => format!("whole_{table}"),
    })
}

/// The statement that covers `table` with its rows as of the moment.
fn view(table: &str, columns: &str) -> String {
    format!(
        "CREATE TEMP VIEW {table} AS
         SELECT {columns} FROM main.{table} WHERE valid_from <= {MOMENT}
         UNION ALL
         SELECT {columns} FROM main.{table}_history WHERE valid_from <= {MOMENT} AND valid_to > {MOMENT}"
    )
}

/// The statement that makes a view of all rows of the moment, which reads little more of the history than these. The live
/// rows are read in whatever order suits the question: an index of when they came would be used to leave out few.
fn whole_view(table: &str, columns: &str) -> String {
    let spans: Vec<_> = (1..=SPAN_MAX).map(|digits| format!("({digits})")).collect();
    let spans = spans.join(", ");
    format!(
        "CREATE TEMP VIEW whole_{table} AS
         SELECT {columns} FROM main.{table} WHERE +valid_from <= {MOMENT}
         UNION ALL
         SELECT {columns} FROM (VALUES {spans}) span CROSS JOIN main.{table}_history
         WHERE {SPAN} = span.column1 AND valid_from > {MOMENT} - (1 << 3 * span.column1)
               AND valid_from <= {MOMENT} AND valid_to > {MOMENT}"
    )
}
