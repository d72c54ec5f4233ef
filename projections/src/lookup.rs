//! Rows by what names them, many at once: as many statements, however many rows are asked for.

use std::{collections::HashMap, hash::Hash};

use rusqlite::{Connection, types::Value};
use serde::de::DeserializeOwned;

use crate::{
    error::ViewError,
    page::{KeyKind, Keyed, Page, PageRequest},
    sql::{self, Columns, FromColumn, Json, ToColumn},
};

/// What names a row, or a page of rows, in one of the views.
pub trait Lookup: Clone + Eq + Hash + Send + Sync + 'static {
    type Row: Clone + Send + Sync + 'static;

    /// What these name, without those that name nothing.
    ///
    /// # Errors
    ///
    /// As those of the questions about one of them.
    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, Self::Row>, ViewError>;
}

/// A table's rows by their ids. `select` ends before the column of the id.
pub(crate) fn by_id<K: ToColumn + Eq + Hash, R>(
    conn: &Connection,
    select: &str,
    ids: &[K],
    row: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<R>,
    id: impl Fn(&R) -> K,
) -> Result<HashMap<K, R>, ViewError> {
    let (named, value) = match ids {
        [id] => ("= ?", id.to_value()),
        _ => ("IN (SELECT unhex(value) FROM json_each(?))", list(ids)),
    };
    let rows = sql::rows(conn, &format!("{select} {named}"), vec![value], row)?;
    Ok(rows.into_iter().map(|row| (id(&row), row)).collect())
}

/// Ids as one value, which `unhex(value)` of `json_each` takes apart again.
pub(crate) fn list<K: ToColumn>(ids: &[K]) -> Value {
    let texts: Vec<_> = ids.iter().map(hex).collect();
    Json(&texts).to_value()
}

pub(crate) fn hex(id: &impl ToColumn) -> String {
    match id.to_value() {
        Value::Blob(bytes) => ::hex::encode(bytes),
        Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) => String::new(),
    }
}

/// The rows that belong to a parent, the last key first, a page for every parent.
pub(crate) struct Children {
    pub(crate) table: &'static str,
    pub(crate) parent: &'static str,
    pub(crate) key: &'static str,
    pub(crate) kind: KeyKind,
}

impl Children {
    /// The same page of the children of each of `parents`. `condition` is about a child `c`, without parameters.
    pub(crate) fn pages<K, R>(
        &self,
        conn: &Connection,
        parents: &[K],
        condition: &str,
        request: &PageRequest,
    ) -> Result<HashMap<K, Page<R>>, ViewError>
    where
        K: ToColumn + FromColumn + Copy + Eq + Hash,
        R: DeserializeOwned,
    {
        let Self {
            table,
            parent,
            key,
            kind,
        } = self;
        let mut values = vec![list(parents)];
        let after = match request.after() {
            Some(after) => {
                values.push(kind.value(after)?);
                format!("AND c.{key} < ?")
            }
            None => String::new(),
        };
        let limit = request.limit();
        // From each parent to the keys of its page, and from them to the rows: no other row is looked at.
        let sql = format!(
            "SELECT t.{parent}, t.{key}, t.row FROM (SELECT unhex(value) AS id FROM json_each(?)) p
             CROSS JOIN {table} t ON t.{parent} = p.id AND t.{key} IN (
                 SELECT c.{key} FROM {table} c WHERE c.{parent} = p.id AND {condition} {after}
                 ORDER BY c.{key} DESC LIMIT {limit})
             ORDER BY t.{parent}, t.{key} DESC"
        );
        let mut pages: HashMap<K, Vec<Keyed<R>>> = parents.iter().map(|parent| (*parent, vec![])).collect();
        let read = |c: &mut Columns<'_, '_>| Ok((c.take::<K>()?, kind.keyed(c, &sql::json)?));
        for (parent, row) in sql::rows(conn, &sql, values, read)? {
            pages.entry(parent).or_default().push(row);
        }
        let paged = pages.into_iter().map(|(parent, rows)| (parent, request.page(rows)));
        Ok(paged.collect())
    }
}
