//! What can be asked of the log, and what it answers.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use crate::event::{Position, Recorded, Revision};
use crate::leaf::UnplacedLeaf;
use crate::stream_name::StreamName;

/// Most events one append may carry.
const EVENTS_MAX: usize = 1_024;
const ACTOR_BYTES_MAX: usize = 255;
/// How long a command that changed nothing is remembered.
pub(crate) const UNCHANGED_KEPT: TimeDelta = TimeDelta::days(1);

/// Events to store, and what must hold for it. All of it happens, or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// At least one; no stream twice.
    pub writes: Vec<Write>,
    /// Streams that must not have moved although nothing is written to them.
    pub guards: Vec<Guard>,
    pub context: Context,
}

/// Who caused the events and why. Every leaf carries it.
#[derive(Debug, Clone)]
pub struct Context {
    /// The account or process that acts: 1 to 255 bytes, no control characters.
    pub actor: String,
    /// What makes a repeated command recognisable; `None` if it is not to be.
    pub command: Option<CommandKey>,
    pub correlation_id: Uuid,
    /// The event this is a reaction to.
    pub causation_id: Option<Uuid>,
}

/// Together with the actor: one command, however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandKey {
    pub id: Uuid,
    /// HMAC of the request, so that the same id with another request is found out.
    pub request: [u8; 32],
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub struct Write {
    pub stream: StreamName,
    /// How many events the stream holds now; [`Revision::NONE`] for a new one.
    pub expected: Revision,
    /// At least one.
    pub events: Vec<NewEvent>,
}

/// An event that is not recorded yet.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Unique in the log.
    pub id: Uuid,
    /// The type name, such as `VersionApproved`: a letter, then letters and digits, at most 100.
    pub name: String,
    /// The version of the data's schema, from 1.
    pub schema: u32,
    /// A JSON object without fractions and without integers beyond 2^53.
    pub data: Value,
}

/// A stream that must still be at this revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub stream: StreamName,
    pub revision: Revision,
}

/// Events that are durable and in the total order.
#[derive(Debug, Clone)]
pub struct Appended {
    pub first: Position,
    pub last: Position,
    /// In the order of the writes.
    pub events: Vec<Recorded>,
}

/// What a command was answered when it was first given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub request: [u8; 32],
    /// The position it reached: of its last event, or for a command that changed nothing, what the
    /// caller of [`remember_unchanged`](crate::EventStore::remember_unchanged) said.
    pub position: Position,
    /// How many events it left; 0 if it changed nothing.
    pub events: u64,
}

/// Why nothing was stored, or in one case why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Load again and decide again.
    #[error("stream {stream} is at revision {actual}, not {expected}")]
    Conflict {
        stream: StreamName,
        expected: Revision,
        actual: Revision,
    },
    #[error("this command id was used before with another request")]
    CommandReused,
    /// The same command landed meanwhile; this is what it was answered.
    #[error("this command was already done and reached position {}", .0.position)]
    AlreadyDone(Answer),
    #[error("an event would take {bytes} bytes, and {limit} are allowed")]
    LeafTooLarge { bytes: usize, limit: usize },
    #[error("the append is not valid")]
    Invalid(#[from] InvalidAppend),
    /// See [`accept_clock`](crate::EventStore::accept_clock).
    #[error("the wall clock ran {ahead_seconds} seconds ahead of the monotonic clock")]
    ClockJumped { ahead_seconds: i64 },
    #[error("the log was taken over by a newer program (generation {oldest_writer}, this one is {own})")]
    Superseded { oldest_writer: u32, own: u32 },
    /// Somebody restored a backup, or put another log in its place. Open it again.
    #[error("the log is not the one that was opened: it was restored or exchanged meanwhile")]
    Replaced,
    #[error("the event store is open for reading only")]
    ReadOnly,
    #[error("the event store is closed")]
    Closed,
    /// The events may or may not be stored. Give the same command again: its id settles it.
    #[error("the database failed while committing, and whether it did is not known")]
    OutcomeUnknown(#[source] Arc<sqlx::Error>),
    /// Nothing was stored. Trying again later may well succeed.
    #[error("the event database is out of reach")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// Nothing was stored.
    #[error("the event database failed")]
    Database(#[from] sqlx::Error),
}

/// An append that could not be stored at any time.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAppend {
    #[error("an append needs at least one write, and each write at least one event")]
    Empty,
    #[error("stream {0} is written twice in one append")]
    StreamTwice(StreamName),
    #[error("{events} events are too many for one append, which may have {EVENTS_MAX}")]
    TooManyEvents { events: usize },
    #[error("actor {0:?} must have 1 to {ACTOR_BYTES_MAX} bytes and no control characters")]
    Actor(String),
    #[error("{name:?} in version {schema} does not name a type of event")]
    EventName { name: String, schema: u32 },
    #[error("the data of {name} cannot be stored: {problem}")]
    Data { name: String, problem: &'static str },
    #[error("the event has no canonical form")]
    NotCanonical(#[source] serde_json::Error),
}

/// The identity of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CommandId {
    pub(crate) actor: String,
    pub(crate) id: Uuid,
}

/// An append whose leaves lack only their places.
#[derive(Debug)]
pub(crate) struct PreparedAppend {
    pub(crate) writes: Vec<PreparedWrite>,
    pub(crate) guards: Vec<Guard>,
    /// The command and the HMAC of its request.
    pub(crate) command: Option<(CommandId, [u8; 32])>,
}

#[derive(Debug)]
pub(crate) struct PreparedWrite {
    pub(crate) stream: StreamName,
    pub(crate) expected: Revision,
    pub(crate) leaves: Vec<UnplacedLeaf>,
}

impl PreparedAppend {
    /// Does all that needs no lock: checks the append and makes its leaves.
    pub(crate) fn new(log_id: Uuid, append: Append) -> Result<Self, AppendError> {
        check_shape(&append)?;
        let Append {
            writes,
            guards,
            context,
        } = append;
        let writes = writes
            .into_iter()
            .map(|write| prepare(log_id, &context, write))
            .collect::<Result<_, _>>()?;
        let Context { actor, command, .. } = context;
        let command = command.map(|key| (CommandId { actor, id: key.id }, key.request));
        Ok(Self {
            writes,
            guards,
            command,
        })
    }
}

fn prepare(log_id: Uuid, context: &Context, write: Write) -> Result<PreparedWrite, AppendError> {
    let Write {
        stream,
        expected,
        events,
    } = write;
    let mut revision = expected;
    let mut leaves = Vec::with_capacity(events.len());
    for event in events {
        revision = revision.next();
        leaves.push(UnplacedLeaf::new(log_id, context, &stream, revision, event)?);
    }
    Ok(PreparedWrite {
        stream,
        expected,
        leaves,
    })
}

fn check_shape(append: &Append) -> Result<(), InvalidAppend> {
    let writes = &append.writes;
    if writes.is_empty() || writes.iter().any(|write| write.events.is_empty()) {
        return Err(InvalidAppend::Empty);
    }
    let events = writes.iter().map(|write| write.events.len()).sum();
    if events > EVENTS_MAX {
        return Err(InvalidAppend::TooManyEvents { events });
    }
    let twice = writes
        .iter()
        .enumerate()
        .find(|(i, write)| writes[..*i].iter().any(|w| w.stream == write.stream));
    if let Some((_, write)) = twice {
        return Err(InvalidAppend::StreamTwice(write.stream.clone()));
    }
    check_actor(&append.context.actor)
}

pub(crate) fn check_actor(actor: &str) -> Result<(), InvalidAppend> {
    if (1..=ACTOR_BYTES_MAX).contains(&actor.len()) && !actor.contains(char::is_control) {
        Ok(())
    } else {
        Err(InvalidAppend::Actor(actor.to_owned()))
    }
}
