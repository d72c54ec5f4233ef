//! Domain values as columns of the view file.

use std::cell::Cell;

use chrono::{DateTime, Utc};
use domain::{
    cluster,
    digest::{Digest, Sealed},
    health::Health,
    ids::{
        AccountId, AppId, AttemptId, CategoryId, ClusterId, DecisionId, ProjectId, ReleaseId, SessionId, SubmissionId,
        TokenId, WorkspaceId,
    },
    names::{
        CategoryName, ChartName, ClusterName, IconName, Namespace, ProjectName, ReleaseName, RoleName, WorkspaceName,
    },
    project::PreparationFailure,
    version_number::VersionNumber,
};
use rusqlite::{
    Connection, Row,
    types::{FromSqlError, FromSqlResult, Value, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A value that one column can hold.
pub(crate) trait ToColumn {
    fn to_value(&self) -> Value;
}

/// A value that can be read from one column.
pub(crate) trait FromColumn: Sized {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self>;
}

/// The values of one row or of one statement's parameters, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::ToColumn::to_value(&$value)),*] };
}
pub(crate) use values;

impl ToColumn for Uuid {
    fn to_value(&self) -> Value {
        Value::Blob(self.as_bytes().to_vec())
    }
}

impl FromColumn for Uuid {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_slice(value.as_blob()?).map_err(FromSqlError::other)
    }
}

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl ToColumn for $id {
            fn to_value(&self) -> Value {
                self.as_uuid().to_value()
            }
        }

        impl FromColumn for $id {
            fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Uuid::from_value(value).map(Self::from_uuid)
            }
        }
    )*};
}

ids!(
    AccountId,
    AppId,
    AttemptId,
    CategoryId,
    ClusterId,
    DecisionId,
    ProjectId,
    ReleaseId,
    SessionId,
    SubmissionId,
    TokenId,
    WorkspaceId
);

macro_rules! texts {
    ($($text:ident),*) => {$(
        impl ToColumn for $text {
            fn to_value(&self) -> Value {
                Value::Text(self.as_str().to_owned())
            }
        }

        impl FromColumn for $text {
            fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )*};
}

texts!(
    CategoryName,
    ChartName,
    ClusterName,
    IconName,
    Namespace,
    ProjectName,
    ReleaseName,
    RoleName
);
texts!(String, VersionNumber, WorkspaceName);

/// What serialises as one stable code is stored as that text.
macro_rules! codes {
    ($($code:ty),*) => {$(
        impl ToColumn for $code {
            fn to_value(&self) -> Value {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(code)) => Value::Text(code),
                    Ok(_) | Err(_) => Value::Null,
                }
            }
        }

        impl FromColumn for $code {
            fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let code = serde_json::Value::from(value.as_str()?);
                serde_json::from_value(code).map_err(FromSqlError::other)
            }
        }
    )*};
}

codes!(cluster::Kind, cluster::Trouble, Health, PreparationFailure);

impl ToColumn for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl<T: ToColumn + ?Sized> ToColumn for &T {
    fn to_value(&self) -> Value {
        (*self).to_value()
    }
}

impl ToColumn for Digest {
    fn to_value(&self) -> Value {
        Value::Blob(self.as_bytes().to_vec())
    }
}

impl FromColumn for Digest {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?.try_into().map_err(FromSqlError::other)?;
        Ok(Self::from_bytes(bytes))
    }
}

/// Milliseconds since 1970, which is what the log keeps.
impl ToColumn for DateTime<Utc> {
    fn to_value(&self) -> Value {
        Value::Integer(self.timestamp_millis())
    }
}

impl FromColumn for DateTime<Utc> {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Self::from_timestamp_millis(millis).ok_or(FromSqlError::OutOfRange(millis))
    }
}

impl ToColumn for u64 {
    fn to_value(&self) -> Value {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl FromColumn for u64 {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        Self::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl ToColumn for bool {
    fn to_value(&self) -> Value {
        Value::Integer(i64::from(*self))
    }
}

impl FromColumn for bool {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(value.as_i64()? != 0)
    }
}

impl ToColumn for Sealed {
    fn to_value(&self) -> Value {
        Json(self).to_value()
    }
}

impl FromColumn for Sealed {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_json(value)
    }
}

impl<T: ToColumn> ToColumn for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToColumn::to_value)
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A row, or a part of one, that no statement looks into.
pub(crate) struct Json<'a, T>(pub(crate) &'a T);

impl<T: Serialize> ToColumn for Json<'_, T> {
    fn to_value(&self) -> Value {
        // Most rows fit, and those that do not are grown for.
        let mut text = Vec::with_capacity(2_048);
        let written = serde_json::to_writer(&mut text, self.0);
        // Very many may wait to be written.
        text.shrink_to_fit();
        // Rows are structs of texts and numbers, which JSON can always express.
        let text = written.ok().and_then(|()| String::from_utf8(text).ok());
        text.map_or(Value::Null, Value::Text)
    }
}

fn from_json<T: DeserializeOwned>(value: ValueRef<'_>) -> FromSqlResult<T> {
    serde_json::from_str(value.as_str()?).map_err(FromSqlError::other)
}

/// Reads the columns of a row one after the other, in the order of the statement.
pub(crate) struct Columns<'a, 's> {
    row: &'a Row<'s>,
    next: usize,
}

impl<'a, 's> Columns<'a, 's> {
    pub(crate) fn of(row: &'a Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: FromColumn>(&mut self) -> rusqlite::Result<T> {
        self.read(T::from_value)
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.read(from_json)
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        self.read(|value| match value {
            ValueRef::Null => Ok(None),
            value => from_json(value).map(Some),
        })
    }

    fn read<T>(&mut self, read: impl FnOnce(ValueRef<'_>) -> FromSqlResult<T>) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        let value = self.row.get_ref(index)?;
        read(value)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, value.data_type(), Box::new(error)))
    }
}

/// A row that is one column.
pub(crate) fn value<T: FromColumn>(columns: &mut Columns<'_, '_>) -> rusqlite::Result<T> {
    columns.take()
}

/// A row that is one document.
pub(crate) fn json<T: DeserializeOwned>(columns: &mut Columns<'_, '_>) -> rusqlite::Result<T> {
    columns.json()
}

thread_local! {
    static STATEMENTS: Cell<u64> = const { Cell::new(0) };
}

/// How many statements were run on this thread so far.
pub(crate) fn statements() -> u64 {
    STATEMENTS.get()
}

fn count() {
    STATEMENTS.set(STATEMENTS.get() + 1);
}

pub(crate) fn execute(conn: &Connection, sql: &str, values: Vec<Value>) -> rusqlite::Result<usize> {
    count();
    conn.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))
}

/// A statement with what is bound in it, to be run later.
pub(crate) struct Bound {
    sql: &'static str,
    values: Vec<Value>,
}

impl Bound {
    pub(crate) const fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values }
    }
}

/// Runs statements one after the other.
pub(crate) fn run(conn: &Connection, statements: Vec<Bound>) -> rusqlite::Result<()> {
    statements
        .into_iter()
        .try_for_each(|Bound { sql, values }| execute(conn, sql, values).map(drop))
}

/// The rows of a statement, each made by `row`.
pub(crate) fn rows<T>(
    conn: &Connection,
    sql: &str,
    values: Vec<Value>,
    row: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    count();
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map(rusqlite::params_from_iter(values), |found| row(&mut Columns::of(found)))?;
    found.collect()
}

/// The first row of a statement, if it has one.
pub(crate) fn first<T>(
    conn: &Connection,
    sql: &str,
    values: Vec<Value>,
    row: impl FnOnce(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    count();
    let mut statement = conn.prepare_cached(sql)?;
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    found.next()?.map(|found| row(&mut Columns::of(found))).transpose()
}
