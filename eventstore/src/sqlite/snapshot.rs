//! A log as it was at one moment, read in pages.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::open::inspect_copy;
use crate::admission::{HeadRow, VaultKey, VaultRow};
use crate::copy::EventRow;
use crate::event::Position;
use crate::open::OpenError;
use crate::rows::{HEAD, event_row, head_row, integer, natural, vault_entry, vault_keys};

/// One transaction that only reads.
pub(crate) struct Snapshot {
    connection: SqliteConnection,
}

impl Snapshot {
    /// The copy at `path`, which nobody writes to.
    pub(crate) async fn of_copy(path: &Path) -> Result<Self, OpenError> {
        inspect_copy(path).await?;
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        Ok(Self {
            connection: options.connect().await?,
        })
    }

    pub(crate) async fn head(&mut self) -> sqlx::Result<HeadRow> {
        head_row(sqlx::query_as(HEAD).fetch_one(&mut self.connection).await?)
    }

    /// At most `limit` events at `from` and after, in order.
    pub(crate) async fn events(&mut self, from: Position, limit: u32) -> sqlx::Result<Vec<EventRow>> {
        let rows: Vec<_> = sqlx::query_as(
            "SELECT position, stream, revision, id, type, time_ms, leaf_hash, leaf FROM event
             WHERE position >= ? ORDER BY position LIMIT ?",
        )
        .bind(integer(from.get())?)
        .bind(i64::from(limit))
        .fetch_all(&mut self.connection)
        .await?;
        rows.into_iter().map(event_row).collect()
    }

    /// At most `limit` keys of subjects past `after`, in order.
    pub(crate) async fn vault_keys(&mut self, after: &str, limit: u32) -> sqlx::Result<Vec<VaultKey>> {
        let rows =
            sqlx::query_as("SELECT subject, master, wrapped FROM vault_key WHERE subject > ? ORDER BY subject LIMIT ?")
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection)
                .await?;
        vault_keys(rows)
    }

    /// At most `limit` entries of digests past `after`, in order.
    pub(crate) async fn vault_entries(&mut self, after: &[u8], limit: u32) -> sqlx::Result<Vec<VaultRow>> {
        let rows: Vec<_> = sqlx::query_as(
            "SELECT digest, subject, ciphertext FROM vault_entry WHERE digest > ? ORDER BY digest LIMIT ?",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut self.connection)
        .await?;
        rows.into_iter().map(vault_entry).collect()
    }

    /// How many keys and entries the vault has.
    pub(crate) async fn count_vault(&mut self) -> sqlx::Result<(u64, u64)> {
        let (keys, entries) =
            sqlx::query_as("SELECT (SELECT count(*) FROM vault_key), (SELECT count(*) FROM vault_entry)")
                .fetch_one(&mut self.connection)
                .await?;
        Ok((natural(keys)?, natural(entries)?))
    }
}
