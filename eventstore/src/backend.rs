//! What a database must offer to hold a log. One module per database; everything that decides is
//! shared and stands above this line.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::admission::{Entry, HeadRow, VaultKey, VaultRow};
use crate::append::{Answer, CommandId};
use crate::event::{Position, Revision};
use crate::sqlite;
use crate::store::Identity;
use crate::stream_name::StreamName;

/// A stored event as the database gives it back.
pub(crate) type StoredLeaf = (Position, Bytes);

/// An open database. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Backend {
    Sqlite(sqlite::Database),
}

impl Backend {
    pub(crate) async fn identity(&self) -> sqlx::Result<Identity> {
        match self {
            Self::Sqlite(database) => database.identity().await,
        }
    }

    pub(crate) async fn head(&self) -> sqlx::Result<HeadRow> {
        match self {
            Self::Sqlite(database) => database.head().await,
        }
    }

    /// Cheaper than [`Backend::head`], for polling.
    pub(crate) async fn size(&self) -> sqlx::Result<u64> {
        match self {
            Self::Sqlite(database) => database.size().await,
        }
    }

    /// At most `limit` events at `from` and after, in order.
    pub(crate) async fn read(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredLeaf>> {
        match self {
            Self::Sqlite(database) => database.read(from, limit).await,
        }
    }

    /// The events of `stream` past `after`, in order.
    pub(crate) async fn read_stream(&self, stream: &StreamName, after: Revision) -> sqlx::Result<Vec<StoredLeaf>> {
        match self {
            Self::Sqlite(database) => database.read_stream(stream, after).await,
        }
    }

    pub(crate) async fn answer_to(&self, command: &CommandId) -> sqlx::Result<Option<Answer>> {
        match self {
            Self::Sqlite(database) => database.answer_to(command).await,
        }
    }

    pub(crate) async fn vault_key(&self, subject: &str) -> sqlx::Result<Option<VaultKey>> {
        match self {
            Self::Sqlite(database) => database.vault_key(subject).await,
        }
    }

    /// A master key other than `master` that still wraps keys of the vault.
    pub(crate) async fn other_vault_master(&self, master: &[u8; 8]) -> sqlx::Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(database) => database.other_vault_master(master).await,
        }
    }

    pub(crate) async fn vault_entry(&self, digest: &[u8; 32]) -> sqlx::Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(database) => database.vault_entry(digest).await,
        }
    }

    /// Starts a batch.
    pub(crate) async fn begin(&self) -> sqlx::Result<Batch> {
        match self {
            Self::Sqlite(database) => database.begin().await.map(Batch::Sqlite),
        }
    }

    /// Waits for what is running, then gives the database up.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
        }
    }
}

/// One transaction that appends. Dropped without [`Batch::commit`], it leaves nothing.
pub(crate) enum Batch {
    Sqlite(sqlite::Batch),
}

impl Batch {
    /// From here to the end of the batch no other process appends.
    pub(crate) async fn head(&mut self) -> sqlx::Result<HeadRow> {
        match self {
            Self::Sqlite(batch) => batch.head().await,
        }
    }

    /// Streams without events may be left out of the answer.
    pub(crate) async fn revisions(&mut self, streams: &[&StreamName]) -> sqlx::Result<HashMap<StreamName, Revision>> {
        match self {
            Self::Sqlite(batch) => batch.revisions(streams).await,
        }
    }

    pub(crate) async fn answers(&mut self, commands: &[&CommandId]) -> sqlx::Result<HashMap<CommandId, Answer>> {
        match self {
            Self::Sqlite(batch) => batch.answers(commands).await,
        }
    }

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        match self {
            Self::Sqlite(batch) => batch.event_id_at(position).await,
        }
    }

    pub(crate) async fn insert_events(&mut self, entries: &[&Entry]) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.insert_events(entries).await,
        }
    }

    /// Answers of commands that changed nothing are stored apart and kept for a day.
    pub(crate) async fn insert_answers(
        &mut self,
        answers: &[(CommandId, Answer)],
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.insert_answers(answers, now).await,
        }
    }

    pub(crate) async fn insert_vault_row(&mut self, row: &VaultRow) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.insert_vault_row(row).await,
        }
    }

    pub(crate) async fn update_head(&mut self, head: &HeadRow) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.update_head(head).await,
        }
    }

    /// Durable once this returns `Ok`; on an error it is not known.
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.commit().await,
        }
    }
}
