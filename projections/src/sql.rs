//! Domain values as columns of the view file.

use chrono::{DateTime, Utc};
use domain::{
    digest::{Digest, Sealed},
    ids::{
        AccountId, AppId, AttemptId, CategoryId, ClusterId, ProjectId, ReleaseId, SubmissionId, TokenId, WorkspaceId,
    },
    names::{
        CategoryName, ChartName, ClusterName, IconName, Namespace, ProjectName, ReleaseName, RoleName, WorkspaceName,
    },
    version_number::VersionNumber,
};
use rusqlite::{
    Connection, Row,
    types::{FromSqlError, FromSqlResult, Value, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A value that one column holds.
pub(crate) trait Column: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self>;
}

/// The values of one row or of one statement's parameters, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Column::to_value(&$value)),*] };
}
pub(crate) use values;

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl Column for $id {
            fn to_value(&self) -> Value {
                Value::Blob(self.as_uuid().as_bytes().to_vec())
            }

            fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Uuid::from_slice(value.as_blob()?).map(Self::from_uuid).map_err(FromSqlError::other)
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
    ProjectId,
    ReleaseId,
    SubmissionId,
    TokenId,
    WorkspaceId
);

macro_rules! texts {
    ($($text:ident),*) => {$(
        impl Column for $text {
            fn to_value(&self) -> Value {
                Value::Text(self.as_str().to_owned())
            }

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

impl Column for &str {
    fn to_value(&self) -> Value {
        Value::Text((*self).to_owned())
    }

    fn from_value(_: ValueRef<'_>) -> FromSqlResult<Self> {
        Err(FromSqlError::InvalidType) // borrowed text is only ever written
    }
}

impl Column for Digest {
    fn to_value(&self) -> Value {
        Value::Blob(self.as_bytes().to_vec())
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?.try_into().map_err(FromSqlError::other)?;
        Ok(Self::from_bytes(bytes))
    }
}

/// Milliseconds since 1970, which is what the log keeps.
impl Column for DateTime<Utc> {
    fn to_value(&self) -> Value {
        Value::Integer(self.timestamp_millis())
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Self::from_timestamp_millis(millis).ok_or(FromSqlError::OutOfRange(millis))
    }
}

impl Column for u64 {
    fn to_value(&self) -> Value {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        Self::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl Column for bool {
    fn to_value(&self) -> Value {
        Value::Integer(i64::from(*self))
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(value.as_i64()? != 0)
    }
}

impl Column for Sealed {
    fn to_value(&self) -> Value {
        Json(self).to_value()
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_json(value)
    }
}

impl<T: Column> Column for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Column::to_value)
    }

    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A row, or a part of one, that no statement looks into.
pub(crate) struct Json<'a, T>(pub(crate) &'a T);

impl<T: Serialize> Json<'_, T> {
    pub(crate) fn to_value(&self) -> Value {
        // Rows are structs of texts and numbers, which JSON can always express.
        serde_json::to_string(self.0).map_or(Value::Null, Value::Text)
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

    pub(crate) fn take<T: Column>(&mut self) -> rusqlite::Result<T> {
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

pub(crate) fn execute(conn: &Connection, sql: &str, values: Vec<Value>) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))
}

/// The rows of a statement, each made by `row`.
pub(crate) fn rows<T>(
    conn: &Connection,
    sql: &str,
    values: Vec<Value>,
    row: impl Fn(&mut Columns<'_, '_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
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
    let mut statement = conn.prepare_cached(sql)?;
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    found.next()?.map(|found| row(&mut Columns::of(found))).transpose()
}
