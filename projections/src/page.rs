//! Lists, a page at a time. A page goes on after a key, not after a count: rows that come or go between two pages
//! neither repeat nor hide others.

use rusqlite::{Connection, types::Value};

use crate::{
    error::ViewError,
    sql::{self, Columns, ToColumn},
};

pub const PAGE_MAX: usize = 100;

/// Where in a list a row stands. Means something only to the list it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// A key that a client brought back; the list it is given to checks it.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn to_position(&self) -> Result<u64, ViewError> {
        self.0.parse().map_err(|_| ViewError::InvalidKey(self.0.clone()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    first: usize,
    after: Option<Key>,
}

impl PageRequest {
    /// At most `first` rows, of which there are at least 1 and at most [`PAGE_MAX`], after the one with key `after`.
    #[must_use]
    pub fn new(first: usize, after: Option<Key>) -> Self {
        Self {
            first: first.clamp(1, PAGE_MAX),
            after,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed<T> {
    pub key: Key,
    pub row: T,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<Keyed<T>>,
    pub has_next: bool,
}

/// An empty one.
impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            has_next: false,
        }
    }
}

/// The conditions of a statement. Only those that are asked for are written into it, because a parameter that may be
/// absent would keep the database from choosing an index.
#[derive(Default)]
pub(crate) struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    /// `condition` has one `?` for each of `values`.
    pub(crate) fn add(&mut self, condition: &str, values: Vec<Value>) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    pub(crate) fn add_if<T: ToColumn>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.add(condition, vec![value.to_value()]);
        }
    }

    /// `select` under these conditions, and what is bound in it.
    pub(crate) fn statement(self, select: &str) -> (String, Vec<Value>) {
        (format!("{select}{}", self.sql), self.values)
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// What the rows of a list are ordered by.
#[derive(Clone, Copy)]
pub(crate) enum KeyKind {
    Position,
    Text,
}

/// A list whose rows stand in the order of one column, which is also the first one selected.
pub(crate) struct List<'a> {
    /// `SELECT` and `FROM`, without conditions.
    pub(crate) select: &'a str,
    pub(crate) column: &'a str,
    pub(crate) kind: KeyKind,
    pub(crate) order: Order,
}

impl List<'_> {
    /// `row` reads the columns after the first.
    pub(crate) fn page<T>(
        &self,
        conn: &Connection,
        mut conditions: Conditions,
        request: &PageRequest,
        row: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
    ) -> Result<Page<T>, ViewError> {
        let (beyond, order) = match self.order {
            Order::Ascending => (">", "ASC"),
            Order::Descending => ("<", "DESC"),
        };
        let column = self.column;
        if let Some(after) = &request.after {
            conditions.add(&format!("{column} {beyond} ?"), vec![self.kind.value(after)?]);
        }
        let (select, limit) = (self.select, request.limit());
        let sql = format!("{select}{} ORDER BY {column} {order} LIMIT {limit}", conditions.sql);
        let keyed = |columns: &mut Columns<'_, '_>| self.kind.keyed(columns, &row);
        Ok(request.page(sql::rows(conn, &sql, conditions.values, keyed)?))
    }
}

impl KeyKind {
    /// Reads the key, then the row.
    pub(crate) fn keyed<T>(
        self,
        columns: &mut Columns<'_, '_>,
        row: &impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Keyed<T>> {
        let key = match self {
            Self::Position => Key(columns.take::<u64>()?.to_string()),
            Self::Text => Key(columns.take()?),
        };
        Ok(Keyed {
            key,
            row: row(columns)?,
        })
    }

    pub(crate) fn value(self, key: &Key) -> Result<Value, ViewError> {
        Ok(match self {
            Self::Position => key.to_position()?.to_value(),
            Self::Text => key.0.to_value(),
        })
    }
}

impl PageRequest {
    pub(crate) const fn after(&self) -> Option<&Key> {
        self.after.as_ref()
    }

    /// One row more than the page shows tells whether there is a next page. It is written into the statement: a
    /// parameter there would make the database prepare again on every execution.
    pub(crate) const fn limit(&self) -> usize {
        self.first + 1
    }

    /// The page of those rows of `list` that `keep` keeps, out of as many of its pages as that takes.
    pub fn sift<T>(
        &self,
        list: impl Fn(&Self) -> Result<Page<T>, ViewError>,
        keep: impl Fn(&Keyed<T>) -> bool,
    ) -> Result<Page<T>, ViewError> {
        let (mut kept, mut request) = (Vec::new(), self.clone());
        loop {
            let Page { items, has_next } = list(&request)?;
            request.after = items.last().map(|item| item.key.clone());
            kept.extend(items.into_iter().filter(&keep));
            if !has_next || kept.len() > self.first {
                return Ok(self.page(kept));
            }
        }
    }

    pub(crate) fn page<T>(&self, mut items: Vec<Keyed<T>>) -> Page<T> {
        let has_next = items.len() > self.first;
        items.truncate(self.first);
        Page { items, has_next }
    }
}
