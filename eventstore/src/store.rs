//! The handle everybody holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::admission::{HeadRow, Work};
use crate::append::{Answer, Append, AppendError, Appended, CommandId, InvalidAppend, PreparedAppend, check_actor};
use crate::backend::{Backend, StoredLeaf};
use crate::clock::{Clock, JumpGuard};
use crate::event::{Position, Recorded, Revision};
use crate::high_water::HighWater;
use crate::leaf::MalformedLeaf;
use crate::open::{self, Mode, OpenError, OpenOptions};
use crate::recent::Recent;
use crate::restoration;
use crate::stream_name::StreamName;
use crate::subscription::Subscription;
use crate::transparency::merkle;
use crate::writer::Writer;

/// An open event log. Clones share it.
///
/// Appends are serialised across the whole log: positions have no gaps, and a reader that has seen
/// position *n* never later finds a smaller one.
#[derive(Clone)]
pub struct EventStore {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Backend,
    identity: Identity,
    size: watch::Receiver<u64>,
    clock: Arc<JumpGuard>,
    recent: Arc<Recent>,
    /// `None` if open for reading only.
    writer: Option<Writer>,
}

/// Which log this is. Two random numbers, drawn when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub log_id: Uuid,
    /// Changes when the log was restored to a state older than what was already published.
    pub epoch: Uuid,
}

impl Identity {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [[0; 16]; 2];
        getrandom::fill(bytes.as_flattened_mut())?;
        let [log_id, epoch] = bytes.map(|bytes| uuid::Builder::from_random_bytes(bytes).into_uuid());
        Ok(Self { log_id, epoch })
    }

    /// What checkpoints call the log in this epoch.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("charthouse:{}/{}", self.log_id, self.epoch)
    }
}

/// How far the log reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many events there are; also the position the next one gets.
    pub size: u64,
    /// The RFC 6962 root over all leaves.
    pub root: merkle::Hash,
    /// The time of the last event.
    pub time: Option<DateTime<Utc>>,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The stored bytes are damaged; reading on would hide it.
    #[error("the event at position {position} is damaged")]
    Malformed {
        position: Position,
        #[source]
        source: MalformedLeaf,
    },
    #[error("the event store is closed")]
    Closed,
    #[error("the event database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::Database(error),
        }
    }
}

impl EventStore {
    /// Opens the log at `url`: `sqlite://` and the path of a file, whose folder exists, or `postgres://`
    /// and a database that exists.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why; another program's database and a newer schema are left untouched.
    pub async fn open(url: &str, mode: Mode) -> Result<Self, OpenError> {
        Self::open_with(url, OpenOptions::new(mode)).await
    }

    /// Like [`EventStore::open`], with time of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`EventStore::open`].
    pub async fn open_with_clock(url: &str, mode: Mode, clock: impl Clock) -> Result<Self, OpenError> {
        let clock = Box::new(clock);
        Self::open_with(
            url,
            OpenOptions {
                clock,
                ..OpenOptions::new(mode)
            },
        )
        .await
    }

    /// Like [`EventStore::open`], with everything of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`EventStore::open`]; [`OpenError::OtherLog`] and [`OpenError::Restored`] if the log is not what is
    /// remembered.
    pub async fn open_with(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let OpenOptions {
            mode,
            clock,
            remembered,
        } = options;
        let backend = open::connect(url, mode).await?;
        let clock = JumpGuard::new(clock, backend.time().await?);
        if let Some(remembered) = &remembered {
            restoration::check(&backend, &open::without_password(url), mode, &clock, remembered).await?;
        }
        Ok(Self::start(backend, mode, clock).await?)
    }

    async fn start(backend: Backend, mode: Mode, clock: JumpGuard) -> sqlx::Result<Self> {
        let head = backend.head().await?;
        let identity = head.identity;
        let (sizes, size) = watch::channel(head.frontier.size());
        let clock = Arc::new(clock);
        let recent = Arc::new(Recent::default());
        let follower = (backend.clone(), sizes.clone());
        tokio::spawn(async move { follower.0.follow(&follower.1).await });
        let writer = match mode {
            Mode::Append => Some(Writer::start(
                backend.clone(),
                identity,
                Arc::clone(&clock),
                Arc::clone(&recent),
                sizes,
            )),
            Mode::ReadOnly => None,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                backend,
                identity,
                size,
                clock,
                recent,
                writer,
            }),
        })
    }

    /// Which log this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// Stores all of `append`, or nothing. Returns once it is durable.
    ///
    /// A caller that stops waiting does not undo the append.
    ///
    /// # Errors
    ///
    /// [`AppendError::Conflict`] if a stream moved: load again and decide again.
    /// [`AppendError::AlreadyDone`] if the same command landed before.
    /// [`AppendError::OutcomeUnknown`] if the database failed so that nobody can tell.
    /// After every other error nothing was stored.
    #[tracing::instrument(level = "debug", skip_all, fields(writes = append.writes.len(), guards = append.guards.len()))]
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let prepared = PreparedAppend::new(self.shared.identity.log_id, append)?;
        let events = self.store(Work::Append(prepared)).await?;
        match events.as_slice() {
            [] => Err(InvalidAppend::Empty.into()),
            [first, ..] => {
                let first = first.position;
                let last = events.last().map_or(first, |event| event.position);
                Ok(Appended { first, last, events })
            }
        }
    }

    /// Remembers, for at least a day, that a command was answered `position` although it changed nothing.
    ///
    /// Returns the answer that stands: an earlier one if the same command was given before.
    ///
    /// # Errors
    ///
    /// [`AppendError::CommandReused`] if the id belongs to another request.
    pub async fn remember_unchanged(
        &self,
        actor: &str,
        command_id: Uuid,
        request: [u8; 32],
        position: Position,
    ) -> Result<Answer, AppendError> {
        check_actor(actor)?;
        let command = CommandId {
            actor: actor.to_owned(),
            id: command_id,
        };
        match self
            .store(Work::Remember {
                command,
                request,
                position,
            })
            .await
        {
            Ok(_) => Ok(Answer {
                request,
                position,
                events: 0,
            }),
            Err(AppendError::AlreadyDone(answer)) => Ok(answer),
            Err(error) => Err(error),
        }
    }

    /// What `actor` was answered to a command, if it was given before.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails.
    pub async fn answer_to(&self, actor: &str, command_id: Uuid) -> Result<Option<Answer>, ReadError> {
        let command = CommandId {
            actor: actor.to_owned(),
            id: command_id,
        };
        Ok(self.shared.backend.answer_to(&command).await?)
    }

    /// The events of one stream past revision `after`, in order; none if there is no such stream.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails or an event is damaged.
    pub async fn read_stream(&self, stream: &StreamName, after: Revision) -> Result<Vec<Recorded>, ReadError> {
        recorded(self.shared.backend.read_stream(stream, after).await?)
    }

    /// The same for whoever knows every event of the stream before position `seen`. It asks the database only if what
    /// came since is not in memory, or other processes append too.
    ///
    /// # Errors
    ///
    /// As [`EventStore::read_stream`].
    pub async fn read_stream_since(
        &self,
        stream: &StreamName,
        after: Revision,
        seen: Position,
    ) -> Result<Vec<Recorded>, ReadError> {
        if self.shared.writer.is_some() && self.shared.backend.has_one_appender() {
            let size = self.known_size();
            if let Some(events) = self.shared.recent.read_stream(stream, after, seen) {
                return Ok(events);
            }
            if seen.get() >= size {
                return Ok(vec![]);
            }
        }
        self.read_stream(stream, after).await
    }

    /// How many events this process knows of: whatever it reads from now on is at least as new.
    #[must_use]
    pub fn known_size(&self) -> u64 {
        *self.shared.size.borrow()
    }

    /// At most `limit` events at `from` and after, in order; none at the end of the log.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails or an event is damaged.
    pub async fn read(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        match self.shared.recent.read(from, limit) {
            Some(events) => Ok(events),
            None => recorded(self.shared.backend.read(from, limit).await?),
        }
    }

    /// The events at these positions, in order; none for a position that is still to come.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails or an event is damaged.
    pub async fn read_each(&self, positions: &BTreeSet<Position>) -> Result<Vec<Recorded>, ReadError> {
        recorded(self.shared.backend.read_each(positions).await?)
    }

    /// Size, root and time of the log, all of the same moment.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails.
    pub async fn head(&self) -> Result<Head, ReadError> {
        let head = self.shared.backend.head().await?;
        Ok(Head {
            size: head.frontier.size(),
            root: head.frontier.root(),
            time: head.time,
        })
    }

    /// What to remember of the log outside its database; see [`OpenOptions::remembered`].
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails.
    pub async fn high_water(&self) -> Result<HighWater, ReadError> {
        let HeadRow { identity, frontier, .. } = self.shared.backend.head().await?;
        let last_leaf = match frontier.size().checked_sub(1) {
            Some(last) => self.shared.backend.leaf_hash(Position::new(last)).await?,
            None => None,
        };
        Ok(HighWater {
            identity,
            size: frontier.size(),
            root: frontier.root(),
            last_leaf: last_leaf.unwrap_or_default(),
        })
    }

    /// Follows the log from `from` on: first what is there, then what comes.
    #[must_use]
    pub fn subscribe(&self, from: Position) -> Subscription {
        Subscription::new(self.clone(), from)
    }

    /// The number of events, as it grows. Whoever waits on it may miss steps, never the last.
    #[must_use]
    pub fn size(&self) -> watch::Receiver<u64> {
        self.shared.size.clone()
    }

    /// Believes the wall clock as it is now, after [`AppendError::ClockJumped`] stopped appends.
    ///
    /// If it is wrong, the wrong time is in the log for ever, and no later event gets an earlier one.
    pub fn accept_clock(&self) {
        self.shared.clock.accept();
    }

    /// Stores what was already asked for, refuses what comes after, and gives the log up, for all clones.
    pub async fn close(&self) {
        if let Some(writer) = &self.shared.writer {
            writer.close().await;
        }
        self.shared.backend.close().await;
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.shared.backend
    }

    pub(crate) async fn store(&self, work: Work) -> Result<Vec<Recorded>, AppendError> {
        let writer = self.shared.writer.as_ref().ok_or(AppendError::ReadOnly)?;
        writer.store(work).await
    }
}

pub(crate) fn recorded(leaves: Vec<StoredLeaf>) -> Result<Vec<Recorded>, ReadError> {
    let parse = |(position, leaf)| {
        Recorded::from_leaf(position, leaf).map_err(|source| ReadError::Malformed { position, source })
    };
    leaves.into_iter().map(parse).collect()
}
