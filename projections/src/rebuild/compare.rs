//! Whether the views in use are what the log says they are, row for row.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use eventstore::{Blobs, EventStore};
use rusqlite::{Connection, types::ValueRef};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{
    error::ViewError,
    file::{self, DeferredIndexes},
    projector,
    writer::Writer,
};

/// Differences told of each table; the others are only counted.
const DIFFERENCES_PER_TABLE_MAX: usize = 100;
/// A table of the search index itself is not compared: which words lead where, is.
const TABLES: &str = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE '%store\\_text\\_%' ESCAPE '\\'
                      UNION SELECT name FROM live.sqlite_schema WHERE type = 'table' AND name NOT LIKE '%store\\_text\\_%' ESCAPE '\\'
                      ORDER BY name";
const WORDS: &str = "
CREATE VIRTUAL TABLE temp.words_rebuilt USING fts5vocab (main, store_text, instance);
CREATE VIRTUAL TABLE temp.words_live USING fts5vocab (live, store_text, instance);
CREATE VIRTUAL TABLE temp.past_words_rebuilt USING fts5vocab (main, past_store_text, instance);
CREATE VIRTUAL TABLE temp.past_words_live USING fts5vocab (live, past_store_text, instance);";

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// How many events both have applied.
    pub events: u64,
    /// How many rows were compared, of those that the log says there are.
    pub rows: u64,
    pub tables: Vec<TableDifferences>,
}

/// A table that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifferences {
    pub table: String,
    pub count: u64,
    /// The first of them, by key.
    pub first: Vec<Difference>,
}

/// A row that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What names the row in its table.
    pub key: String,
    /// What the views in use have; `None` if they lack the row.
    pub live: Option<String>,
    /// What the log says; `None` if there should be no such row.
    pub rebuilt: Option<String>,
}

/// Folds the log anew into the file `scratch`, as far as the view file `live` has come, and compares the two. `live` is
/// only read, and may be in use.
///
/// # Errors
///
/// [`ViewError`] if one of them, or the log, cannot be read.
pub async fn compare(
    live: &Path,
    scratch: &Path,
    log: &EventStore,
    blobs: &Blobs,
    report: impl Fn(u64, u64),
) -> Result<Comparison, ViewError> {
    let conn = file::create_scratch(scratch, log)?;
    // Rows are compared, and nothing is looked up.
    DeferredIndexes::of(&conn)?;
    let writer = Arc::new(Mutex::new(Writer::of_scratch(conn)?));
    let (conn, size) = hold(live, scratch)?;
    report(0, size);
    let applied = |events| report(events, size);
    projector::advance(&writer, log, blobs, size, super::EVENTS_PER_STEP, applied).await?;
    drop(writer);
    let compared = spawn_blocking(move || differences(&conn, size));
    compared.await.map_err(|_| ViewError::Abandoned)?
}

/// A connection to both files on which `live` stands still, and how many events it has applied there.
fn hold(live: &Path, scratch: &Path) -> Result<(Connection, u64), ViewError> {
    let conn = file::open_for_reading(scratch)?;
    // Attached to a connection that cannot write, it cannot be written either.
    conn.execute("ATTACH ? AS live", [live.to_string_lossy()])?;
    conn.execute_batch("BEGIN")?;
    let size: i64 = conn.query_row("SELECT position FROM live.checkpoint", [], |row| row.get(0))?;
    Ok((conn, u64::try_from(size).unwrap_or_default()))
}

fn differences(conn: &Connection, events: u64) -> Result<Comparison, ViewError> {
    conn.execute_batch(WORDS)?;
    let mut statement = conn.prepare(TABLES)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut compared = Comparison {
        events,
        rows: 0,
        tables: vec![],
    };
    for table in tables {
        let pair = Pair::of(conn, table)?;
        compared.rows += pair.rows(conn)?;
        compared.tables.extend(pair.differences(conn)?);
    }
    Ok(compared)
}

/// The same table, in use and as it was rebuilt.
struct Pair {
    name: String,
    live: String,
    rebuilt: String,
    columns: Vec<String>,
    /// How many of the columns, which come first, name a row.
    key: usize,
}

impl Pair {
    fn of(conn: &Connection, name: String) -> rusqlite::Result<Self> {
        let (live, rebuilt, described) = match name.as_str() {
            "store_text" => (
                "temp.words_live".to_owned(),
                "temp.words_rebuilt".to_owned(),
                "words_rebuilt",
            ),
            "past_store_text" => (
                "temp.past_words_live".to_owned(),
                "temp.past_words_rebuilt".to_owned(),
                "past_words_rebuilt",
            ),
            table => (format!("live.\"{table}\""), format!("main.\"{table}\""), table),
        };
        // Those of the key come first; a table without one is compared by whole rows.
        let sql = "SELECT name, pk > 0 FROM pragma_table_info(?) ORDER BY pk = 0, pk, cid";
        let mut statement = conn.prepare(sql)?;
        let found: Vec<(String, bool)> = statement
            .query_map([described], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let key = match found.iter().filter(|(_, is_key)| *is_key).count() {
            0 => found.len(),
            key => key,
        };
        Ok(Self {
            name,
            live,
            rebuilt,
            columns: found.into_iter().map(|(column, _)| format!("\"{column}\"")).collect(),
            key,
        })
    }

    fn rows(&self, conn: &Connection) -> rusqlite::Result<u64> {
        let count: i64 = conn.query_row(&format!("SELECT count(*) FROM {}", self.rebuilt), [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn differences(&self, conn: &Connection) -> Result<Option<TableDifferences>, ViewError> {
        let mut found: BTreeMap<String, Difference> = BTreeMap::new();
        for (key, row) in self.only_in(conn, &self.live, &self.rebuilt)? {
            found.entry(key).or_insert_with_key(|key| Difference::at(key)).live = Some(row);
        }
        for (key, row) in self.only_in(conn, &self.rebuilt, &self.live)? {
            found.entry(key).or_insert_with_key(|key| Difference::at(key)).rebuilt = Some(row);
        }
        Ok((!found.is_empty()).then(|| TableDifferences {
            table: self.name.clone(),
            count: found.len() as u64,
            first: found.into_values().take(DIFFERENCES_PER_TABLE_MAX).collect(),
        }))
    }

    /// Keys and rows of `one` that are not in `other`.
    fn only_in(&self, conn: &Connection, one: &str, other: &str) -> rusqlite::Result<Vec<(String, String)>> {
        let columns = self.columns.join(", ");
        let sql = format!("SELECT {columns} FROM {one} EXCEPT SELECT {columns} FROM {other}");
        let mut statement = conn.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            let shown = |range: std::ops::Range<usize>| -> rusqlite::Result<String> {
                let values = range.map(|i| {
                    Ok(format!(
                        "{}={}",
                        self.columns[i].trim_matches('"'),
                        text(row.get_ref(i)?)
                    ))
                });
                Ok(values.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
            };
            Ok((shown(0..self.key)?, shown(self.key..self.columns.len())?))
        })?;
        rows.collect()
    }
}

impl Difference {
    fn at(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            live: None,
            rebuilt: None,
        }
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
