//! The log in a PostgreSQL database: any number of processes append and read.
//!
//! Whoever appends holds the one row of `log_head` until its transaction ends. That lock is the fence:
//! nobody can commit a position before a smaller one is visible, and no process needs to lead.

mod batch;
mod follow;
mod open;
mod snapshot;
mod spelling;
mod stored;
mod supposed;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgPool, Row};
use tokio::sync::watch;

use self::follow::Followers;
use self::supposed::Memory;
pub(crate) use self::{batch::Batch, open::create_copy, snapshot::Snapshot};
use crate::admission::{HeadRow, VaultKey};
use crate::append::{Answer, CommandId, PreparedAppend};
use crate::backend::{Conditions, Found, StoredLeaf, StoredRow, VaultEntries};
use crate::event::{Position, Revision};
use crate::rows::{HEAD, answer, array, head_row, integer, lines, natural, stored_leaf, vault_keys};
use crate::sighting;
use crate::spare::Spare;
use crate::stream_name::StreamName;
use crate::transparency::merkle;

/// A pool to read, one connection to listen, and one to append.
#[derive(Clone)]
pub(crate) struct Database {
    reads: PgPool,
    listens: PgPool,
    followers: Followers,
    /// `None` if open for reading only.
    writes: Option<Writes>,
}

/// What a batch needs.
#[derive(Clone)]
struct Writes {
    spare: Spare<PgConnection>,
    followers: Followers,
    memory: Memory,
}

impl Database {
    pub(crate) async fn head(&self) -> sqlx::Result<HeadRow> {
        head_row(sqlx::query_as(HEAD).fetch_one(&self.reads).await?)
    }

    pub(crate) async fn size(&self) -> sqlx::Result<u64> {
        let size = sqlx::query_scalar("SELECT size FROM log_head");
        natural(size.fetch_one(&self.reads).await?)
    }

    pub(crate) async fn time(&self) -> sqlx::Result<DateTime<Utc>> {
        sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&self.reads)
            .await
    }

    pub(crate) async fn read(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredLeaf>> {
        let mut rows = sqlx::query("SELECT leaf FROM event WHERE position >= $1 ORDER BY position LIMIT $2")
            .bind(integer(from.get())?)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch(&self.reads);
        // One piece of memory for all of them: to allocate for each is a good part of a replay.
        let mut joined = Vec::new();
        while let Some(row) = rows.try_next().await? {
            joined.extend_from_slice(row.try_get(0)?);
            joined.push(b'\n');
        }
        joined.pop();
        Ok(lines(from, (!joined.is_empty()).then_some(joined)))
    }

    pub(crate) async fn rows(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredRow>> {
        sqlx::query_as("SELECT position, leaf, leaf_hash FROM event WHERE position >= $1 ORDER BY position LIMIT $2")
            .bind(integer(from.get())?)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.reads)
            .await
    }

    pub(crate) async fn read_each(&self, positions: &BTreeSet<Position>) -> sqlx::Result<Vec<StoredLeaf>> {
        let positions = positions.iter().map(|position| integer(position.get()));
        let rows = sqlx::query_as("SELECT position, leaf FROM event WHERE position = ANY($1) ORDER BY position")
            .bind(positions.collect::<sqlx::Result<Vec<_>>>()?)
            .fetch_all(&self.reads)
            .await?;
        rows.into_iter().map(stored_leaf).collect()
    }

    pub(crate) async fn read_stream(&self, stream: &StreamName, after: Revision) -> sqlx::Result<Vec<StoredLeaf>> {
        let rows =
            sqlx::query_as("SELECT position, leaf FROM event WHERE stream = $1 AND revision > $2 ORDER BY revision")
                .bind(stream.as_str())
                .bind(integer(after.get())?)
                .fetch_all(&self.reads)
                .await?;
        rows.into_iter().map(stored_leaf).collect()
    }

    pub(crate) async fn leaf_hash(&self, position: Position) -> sqlx::Result<Option<merkle::Hash>> {
        let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT leaf_hash FROM event WHERE position = $1")
            .bind(integer(position.get())?)
            .fetch_optional(&self.reads)
            .await?;
        hash.as_deref().map(array).transpose()
    }

    pub(crate) async fn answer_to(&self, command: &CommandId) -> sqlx::Result<Option<Answer>> {
        let row = sqlx::query_as(
            "SELECT request, position, events FROM command WHERE actor = $1 AND id = $2
             UNION ALL SELECT request, position, 0 FROM unchanged_command WHERE actor = $1 AND id = $2",
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
        let rows = sqlx::query_as("SELECT subject, master, wrapped FROM vault_key WHERE subject = ANY($1)")
            .bind(subjects)
            .fetch_all(&self.reads)
            .await?;
        vault_keys(rows)
    }

    pub(crate) async fn vault_entries(&self, digests: &[&[u8]]) -> sqlx::Result<VaultEntries> {
        let rows = sqlx::query_as("SELECT digest, ciphertext FROM vault_entry WHERE digest = ANY($1)")
            .bind(digests)
            .fetch_all(&self.reads)
            .await?;
        Ok(rows.into_iter().collect())
    }

    pub(crate) async fn vault_keys_not_under(&self, master: &[u8; 8], limit: u32) -> sqlx::Result<Vec<VaultKey>> {
        let rows = sqlx::query_as(
            "SELECT subject, master, wrapped FROM vault_key WHERE wrapped IS NOT NULL AND master <> $1 LIMIT $2",
        )
        .bind(master.as_slice())
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?;
        vault_keys(rows)
    }

    /// The table is written anew, without dead rows, and its old file is removed.
    pub(crate) async fn scrub_vault(&self) -> sqlx::Result<()> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        let mut connection = batch::prepared(&writes.spare).await?;
        sqlx::raw_sql("VACUUM (FULL) vault_key")
            .execute(&mut connection)
            .await?;
        writes.spare.put_back(connection);
        Ok(())
    }

    pub(crate) async fn begin(&self, conditions: &Conditions<'_>) -> sqlx::Result<(Batch, Found)> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        Batch::begin(writes, conditions).await
    }

    pub(crate) async fn suppose(&self, append: &PreparedAppend) -> sqlx::Result<Option<(Batch, Found)>> {
        let writes = self.writes.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        Batch::suppose(writes, append).await
    }

    pub(crate) async fn follow(&self, sizes: &watch::Sender<u64>) {
        follow::follow(self, sizes).await;
    }

    pub(crate) async fn close(&self) {
        self.reads.close().await;
        self.listens.close().await;
        if let Some(writes) = &self.writes {
            writes.spare.close().await;
        }
    }
}
