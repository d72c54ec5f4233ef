//! Appending one event without looking first, in one round trip.
//!
//! A process that nobody else appends beside knows the head: as it left it. So it supposes that its append is in order,
//! places the event, and sends all of it at once with what it supposes. The server compares that with what there is,
//! under the same lock as for any other batch, and stores nothing if it is not so; then the append is done in the usual
//! way, which knows what to refuse and why.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

use super::spelling::{bytes, id};
use super::stored::Stored;
use crate::admission::HeadRow;
use crate::append::{Guard, PreparedAppend};
use crate::backend::{Answers, Found};

/// How far the time in the event may be from the server's, in milliseconds.
const TIME_OFF_MAX: i64 = 100;

/// What a connection has to know to understand [`Supposed::as_text`].
///
/// What is compared is read after the lock was taken, in another statement, and so is what its last holder committed. The
/// first arguments are those of `store_one`.
pub(super) const PREPARE_SUPPOSED: &str = "
    PREPARE hold_head AS SELECT 1 FROM log_head FOR UPDATE;

    PREPARE store_supposed (bigint, text, bigint, uuid, text, bigint, bytea, bytea, text, uuid, bytea, bigint, bigint,
                            uuid, bigint, bytea, bigint, text, text, bool, uuid, bigint, bigint, bigint,
                            bytea, bigint[]) AS
    WITH head AS (
        UPDATE log_head SET size = $15, frontier = $16, time_ms = $17
        WHERE log_id = $21 AND epoch = $14 AND size = $15 - 1 AND oldest_writer = $22
          AND abs(extract(epoch FROM clock_timestamp()) * 1000 - $23) <= $24
          AND current_setting('fsync') <> 'off' AND current_setting('synchronous_commit') <> 'off'
          AND coalesce((SELECT max(revision) FROM event WHERE stream = $2), 0) = $3 - 1
          AND NOT EXISTS (SELECT FROM command WHERE actor = $9 AND id = $10)
          AND NOT EXISTS (SELECT FROM unchanged_command WHERE actor = $9 AND id = $10)
          AND NOT EXISTS (
              SELECT FROM unnest(string_to_array(convert_from($25, 'UTF8'), E'\\n'), $26) AS guard (stream, revision)
              WHERE coalesce((SELECT max(revision) FROM event WHERE event.stream = guard.stream), 0) <> guard.revision)
        RETURNING CASE WHEN $20 THEN pg_notify($18, $19)::text END
    ), events AS (
        INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM head
    ), answers AS (
        INSERT INTO command (actor, id, request, position, events)
        SELECT $9, $10, $11, $12, $13 FROM head WHERE $9 IS NOT NULL
    )
    SELECT 1 FROM head";

/// The server's time as it was read, from which its time now follows.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    time: DateTime<Utc>,
    at: Instant,
}

impl Reading {
    /// What the server said just now.
    pub(super) fn new(time: DateTime<Utc>) -> Self {
        Self {
            time,
            at: Instant::now(),
        }
    }

    /// `None` beyond all calendars.
    fn now(self) -> Option<DateTime<Utc>> {
        let passed = TimeDelta::from_std(self.at.elapsed()).ok()?;
        self.time.checked_add_signed(passed)
    }
}

/// The head as this process left it.
pub(super) struct Left {
    pub(super) head: HeadRow,
    pub(super) reading: Reading,
    /// Whether this process had found it as it had left it before.
    pub(super) is_undisturbed: bool,
}

/// The head as this process left it, if it is known.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Option<Left>>>);

impl Memory {
    pub(super) fn take(&self) -> Option<Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn keep(&self, left: Left) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }
}

/// What has to be so for a batch to store anything.
pub(super) struct Supposed {
    head: HeadRow,
    guards: Vec<Guard>,
    time: DateTime<Utc>,
}

impl Supposed {
    /// `None` if `append` is not of one event, or somebody else was seen to append.
    pub(super) fn new(left: &Left, append: &PreparedAppend) -> Option<(Self, Found)> {
        let [write] = append.writes.as_slice() else {
            return None;
        };
        if write.leaves.len() != 1 || !left.is_undisturbed {
            return None;
        }
        let guarded = append.guards.iter().map(|guard| (&guard.stream, guard.revision));
        let revisions = guarded.chain([(&write.stream, write.expected)]);
        let found = Found {
            head: left.head.clone(),
            revisions: revisions.map(|(stream, revision)| (stream.clone(), revision)).collect(),
            answers: Answers::new(),
        };
        let supposed = Self {
            head: left.head.clone(),
            guards: append.guards.clone(),
            time: left.reading.now()?,
        };
        Some((supposed, found))
    }

    pub(super) fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// A whole transaction. It answers with two rows if it stored, and with one if not.
    pub(super) fn as_text(&self, stored: &Stored<'_>) -> Option<String> {
        let arguments = stored.arguments()?;
        let streams: Vec<_> = self.guards.iter().map(|guard| guard.stream.as_str()).collect();
        let revisions: Vec<_> = self.guards.iter().map(|guard| guard.revision.to_string()).collect();
        let suppositions = [
            id(self.head.identity.log_id),
            self.head.oldest_writer.to_string(),
            self.time.timestamp_millis().to_string(),
            TIME_OFF_MAX.to_string(),
            bytes(streams.join("\n")),
            format!("'{{{}}}'", revisions.join(",")),
        ];
        let arguments = [&arguments[..], &suppositions].concat().join(", ");
        Some(format!(
            "BEGIN; EXECUTE hold_head; EXECUTE store_supposed ({arguments}); COMMIT"
        ))
    }
}
