//! Where in the log something happened, and rows that remember what they were.
//!
//! A row that keeps its past stands in a small live table with the position it is valid from. When it changes at
//! position *p*, what it was goes to the end of `<table>_history`, valid to *p*: the row as of position *q* is the one
//! with `valid_from <= q < valid_to`, or the live one.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::ids::AccountId;
use rusqlite::{Connection, Transaction, types::Value};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    checkpoint,
    error::ViewError,
    page::Conditions,
    sql::{self, Bound, ToColumn, values},
};

/// When something happened, where that stands in the log, and who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub position: u64,
    #[serde(serialize_with = "in_one_piece")]
    pub at: DateTime<Utc>,
    /// `None` is Charthouse itself.
    pub by: Option<AccountId>,
}

/// As the library would write it, which does so letter by letter: there are several in every row.
fn in_one_piece<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// When the views are asked about; see [`Views::read_at`](crate::Views::read_at).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Moment {
    #[default]
    Now,
    /// Right after the event at this position.
    At(u64),
}

impl Moment {
    /// Right after the last event at `time` or before.
    ///
    /// # Errors
    ///
    /// [`ViewError::BeforeTheLog`] if the first event came later.
    pub fn at_time(conn: &Connection, time: DateTime<Utc>) -> Result<Self, ViewError> {
        let after = first_position_not(conn, |at| at <= time)?;
        after.checked_sub(1).map(Self::At).ok_or(ViewError::BeforeTheLog(time))
    }
}

/// A span of time. Events have the log's time, which never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// A period that would end before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the period ends at {until}, before it begins at {from}")]
pub struct ReversedPeriod {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Period {
    /// From `from`, which belongs to it, to `until`, which does not; open where there is none.
    ///
    /// # Errors
    ///
    /// [`ReversedPeriod`] if it ends before it begins.
    pub fn new(from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Result<Self, ReversedPeriod> {
        match (from, until) {
            (Some(from), Some(until)) if until < from => Err(ReversedPeriod { from, until }),
            _ => Ok(Self { from, until }),
        }
    }

    /// The first moment that belongs to it.
    #[must_use]
    pub const fn from(&self) -> Option<DateTime<Utc>> {
        self.from
    }

    /// The first moment after it.
    #[must_use]
    pub const fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    /// Restricts `column`, which holds positions, to what happened in this period.
    pub(crate) fn restrict(self, conn: &Connection, column: &str, conditions: &mut Conditions) -> rusqlite::Result<()> {
        if let Some(from) = self.from {
            conditions.add(
                &format!("{column} >= ?"),
                values![first_position_not(conn, |at| at < from)?],
            );
        }
        if let Some(until) = self.until {
            conditions.add(
                &format!("{column} < ?"),
                values![first_position_not(conn, |at| at < until)?],
            );
        }
        Ok(())
    }
}

/// The position of the first event whose time is not `early`, or where it will be.
fn first_position_not(conn: &Connection, early: impl Fn(DateTime<Utc>) -> bool) -> rusqlite::Result<u64> {
    let mut low = 0;
    let mut high = checkpoint::position(conn)?;
    while low < high {
        let middle = low.midpoint(high);
        let found = sql::first(conn, "SELECT at FROM audit WHERE position = ?", values![middle], |c| {
            c.take()
        })?;
        if found.is_some_and(&early) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// A row of a live table with a history.
pub(crate) trait Kept: PartialEq {
    /// What names the row.
    type Key: Ord;
    const TABLE: &'static str;
    /// The columns that name the row, then the others; `valid_from` comes after them.
    const KEY: &'static [&'static str];
    const COLUMNS: &'static [&'static str];
    /// What the past is looked up by and listed in the order of: lists of columns.
    const PAST_KEYS: &'static [&'static str];
    /// What is read of all the rows of a moment, where that is asked for: [`past::whole`](crate::past::whole).
    const OF_A_MOMENT: Option<&'static str> = None;

    /// Those that change the table, made once: [`statements!`](crate::moment::statements) writes this.
    fn statements() -> &'static Statements;
    fn key(&self) -> Self::Key;
    fn key_values(key: &Self::Key) -> Vec<Value>;
    /// The values of the columns after the key.
    fn values(&self) -> Vec<Value>;
}

/// How long a past row was live: the octal digits of the number of events. Those of a moment that lived for *n* digits came
/// within the 8^*n* events before it, so they are found without passing over everything that was past by then.
pub(crate) const SPAN: &str = "length(printf('%o', valid_to - valid_from))";
/// As long as a log can be.
pub(crate) const SPAN_MAX: u32 = 20;

/// The history table of a live table that exists.
pub(crate) fn create_history<R: Kept>(conn: &Connection) -> rusqlite::Result<()> {
    let table = R::TABLE;
    conn.execute_batch(&format!(
        "CREATE TABLE {table}_history AS SELECT *, 0 AS valid_to FROM {table} WHERE 0"
    ))?;
    if let Some(read) = R::OF_A_MOMENT {
        conn.execute_batch(&format!(
            "CREATE INDEX {table}_history_by_span ON {table}_history ({SPAN}, valid_from, valid_to, {read})"
        ))?;
    }
    for (n, key) in R::PAST_KEYS.iter().enumerate() {
        // With its validity in the index, a row of another moment is passed over without being read.
        conn.execute_batch(&format!(
            "CREATE INDEX {table}_history_{n} ON {table}_history ({key}, valid_to, valid_from)"
        ))?;
    }
    Ok(())
}

/// What a batch does to a live table and its history. However often a row changes within the batch it is written once, in
/// the end; what it was each time goes into the history.
pub(crate) struct Changes<R: Kept> {
    rows: BTreeMap<R::Key, Changed<R>>,
    past: Vec<Bound>,
}

struct Changed<R> {
    /// With the position it is valid from; `None` if it is gone.
    now: Option<(u64, R)>,
    /// Whether the table has what was live before the batch.
    in_table: bool,
}

impl<R: Kept> Default for Changes<R> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            past: vec![],
        }
    }
}

impl<R: Kept> Changes<R> {
    /// The row under this key, if the batch made it what it is.
    pub(crate) fn get(&self, key: &R::Key) -> Option<&R> {
        let (_, row) = self.rows.get(key)?.now.as_ref()?;
        Some(row)
    }

    /// Makes the live row `after`, and keeps what it was `before`, if that is another.
    ///
    /// What only held between two changes at the same position was never seen by anybody and is not kept.
    pub(crate) fn replace(&mut self, position: u64, before: Option<&R>, after: Option<R>) {
        if before == after.as_ref() {
            return;
        }
        if let Some(before) = before {
            self.close(position, before.key());
        }
        if let Some(after) = after {
            let changed = self.rows.entry(after.key()).or_insert(Changed {
                now: None,
                in_table: false,
            });
            changed.now = Some((position, after));
        }
    }

    fn close(&mut self, position: u64, key: R::Key) {
        let statements = R::statements();
        let Some(changed) = self.rows.get_mut(&key) else {
            let mut values = values![position, position];
            values.extend(R::key_values(&key));
            self.past.push(Bound::new(&statements.close, values));
            let gone = Changed {
                now: None,
                in_table: true,
            };
            self.rows.insert(key, gone);
            return;
        };
        if let Some((since, row)) = changed.now.take()
            && since < position
        {
            let mut values = written(&key, &row, since);
            values.push(position.to_value());
            self.past.push(Bound::new(&statements.keep, values));
        }
    }

    /// What writes the rows that became past since it was last taken. It is to be run before what writes the live rows.
    pub(crate) fn take_past(&mut self) -> Vec<Bound> {
        std::mem::take(&mut self.past)
    }

    /// What writes all of it. Live rows that are gone go first, since others may have what was theirs alone.
    pub(crate) fn take(&mut self) -> Vec<Bound> {
        let statements = R::statements();
        let mut taken = self.take_past();
        let rows = std::mem::take(&mut self.rows);
        let gone = rows
            .iter()
            .filter(|(_, changed)| changed.now.is_none() && changed.in_table);
        taken.extend(gone.map(|(key, _)| Bound::new(&statements.delete, R::key_values(key))));
        let live = rows.iter().filter_map(|(key, changed)| {
            let (since, row) = changed.now.as_ref()?;
            Some(Bound::new(&statements.put, written(key, row, *since)))
        });
        taken.extend(live);
        taken
    }

    pub(crate) fn write(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        sql::run(tx, self.take())
    }
}

/// The values of a live row.
fn written<R: Kept>(key: &R::Key, row: &R, since: u64) -> Vec<Value> {
    let mut values = R::key_values(key);
    // Room for what the caller adds, too.
    values.reserve_exact(R::COLUMNS.len() + 2);
    values.extend(row.values());
    values.push(since.to_value());
    values
}

/// The statements that change a live table and its history.
pub(crate) struct Statements {
    /// Keeps a row that the table has.
    close: String,
    /// Keeps a row that only the batch has.
    keep: String,
    delete: String,
    put: String,
}

impl Statements {
    pub(crate) fn of<R: Kept>() -> Self {
        let (table, columns, named) = (R::TABLE, columns::<R>(), named::<R>());
        let others = ", ?".repeat(R::KEY.len() + R::COLUMNS.len());
        let key = R::KEY.join(", ");
        let changed = |column: &&str| format!("{column} = excluded.{column}");
        let changed: Vec<_> = R::COLUMNS.iter().chain(&["valid_from"]).map(changed).collect();
        Self {
            close: format!(
                "INSERT INTO {table}_history ({columns}, valid_to)
                 SELECT {columns}, ? FROM {table} WHERE valid_from < ? AND {named}"
            ),
            keep: format!("INSERT INTO {table}_history ({columns}, valid_to) VALUES (?{others}, ?)"),
            delete: format!("DELETE FROM {table} WHERE {named}"),
            put: format!(
                "INSERT INTO {table} ({columns}) VALUES (?{others}) ON CONFLICT ({key}) DO UPDATE SET {}",
                changed.join(", ")
            ),
        }
    }
}

macro_rules! statements {
    () => {
        fn statements() -> &'static $crate::moment::Statements {
            static MADE: std::sync::OnceLock<$crate::moment::Statements> = std::sync::OnceLock::new();
            MADE.get_or_init($crate::moment::Statements::of::<Self>)
        }
    };
}
pub(crate) use statements;

fn columns<R: Kept>() -> String {
    format!("{}, {}, valid_from", R::KEY.join(", "), R::COLUMNS.join(", "))
}

/// The condition that a row has the key that is bound.
fn named<R: Kept>() -> String {
    format!("{} = ?", R::KEY.join(" = ? AND "))
}
