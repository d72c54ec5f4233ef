//! How far a view file has come, on which log.

use eventstore::{EventStore, Identity, Position, ReadError};
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use crate::{
    error::ViewError,
    sql::{self, values},
};

/// The shape of the tables. Raised with every change to them or to what is written into them.
const SCHEMA_VERSION: u32 = 10;

pub(crate) const SCHEMA: &str = "
CREATE TABLE checkpoint (
    program   TEXT NOT NULL,
    log_id    TEXT NOT NULL,
    epoch     TEXT NOT NULL,
    position  INTEGER NOT NULL,
    leaf_hash BLOB
);
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Rows hold what the rules of one program made of events, so every release of it makes its own.
    pub(crate) program: String,
    pub(crate) log_id: Uuid,
    pub(crate) epoch: Uuid,
    /// The position of the next event to apply.
    pub(crate) position: u64,
    /// The leaf hash of the last event that was applied.
    leaf_hash: Option<[u8; 32]>,
}

/// How many events the view has applied. Asked inside [`Views::read`](crate::Views::read), it is the position that
/// everything else the reader sees is from.
pub fn position(conn: &Connection) -> rusqlite::Result<u64> {
    Ok(sql::first(conn, "SELECT position FROM checkpoint", vec![], sql::value)?.unwrap_or_default())
}

impl Checkpoint {
    /// Where a view of this log starts.
    pub(crate) fn start(identity: &Identity) -> Self {
        Self {
            program: format!("{} {SCHEMA_VERSION}", env!("CARGO_PKG_VERSION")),
            log_id: identity.log_id,
            epoch: identity.epoch,
            position: 0,
            leaf_hash: None,
        }
    }

    pub(crate) fn insert(&self, conn: &Connection) -> rusqlite::Result<()> {
        let values = values![
            self.program,
            self.log_id.to_string(),
            self.epoch.to_string(),
            self.position
        ];
        sql::execute(conn, "INSERT INTO checkpoint VALUES (?, ?, ?, ?, NULL)", values).map(drop)
    }

    pub(crate) fn read(conn: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut statement = conn.prepare("SELECT program, log_id, epoch, position, leaf_hash FROM checkpoint")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let uuid = |text: String| Uuid::try_parse(&text).unwrap_or_default();
        Ok(Some(Self {
            program: row.get(0)?,
            log_id: uuid(row.get(1)?),
            epoch: uuid(row.get(2)?),
            position: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
            leaf_hash: row.get(4)?,
        }))
    }

    /// Moves the checkpoint, in the transaction that applied the events up to it.
    pub(crate) fn advance(tx: &Transaction<'_>, position: u64, leaf_hash: [u8; 32]) -> rusqlite::Result<()> {
        let mut values = values![position];
        values.push(leaf_hash.to_vec().into());
        sql::execute(tx, "UPDATE checkpoint SET position = ?, leaf_hash = ?", values).map(drop)
    }

    /// Whether this log has what the view has applied, and this program made the view.
    pub(crate) async fn holds(&self, log: &EventStore) -> Result<bool, ReadError> {
        let start = Self::start(log.identity());
        let (program, log_id, epoch) = (&self.program, self.log_id, self.epoch);
        if (program, log_id, epoch) != (&start.program, start.log_id, start.epoch) {
            return Ok(false);
        }
        let Some(last) = self.position.checked_sub(1) else {
            return Ok(true);
        };
        let found = log.read(Position::new(last), 1).await?;
        Ok(found
            .first()
            .is_some_and(|event| Some(event.leaf_hash()) == self.leaf_hash))
    }
}

/// Fails if the next event to apply is not the one at `event`.
pub(crate) fn expect(tx: &Transaction<'_>, event: u64) -> Result<(), ViewError> {
    match position(tx)? {
        at if at == event => Ok(()),
        at => Err(ViewError::OutOfStep { at, event }),
    }
}
