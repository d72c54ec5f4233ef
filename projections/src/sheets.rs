//! Views as sheets: rows of named values, alike for every view, for whoever prints or compares whole views.

mod definitions;
pub mod touched;

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::DateTime;
use domain::digest::Digest;
use rusqlite::{Connection, types::ValueRef};
use serde_json::Value;
use uuid::Uuid;

use self::definitions::{Definition, Kind};
use crate::{error::ViewError, sql};

/// What can be shown whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    Store,
    Apps,
    Versions,
    ReviewQueue,
    Categories,
    Workspaces,
    Projects,
    Clusters,
    Accounts,
    Roles,
    Grants,
    Invitations,
    ReviewPolicy,
    Releases,
    Revisions,
    Audit,
    Decisions,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no view {asked:?}; there are {}", View::names())]
pub struct UnknownView {
    asked: String,
}

/// A view at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub view: View,
    pub columns: Vec<Column>,
    /// In the view's own order.
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// Whether a narrow table should have it.
    pub is_brief: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Names the row in its view, as long as the thing it is about exists.
    pub key: String,
    /// One for each column. Ids and digests are texts, times are in RFC 3339, sealed text is `{subject, digest}`.
    pub values: Vec<Value>,
}

/// Which rows to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Narrowing {
    /// Only what is about this app.
    pub app: Option<Uuid>,
}

/// What differs between two moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub key: String,
    /// `None` if there was no such row.
    pub before: Option<Vec<Value>>,
    /// `None` if there is none any more.
    pub after: Option<Vec<Value>>,
}

/// All rows of a view that `narrowing` leaves.
pub fn sheet(conn: &Connection, view: View, narrowing: Narrowing) -> Result<Sheet, ViewError> {
    let definition = view.definition();
    let mut sql = definition.select();
    let mut values = vec![];
    if let (Some(app), Some(column)) = (narrowing.app, definition.app) {
        sql.push_str(&format!(" WHERE {column} = ?"));
        values.push(app.as_bytes().to_vec());
    }
    sql.push_str(&format!(" ORDER BY {}", definition.order));
    let mut statement = conn.prepare(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        let value = |(i, column): (usize, &definitions::Column)| Ok(column.kind.read(row.get_ref(i + 1)?));
        Ok(Row {
            key: row.get(0)?,
            values: definition
                .columns
                .iter()
                .enumerate()
                .map(value)
                .collect::<rusqlite::Result<_>>()?,
        })
    })?;
    Ok(Sheet {
        view,
        columns: definition.columns().collect(),
        rows: rows.collect::<Result<_, _>>()?,
    })
}

/// What people call the things that ids stand for, as of the same moment; people's own names are not among them.
pub fn names(conn: &Connection) -> Result<BTreeMap<Uuid, String>, ViewError> {
    let sql =
        "SELECT id, chart FROM app UNION ALL SELECT id, name FROM workspace UNION ALL SELECT id, name FROM project
               UNION ALL SELECT id, name FROM cluster UNION ALL SELECT id, name FROM category
               UNION ALL SELECT id, json_extract(row, '$.name') FROM release";
    let named = sql::rows(conn, sql, vec![], |c| Ok((c.take()?, c.take()?)))?;
    Ok(named.into_iter().collect())
}

/// The apps, among those that are not deleted, that are called or identified so.
pub fn apps_named(conn: &Connection, name: &str) -> Result<Vec<Uuid>, ViewError> {
    let sql = "SELECT id FROM app WHERE id = ? OR (chart = ? AND status <> 'deleted')";
    let values = sql::values![Uuid::try_parse(name).ok(), name];
    Ok(sql::rows(conn, sql, values, sql::value)?)
}

impl Sheet {
    /// What is different in `later`, by key.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<Change> {
        let by_key = |sheet: &Self| -> BTreeMap<String, Vec<Value>> {
            let rows = sheet.rows.iter();
            rows.map(|row| (row.key.clone(), row.values.clone())).collect()
        };
        let (mut before, after) = (by_key(self), by_key(later));
        let mut changes = vec![];
        for (key, after) in after {
            let before = before.remove(&key);
            if before.as_ref() != Some(&after) {
                changes.push(Change {
                    key,
                    before,
                    after: Some(after),
                });
            }
        }
        changes.extend(before.into_iter().map(|(key, before)| Change {
            key,
            before: Some(before),
            after: None,
        }));
        changes
    }
}

impl View {
    pub const ALL: [Self; 17] = [
        Self::Store,
        Self::Apps,
        Self::Versions,
        Self::ReviewQueue,
        Self::Categories,
        Self::Workspaces,
        Self::Projects,
        Self::Clusters,
        Self::Accounts,
        Self::Roles,
        Self::Grants,
        Self::Invitations,
        Self::ReviewPolicy,
        Self::Releases,
        Self::Revisions,
        Self::Audit,
        Self::Decisions,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Apps => "apps",
            Self::Versions => "versions",
            Self::ReviewQueue => "reviewQueue",
            Self::Categories => "categories",
            Self::Workspaces => "workspaces",
            Self::Projects => "projects",
            Self::Clusters => "clusters",
            Self::Accounts => "accounts",
            Self::Roles => "roles",
            Self::Grants => "grants",
            Self::Invitations => "invitations",
            Self::ReviewPolicy => "reviewPolicy",
            Self::Releases => "releases",
            Self::Revisions => "revisions",
            Self::Audit => "audit",
            Self::Decisions => "decisions",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// Whether its rows are about apps, so that it can be narrowed to one.
    #[must_use]
    pub const fn is_about_apps(self) -> bool {
        self.definition().app.is_some()
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for View {
    type Err = UnknownView;

    fn from_str(text: &str) -> Result<Self, UnknownView> {
        let found = Self::ALL.into_iter().find(|view| view.as_str() == text);
        found.ok_or_else(|| UnknownView { asked: text.to_owned() })
    }
}

impl Definition {
    fn columns(&self) -> impl Iterator<Item = Column> {
        self.columns.iter().enumerate().map(|(i, column)| Column {
            name: column.name,
            is_brief: i < self.brief,
        })
    }

    fn select(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|column| column.sql).collect();
        let key = self.key.replace("{row}", "t");
        format!("SELECT {key}, {} FROM {}", columns.join(", "), self.from)
    }
}

impl Kind {
    fn read(self, value: ValueRef<'_>) -> Value {
        match (self, value) {
            (_, ValueRef::Null) => Value::Null,
            (Self::Time, ValueRef::Integer(millis)) => {
                DateTime::from_timestamp_millis(millis).map_or(Value::Null, rfc3339)
            }
            (Self::Flag, ValueRef::Integer(flag)) => Value::Bool(flag != 0),
            (_, ValueRef::Integer(number)) => number.into(),
            (_, ValueRef::Real(number)) => number.into(),
            (Self::Json, ValueRef::Text(json)) => serde_json::from_slice(json).unwrap_or_default(),
            (_, ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned().into(),
            (_, ValueRef::Blob(bytes)) => named_by(bytes),
        }
    }
}

/// What the log calls these bytes: an id, or a digest.
fn named_by(bytes: &[u8]) -> Value {
    let digest = || bytes.try_into().ok().map(|bytes| Digest::from_bytes(bytes).to_string());
    let id = Uuid::from_slice(bytes).ok().map(|id| id.to_string());
    id.or_else(digest).map_or(Value::Null, Value::from)
}

fn rfc3339(time: DateTime<chrono::Utc>) -> Value {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into()
}
