//! The log in one `SQLite` file: one process appends, others may read.

mod batch;
mod open;

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sqlx::SqlitePool;
use uuid::Uuid;

pub(crate) use self::batch::Batch;
use crate::admission::{HeadRow, VaultKey};
use crate::append::{Answer, CommandId};
use crate::backend::StoredLeaf;
use crate::event::{Position, Revision};
use crate::store::Identity;
use crate::stream_name::StreamName;
use crate::transparency::merkle::Frontier;

const HEAD: &str = "SELECT size, frontier, time_ms, oldest_writer FROM log_head";

type HeadColumns = (i64, Vec<u8>, Option<i64>, i64);

/// Two pools over one file: `SQLite` has one writer at a time, so there is one connection that writes.
#[derive(Clone)]
pub(crate) struct Database {
    reads: SqlitePool,
    /// `None` if open for reading only.
    writes: Option<SqlitePool>,
    /// Held while this process may append.
    lock: Option<Arc<File>>,
}

impl Database {
    pub(crate) async fn identity(&self) -> sqlx::Result<Identity> {
        let (log_id, epoch): (Uuid, Uuid) = sqlx::query_as("SELECT log_id, epoch FROM log_head")
            .fetch_one(&self.reads)
            .await?;
        Ok(Identity { log_id, epoch })
    }

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

    pub(crate) async fn read(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredLeaf>> {
        let rows = sqlx::query_as("SELECT position, leaf FROM event WHERE position >= ? ORDER BY position LIMIT ?")
            .bind(integer(from.get())?)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
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

    pub(crate) async fn vault_key(&self, subject: &str) -> sqlx::Result<Option<VaultKey>> {
        let row: Option<(Vec<u8>, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT master, wrapped FROM vault_key WHERE subject = ?")
                .bind(subject)
                .fetch_optional(&self.reads)
                .await?;
        let Some((master, wrapped)) = row else { return Ok(None) };
        Ok(Some(VaultKey {
            subject: subject.to_owned(),
            master: array(&master)?,
            wrapped,
        }))
    }

    pub(crate) async fn other_vault_master(&self, master: &[u8; 8]) -> sqlx::Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT master FROM vault_key WHERE wrapped IS NOT NULL AND master <> ? LIMIT 1")
            .bind(master.as_slice())
            .fetch_optional(&self.reads)
            .await
    }

    pub(crate) async fn vault_entry(&self, digest: &[u8; 32]) -> sqlx::Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT ciphertext FROM vault_entry WHERE digest = ?")
            .bind(digest.as_slice())
            .fetch_optional(&self.reads)
            .await
    }

    pub(crate) async fn begin(&self) -> sqlx::Result<Batch> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        Ok(Batch::new(writes.begin_with("BEGIN IMMEDIATE").await?))
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

fn head_row((size, frontier, time_ms, oldest_writer): HeadColumns) -> sqlx::Result<HeadRow> {
    Ok(HeadRow {
        frontier: Frontier::from_bytes(natural(size)?, &frontier).map_err(undecodable)?,
        time: time_ms.and_then(DateTime::<Utc>::from_timestamp_millis),
        oldest_writer: u32::try_from(oldest_writer).map_err(undecodable)?,
    })
}

fn stored_leaf((position, leaf): (i64, Vec<u8>)) -> sqlx::Result<StoredLeaf> {
    Ok((Position::new(natural(position)?), Bytes::from(leaf)))
}

fn answer((request, position, events): (Vec<u8>, i64, i64)) -> sqlx::Result<Answer> {
    Ok(Answer {
        request: array(&request)?,
        position: Position::new(natural(position)?),
        events: natural(events)?,
    })
}

fn array<const N: usize>(bytes: &[u8]) -> sqlx::Result<[u8; N]> {
    bytes.try_into().map_err(undecodable)
}

fn natural(integer: i64) -> sqlx::Result<u64> {
    u64::try_from(integer).map_err(undecodable)
}

fn integer(natural: u64) -> sqlx::Result<i64> {
    i64::try_from(natural).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
