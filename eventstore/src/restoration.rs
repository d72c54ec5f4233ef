//! A log that was restored to an older state says so, and begins a new epoch.
//!
//! What was published of the lost events (cursors, signed checkpoints, views) names the old epoch, so
//! nobody takes the events that follow now for those that were there once.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::admission::{Ledger, WRITER_GENERATION, Work};
use crate::append::{Append, Context, NewEvent, PreparedAppend, Write};
use crate::backend::{Backend, Changes, CommitError, Conditions};
use crate::clock::JumpGuard;
use crate::event::{Position, Revision};
use crate::high_water::HighWater;
use crate::leaf::MalformedLeaf;
use crate::open::{Mode, OpenError};
use crate::store::{Identity, ReadError, recorded};
use crate::stream_name::StreamName;

/// The type of the event that begins an epoch.
const LOG_RESTORED: &str = "LogRestored";
/// Nobody did it; the program noticed.
const ACTOR: &str = "system";

/// What the events of the epochs' stream have in common.
#[derive(Deserialize)]
struct Restored {
    /// Log id and epoch of what was lost.
    origin: String,
}

/// Makes sure that the log holds all that is remembered of it, or begins a new epoch.
pub(crate) async fn check(
    backend: &Backend,
    log: &str,
    mode: Mode,
    clock: &JumpGuard,
    remembered: &HighWater,
) -> Result<(), OpenError> {
    let found = backend.head().await?.identity;
    if found.log_id != remembered.identity.log_id {
        return Err(OpenError::OtherLog {
            log: log.to_owned(),
            found: found.log_id,
            remembered: remembered.identity.log_id,
        });
    }
    if holds(backend, found, remembered).await? {
        return Ok(());
    }
    match mode {
        Mode::ReadOnly => Err(OpenError::Restored { log: log.to_owned() }),
        Mode::Append => begin_epoch(backend, clock, found, remembered).await,
    }
}

async fn holds(backend: &Backend, found: Identity, remembered: &HighWater) -> Result<bool, OpenError> {
    if found.epoch != remembered.identity.epoch {
        return was_recorded(backend, remembered).await;
    }
    let Some(last) = remembered.size.checked_sub(1) else {
        return Ok(true);
    };
    // A leaf holds its position, its time and a unique id, so another history has another leaf here.
    Ok(backend.leaf_hash(Position::new(last)).await? == Some(remembered.last_leaf))
}

/// Whether the end of the remembered epoch is known already.
async fn was_recorded(backend: &Backend, remembered: &HighWater) -> Result<bool, OpenError> {
    let origin = remembered.identity.origin();
    let events = recorded(backend.read_stream(&epochs()?, Revision::NONE).await?)?;
    for event in events {
        let restored: Restored = serde_json::from_slice(&event.data)
            .map_err(|source| damaged(event.position, MalformedLeaf::Json(source)))?;
        if restored.origin == origin {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn begin_epoch(
    backend: &Backend,
    clock: &JumpGuard,
    found: Identity,
    remembered: &HighWater,
) -> Result<(), OpenError> {
    let stream = epochs()?;
    let conditions = Conditions {
        streams: vec![&stream],
        commands: Vec::new(),
    };
    let (batch, log) = backend.begin(&conditions).await?;
    let head = &log.head;
    // Another process may have been faster, and a newer program may keep its epochs differently.
    if head.identity != found || head.oldest_writer > WRITER_GENERATION {
        return Ok(batch.roll_back().await?);
    }
    let Identity { epoch, .. } = Identity::random().map_err(OpenError::Random)?;
    tracing::warn!(
        remembered = remembered.size,
        found = head.frontier.size(),
        %epoch,
        "the log was restored to an older state and begins a new epoch"
    );
    let now = clock.unchecked_now(batch.time());
    let expected = log.revisions.get(&stream).copied().unwrap_or(Revision::NONE);
    let mut ledger = Ledger::new(log);
    let append = log_restored(stream, expected, epoch, remembered)?;
    let log_id = ledger.head.identity.log_id;
    let work = Work::Append(PreparedAppend::new(log_id, append).map_err(OpenError::NotRecorded)?);
    let entries = ledger.admit(&work, now).map_err(OpenError::NotRecorded)?;
    ledger.head.identity.epoch = epoch;
    let changes = Changes {
        events: &entries.iter().collect::<Vec<_>>(),
        answers: &[],
        vault: &[],
        sightings: &[],
        head: &ledger.head,
        now,
    };
    Ok(batch.commit(&changes).await.map_err(CommitError::into_inner)?)
}

fn log_restored(
    stream: StreamName,
    expected: Revision,
    epoch: Uuid,
    remembered: &HighWater,
) -> Result<Append, OpenError> {
    let event = NewEvent {
        id: Identity::random().map_err(OpenError::Random)?.log_id,
        name: LOG_RESTORED.to_owned(),
        schema: 1,
        data: json!({
            "epoch": epoch,
            "origin": remembered.identity.origin(),
            "root": hex::encode(remembered.root),
            "size": remembered.size.to_string(),
        }),
    };
    let context = Context {
        actor: ACTOR.to_owned(),
        command: None,
        correlation_id: event.id,
        causation_id: None,
    };
    let write = Write {
        stream,
        expected,
        events: vec![event],
    };
    Ok(Append {
        writes: vec![write],
        guards: Vec::new(),
        context,
    })
}

fn epochs() -> Result<StreamName, OpenError> {
    StreamName::new("log", "epochs").map_err(|error| sqlx::Error::Decode(error.into()).into())
}

fn damaged(position: Position, source: MalformedLeaf) -> OpenError {
    ReadError::Malformed { position, source }.into()
}
