//! What a database must offer to hold a log. One module per database; everything that decides is
//! shared and stands above this line.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::admission::{Entry, HeadRow, VaultKey, VaultRow};
use crate::append::{Answer, CommandId, PreparedAppend};
use crate::copy::EventRow;
use crate::event::{Position, Revision};
use crate::sighting::Sighting;
use crate::stream_name::StreamName;
use crate::transparency::merkle;
use crate::{postgres, sqlite};

/// A stored event as the database gives it back.
pub(crate) type StoredLeaf = (Position, Bytes);
/// A row as it stands in the database, believed in nothing.
pub(crate) type StoredRow = (i64, Vec<u8>, Vec<u8>);
/// The revisions of streams, where those without events may be left out.
pub(crate) type Revisions = HashMap<StreamName, Revision>;
/// Ciphertexts by their digests.
pub(crate) type VaultEntries = HashMap<Vec<u8>, Vec<u8>>;
pub(crate) type Answers = HashMap<CommandId, Answer>;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Backend {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// What the conditions of a batch's appends are about.
#[derive(Default)]
pub(crate) struct Conditions<'a> {
    pub(crate) streams: Vec<&'a StreamName>,
    pub(crate) commands: Vec<&'a CommandId>,
}

/// The log under the lock, as far as it was asked about.
pub(crate) struct Found {
    pub(crate) head: HeadRow,
    pub(crate) revisions: Revisions,
    pub(crate) answers: Answers,
}

/// Why a batch was not committed.
pub(crate) enum CommitError {
    /// Nothing of it is stored.
    NotStored(sqlx::Error),
    /// Nothing of it is stored, because what it rests on was only [supposed](Backend::suppose), and is not so.
    Mistaken,
    /// All of it is stored, or nothing.
    InDoubt(sqlx::Error),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::NotStored(error)
    }
}

impl CommitError {
    pub(crate) fn into_inner(self) -> sqlx::Error {
        match self {
            Self::NotStored(error) | Self::InDoubt(error) => error,
            // Never of a batch that was begun.
            Self::Mistaken => sqlx::Error::RowNotFound,
        }
    }
}

/// All that one batch changes.
pub(crate) struct Changes<'a> {
    pub(crate) events: &'a [&'a Entry],
    /// Those of commands that changed nothing are stored apart and kept for a day.
    pub(crate) answers: &'a [(CommandId, Answer)],
    pub(crate) vault: &'a [&'a VaultRow],
    pub(crate) sightings: &'a [&'a Sighting],
    /// The head after the events.
    pub(crate) head: &'a HeadRow,
    pub(crate) now: DateTime<Utc>,
}

impl Backend {
    pub(crate) async fn head(&self) -> sqlx::Result<HeadRow> {
        match self {
            Self::Sqlite(database) => database.head().await,
            Self::Postgres(database) => database.head().await,
        }
    }

    /// The time of a database that has a clock of its own.
    pub(crate) async fn time(&self) -> sqlx::Result<Option<DateTime<Utc>>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(database) => database.time().await.map(Some),
        }
    }

    /// At most `limit` events at `from` and after, in order.
    pub(crate) async fn read(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredLeaf>> {
        match self {
            Self::Sqlite(database) => database.read(from, limit).await,
            Self::Postgres(database) => database.read(from, limit).await,
        }
    }

    /// The events at these positions, in order.
    pub(crate) async fn read_each(&self, positions: &BTreeSet<Position>) -> sqlx::Result<Vec<StoredLeaf>> {
        match self {
            Self::Sqlite(database) => database.read_each(positions).await,
            Self::Postgres(database) => database.read_each(positions).await,
        }
    }

    /// Whether nobody else can append while this process does.
    pub(crate) const fn has_one_appender(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(_) => false,
        }
    }

    /// The events of `stream` past `after`, in order.
    pub(crate) async fn read_stream(&self, stream: &StreamName, after: Revision) -> sqlx::Result<Vec<StoredLeaf>> {
        match self {
            Self::Sqlite(database) => database.read_stream(stream, after).await,
            Self::Postgres(database) => database.read_stream(stream, after).await,
        }
    }

    /// Position, leaf and leaf hash of at most `limit` events at `from` and after, in order, as they are stored.
    pub(crate) async fn rows(&self, from: Position, limit: usize) -> sqlx::Result<Vec<StoredRow>> {
        match self {
            Self::Sqlite(database) => database.rows(from, limit).await,
            Self::Postgres(database) => database.rows(from, limit).await,
        }
    }

    /// The leaf hash the database has for the event at `position`.
    pub(crate) async fn leaf_hash(&self, position: Position) -> sqlx::Result<Option<merkle::Hash>> {
        match self {
            Self::Sqlite(database) => database.leaf_hash(position).await,
            Self::Postgres(database) => database.leaf_hash(position).await,
        }
    }

    pub(crate) async fn answer_to(&self, command: &CommandId) -> sqlx::Result<Option<Answer>> {
        match self {
            Self::Sqlite(database) => database.answer_to(command).await,
            Self::Postgres(database) => database.answer_to(command).await,
        }
    }

    /// When something was last seen, in milliseconds since 1970.
    pub(crate) async fn last_seen(&self, subject: &str) -> sqlx::Result<Option<i64>> {
        match self {
            Self::Sqlite(database) => database.last_seen(subject).await,
            Self::Postgres(database) => database.last_seen(subject).await,
        }
    }

    /// The ids of the master keys that wrap keys of the vault.
    pub(crate) async fn vault_masters(&self) -> sqlx::Result<Vec<Vec<u8>>> {
        match self {
            Self::Sqlite(database) => database.vault_masters().await,
            Self::Postgres(database) => database.vault_masters().await,
        }
    }

    /// At most `limit` keys of the vault that are wrapped by another master key than `master`.
    pub(crate) async fn vault_keys_not_under(&self, master: &[u8; 8], limit: u32) -> sqlx::Result<Vec<VaultKey>> {
        match self {
            Self::Sqlite(database) => database.vault_keys_not_under(master, limit).await,
            Self::Postgres(database) => database.vault_keys_not_under(master, limit).await,
        }
    }

    /// Makes sure that what was overwritten or deleted in the table of keys is in no file of the database.
    pub(crate) async fn scrub_vault(&self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(database) => database.scrub_vault().await,
            Self::Postgres(database) => database.scrub_vault().await,
        }
    }

    /// The keys of those of `subjects` that have one.
    pub(crate) async fn vault_keys(&self, subjects: &[&str]) -> sqlx::Result<Vec<VaultKey>> {
        match self {
            Self::Sqlite(database) => database.vault_keys(subjects).await,
            Self::Postgres(database) => database.vault_keys(subjects).await,
        }
    }

    /// The ciphertexts of those of `digests` that there are.
    pub(crate) async fn vault_entries(&self, digests: &[&[u8]]) -> sqlx::Result<VaultEntries> {
        match self {
            Self::Sqlite(database) => database.vault_entries(digests).await,
            Self::Postgres(database) => database.vault_entries(digests).await,
        }
    }

    /// Starts a batch and locks the head: from here to the end of the batch nobody else appends. What is
    /// found was read under the lock.
    pub(crate) async fn begin(&self, conditions: &Conditions<'_>) -> sqlx::Result<(Batch, Found)> {
        match self {
            Self::Sqlite(database) => {
                let (batch, found) = database.begin(conditions).await?;
                Ok((Batch::Sqlite(batch), found))
            }
            Self::Postgres(database) => {
                let (batch, found) = database.begin(conditions).await?;
                Ok((Batch::Postgres(batch), found))
            }
        }
    }

    /// What `append` would find if nobody else appended since this process did last, and a batch that stores nothing
    /// unless it is so: where it saves a round trip, and is likely.
    pub(crate) async fn suppose(&self, append: &PreparedAppend) -> sqlx::Result<Option<(Batch, Found)>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(database) => {
                let supposed = database.suppose(append).await?;
                Ok(supposed.map(|(batch, found)| (Batch::Postgres(batch), found)))
            }
        }
    }

    /// Publishes the size of the log as other processes append to it, until nobody asks or it is closed.
    pub(crate) async fn follow(&self, sizes: &watch::Sender<u64>) {
        match self {
            Self::Sqlite(database) => database.follow(sizes).await,
            Self::Postgres(database) => database.follow(sizes).await,
        }
    }

    /// Waits for what is running, then gives the database up.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}

/// A log as it was at one moment.
pub(crate) enum LogSnapshot {
    Sqlite(sqlite::Snapshot),
    Postgres(postgres::Snapshot),
}

impl LogSnapshot {
    pub(crate) async fn head(&mut self) -> sqlx::Result<HeadRow> {
        match self {
            Self::Sqlite(snapshot) => snapshot.head().await,
            Self::Postgres(snapshot) => snapshot.head().await,
        }
    }

    /// At most `limit` events at `from` and after, in order.
    pub(crate) async fn events(&mut self, from: Position, limit: u32) -> sqlx::Result<Vec<EventRow>> {
        match self {
            Self::Sqlite(snapshot) => snapshot.events(from, limit).await,
            Self::Postgres(snapshot) => snapshot.events(from, limit).await,
        }
    }

    /// At most `limit` keys of subjects past `after`, in order.
    pub(crate) async fn vault_keys(&mut self, after: &str, limit: u32) -> sqlx::Result<Vec<VaultKey>> {
        match self {
            Self::Sqlite(snapshot) => snapshot.vault_keys(after, limit).await,
            Self::Postgres(snapshot) => snapshot.vault_keys(after, limit).await,
        }
    }

    /// At most `limit` entries of digests past `after`, in order.
    pub(crate) async fn vault_entries(&mut self, after: &[u8], limit: u32) -> sqlx::Result<Vec<VaultRow>> {
        match self {
            Self::Sqlite(snapshot) => snapshot.vault_entries(after, limit).await,
            Self::Postgres(snapshot) => snapshot.vault_entries(after, limit).await,
        }
    }

    /// How many keys and entries the vault has.
    pub(crate) async fn count_vault(&mut self) -> sqlx::Result<(u64, u64)> {
        match self {
            Self::Sqlite(snapshot) => snapshot.count_vault().await,
            Self::Postgres(snapshot) => snapshot.count_vault().await,
        }
    }
}

/// One transaction that appends. Dropped, it leaves nothing.
pub(crate) enum Batch {
    Sqlite(sqlite::Batch),
    Postgres(postgres::Batch),
}

impl Batch {
    /// The time of a database that has a clock of its own, read under the lock.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(batch) => Some(batch.time()),
        }
    }

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        match self {
            Self::Sqlite(batch) => batch.event_id_at(position).await,
            Self::Postgres(batch) => batch.event_id_at(position).await,
        }
    }

    /// Stores a part of what the batch changes.
    pub(crate) async fn store(&mut self, changes: &Changes<'_>) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.store(changes).await,
            Self::Postgres(batch) => batch.store(changes).await,
        }
    }

    /// Stores `changes`, and ends the batch. They are durable once this returns `Ok`.
    pub(crate) async fn commit(self, changes: &Changes<'_>) -> Result<(), CommitError> {
        match self {
            Self::Sqlite(batch) => batch.commit(changes).await,
            Self::Postgres(batch) => batch.commit(changes).await,
        }
    }

    /// Gives the lock back without a change. Cheaper than dropping the batch, which costs the connection.
    pub(crate) async fn roll_back(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(batch) => batch.roll_back().await,
            Self::Postgres(batch) => batch.roll_back().await,
        }
    }
}

/// Whether the database is out of reach, rather than refusing one particular request: what was asked
/// may well succeed once it is back.
pub(crate) fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_outage_code(&code)),
        _ => false,
    }
}

fn is_outage_code(code: &str) -> bool {
    // SQLite's BUSY; PostgreSQL's connection failures, shutdowns, full server, lost sessions and locks.
    code == "5" || code.starts_with("08") || code.starts_with("57P") || ["53300", "25P03", "55P03"].contains(&code)
}
