//! The log in one `SQLite` file: one process appends, others may read.

mod batch;
mod open;
mod snapshot;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, watch};

pub(crate) use self::{batch::Batch, open::create_copy, snapshot::Snapshot};
use crate::admission::{HeadRow, VaultKey};
use crate::append::{Answer, CommandId};
use crate::backend::{Conditions, Found, StoredLeaf, StoredRow, VaultEntries};
use crate::event::{Position, Revision};
use crate::rows::{HEAD, answer, array, head_row, integer, lines, natural, stored_leaf, undecodable, vault_keys};
use crate::sighting;
use crate::spare::Spare;
use crate::stream_name::StreamName;
use crate::transparency::merkle;

/// How often it is tried to empty the write-ahead log while somebody still reads from it.
const SCRUB_ATTEMPTS_MAX: usize = 2;
/// How often a process that does not append itself looks for new events.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);

/// A pool to read and one connection to write, as `SQLite` has one writer at a time.
#[derive(Clone)]
pub(crate) struct Database {
    reads: SqlitePool,
    /// `None` if open for reading only.
    writes: Option<Spare<SqliteConnection>>,
    /// Held while this process may append.
    lock: Option<Arc<File>>,
    /// `SQLite` refuses a second checkpoint beside a first instead of letting it wait.
    scrubbing: Arc<Mutex<()>>,
}

impl Database {
    pub(crate) async fn head(&self) -> sqlx::Result<HeadRow> {
        head_row(sqlx::query_as(HEAD).fetch_one(&self.reads).await?)
    }

    pub(crate) async fn size(&self) -> sqlx::Result<u64> {
        natural(
            sqlx::query_scalar("SELECT size FROM log_head")
                .fetch_one(&self.reads)
                .await?,
        )
    }

    /// All leaves cross from the connection's thread in one value: a row for each costs more than the rest.
    pub(crate) async fn read(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredLeaf>> {
        let joined = sqlx::query_scalar(
            "SELECT group_concat(CAST(leaf AS TEXT), char(10))
             FROM (SELECT position, leaf FROM event WHERE position >= ? ORDER BY position LIMIT ?)",
        )
        .bind(integer(from.get())?)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_one(&self.reads)
        .await?;
        Ok(lines(from, joined))
    }

    pub(crate) async fn rows(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredRow>> {
        sqlx::query_as("SELECT position, leaf, leaf_hash FROM event WHERE position >= ? ORDER BY position LIMIT ?")
            .bind(integer(from.get())?)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.reads)
            .await
    }

    pub(crate) async fn read_each(&self, positions: &BTreeSet<Position>) -> sqlx::Result<Vec<StoredLeaf>> {
        let positions: Vec<_> = positions.iter().map(|position| position.get()).collect();
        let rows = sqlx::query_as(
            "SELECT position, leaf FROM event WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position",
        )
        .bind(serde_json::to_string(&positions).map_err(undecodable)?)
        .fetch_all(&self.reads)
        .await?;
        rows.into_iter().map(stored_leaf).collect()
    }

    pub(crate) async fn read_stream(&self, stream: &StreamName, after: Revision) -> sqlx::Result<Vec<StoredLeaf>> {
        let rows =
            sqlx::query_as("SELECT position, leaf FROM event WHERE stream = ? AND revision > ? ORDER BY revision")
                .bind(stream.as_str())
                .bind(integer(after.get())?)
                .fetch_all(&self.reads)
                .await?;
        rows.into_iter().map(stored_leaf).collect()
    }

    pub(crate) async fn leaf_hash(&self, position: Position) -> sqlx::Result<Option<merkle::Hash>> {
        let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT leaf_hash FROM event WHERE position = ?")
            .bind(integer(position.get())?)
            .fetch_optional(&self.reads)
            .await?;
        hash.as_deref().map(array).transpose()
    }

    pub(crate) async fn answer_to(&self, command: &CommandId) -> sqlx::Result<Option<Answer>> {
        let row = sqlx::query_as(
            "SELECT request, position, events FROM command WHERE actor = ?1 AND id = ?2
             UNION ALL SELECT request, position, 0 FROM unchanged_command WHERE actor = ?1 AND id = ?2",
        )
        .bind(&command.actor)
        .bind(command.id)
        .fetch_optional(&self.reads)
        .await?;
        row.map(answer).transpose()
    }

    pub(crate) async fn last_seen(&self, subject: &str) -> sqlx::Result<Option<i64>> {
        let seen = sqlx::query_scalar(sighting::FIND).bind(subject);
        seen.fetch_optional(&self.reads).await
    }

    pub(crate) async fn vault_masters(&self) -> sqlx::Result<Vec<Vec<u8>>> {
        sqlx::query_scalar("SELECT DISTINCT master FROM vault_key WHERE wrapped IS NOT NULL")
            .fetch_all(&self.reads)
            .await
    }

    pub(crate) async fn vault_keys(&self, subjects: &[&str]) -> sqlx::Result<Vec<VaultKey>> {
        let rows = sqlx::query_as(
            "SELECT subject, master, wrapped FROM vault_key WHERE subject IN (SELECT value FROM json_each(?))",
        )
        .bind(json!(subjects))
        .fetch_all(&self.reads)
        .await?;
        vault_keys(rows)
    }

    pub(crate) async fn vault_entries(&self, digests: &[&[u8]]) -> sqlx::Result<VaultEntries> {
        // Binary values have no place in JSON.
        let digests: Vec<_> = digests.iter().map(hex::encode).collect();
        let rows = sqlx::query_as(
            "SELECT digest, ciphertext FROM vault_entry WHERE digest IN (SELECT unhex(value) FROM json_each(?))",
        )
        .bind(json!(digests))
        .fetch_all(&self.reads)
        .await?;
        Ok(rows.into_iter().collect())
    }

    pub(crate) async fn vault_keys_not_under(&self, master: &[u8; 8], limit: u32) -> sqlx::Result<Vec<VaultKey>> {
        let rows = sqlx::query_as(
            "SELECT subject, master, wrapped FROM vault_key WHERE wrapped IS NOT NULL AND master <> ? LIMIT ?",
        )
        .bind(master.as_slice())
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?;
        vault_keys(rows)
    }

    /// Writes the whole database, as of one moment, to a new file.
    pub(crate) async fn vacuum_into(&self, path: &Path) -> sqlx::Result<()> {
        sqlx::query("VACUUM INTO ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(&self.reads)
            .await?;
        Ok(())
    }

    /// The pages themselves were overwritten with zeros when the change was made (`secure_delete`). Older images of them
    /// are in the write-ahead log until it is carried over and cut.
    pub(crate) async fn scrub_vault(&self) -> sqlx::Result<()> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        let _alone = self.scrubbing.lock().await;
        for _ in 0..SCRUB_ATTEMPTS_MAX {
            let mut connection = writes.take().await?.into_inner();
            let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut connection)
                .await?;
            writes.put_back(connection);
            if busy == 0 {
                return Ok(());
            }
        }
        // Somebody reads an older state for long: a backup, say.
        Err(std::io::Error::from(std::io::ErrorKind::ResourceBusy).into())
    }

    pub(crate) async fn begin(&self, conditions: &Conditions<'_>) -> sqlx::Result<(Batch, Found)> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        Batch::begin(writes, conditions).await
    }

    /// A process that appends has nobody to follow.
    pub(crate) async fn follow(&self, sizes: &watch::Sender<u64>) {
        if self.writes.is_some() {
            return;
        }
        while tokio::time::timeout(FOLLOW_INTERVAL, sizes.closed()).await.is_err() {
            match self.size().await {
                Ok(size) => {
                    sizes.send_if_modified(|known| std::mem::replace(known, size) != size);
                }
                Err(sqlx::Error::PoolClosed) => return,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the log's size could not be read"
                ),
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.reads.close().await;
        if let Some(writes) = &self.writes {
            writes.close().await;
        }
        // Other clones may live on; the file must be free for the next appender all the same.
        if let Some(Err(error)) = self.lock.as_ref().map(|lock| lock.unlock()) {
            tracing::warn!(%error, "the lock of the log could not be released before the process ends");
        }
    }
}
