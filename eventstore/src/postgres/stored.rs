//! What a batch stores of its events, as one statement.
//!
//! A single event, which is what one caller at a time appends, is spelt as text: then the commit goes with it, and the
//! caller waits for one answer less. More than that would take longer to spell and to read than it saves.

use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use super::follow::{CHANNEL, announcement};
use super::spelling::{bytes, id, text};
use crate::admission::{Entry, HeadRow};
use crate::append::{Answer, CommandId};

const ALL: &str = "
    WITH events AS (
        INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[],
                             $7::bytea[], $8::bytea[])
    ), answers AS (
        INSERT INTO command (actor, id, request, position, events)
        SELECT * FROM unnest($9::text[], $10::uuid[], $11::bytea[], $12::bigint[], $13::bigint[])
    )
    UPDATE log_head SET epoch = $14, size = $15, frontier = $16, time_ms = $17
    RETURNING CASE WHEN $20 THEN pg_notify($18, $19)::text END";

/// The same of one event, with one answer or none: what a connection has to know to understand [`Stored::as_text`].
pub(super) const PREPARE_ONE: &str = "
    PREPARE store_one (bigint, text, bigint, uuid, text, bigint, bytea, bytea, text, uuid, bytea, bigint, bigint,
                       uuid, bigint, bytea, bigint, text, text, bool) AS
    WITH events AS (
        INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ), answers AS (
        INSERT INTO command (actor, id, request, position, events) SELECT $9, $10, $11, $12, $13 WHERE $9 IS NOT NULL
    )
    UPDATE log_head SET epoch = $14, size = $15, frontier = $16, time_ms = $17
    RETURNING CASE WHEN $20 THEN pg_notify($18, $19)::text END";

/// The longest leaf that is spelt as text, where it takes twice as many bytes.
const SPELT_BYTES_MAX: usize = 16 * 1024;

pub(super) struct Stored<'a> {
    pub(super) events: &'a [&'a Entry],
    pub(super) answers: &'a [&'a (CommandId, Answer)],
    /// The head after the events.
    pub(super) head: &'a HeadRow,
    pub(super) is_followed: bool,
}

// Positions, revisions and counts of stored events stay below 2^63.
impl<'a> Stored<'a> {
    /// With arguments, for any number of events.
    pub(super) fn bound(&self) -> Query<'a, Postgres, PgArguments> {
        let recorded = || self.events.iter().map(|entry| &entry.recorded);
        let commands = || self.answers.iter().map(|(command, _)| command);
        let answers = || self.answers.iter().map(|(_, answer)| answer);
        let (size, head) = (self.size(), self.head);
        sqlx::query(ALL)
            .bind(Vec::from_iter(
                recorded().map(|event| event.position.get().cast_signed()),
            ))
            .bind(Vec::from_iter(recorded().map(|event| event.stream.as_str())))
            .bind(Vec::from_iter(
                recorded().map(|event| event.revision.get().cast_signed()),
            ))
            .bind(Vec::from_iter(recorded().map(|event| event.id)))
            .bind(Vec::from_iter(recorded().map(|event| event.name.as_str())))
            .bind(Vec::from_iter(recorded().map(|event| event.time.timestamp_millis())))
            .bind(Vec::from_iter(
                self.events.iter().map(|entry| entry.leaf_hash.as_slice()),
            ))
            .bind(Vec::from_iter(recorded().map(|event| &event.leaf[..])))
            .bind(Vec::from_iter(commands().map(|command| command.actor.as_str())))
            .bind(Vec::from_iter(commands().map(|command| command.id)))
            .bind(Vec::from_iter(answers().map(|answer| answer.request.as_slice())))
            .bind(Vec::from_iter(
                answers().map(|answer| answer.position.get().cast_signed()),
            ))
            .bind(Vec::from_iter(answers().map(|answer| answer.events.cast_signed())))
            .bind(head.identity.epoch)
            .bind(size)
            .bind(head.frontier.to_bytes())
            .bind(head.time.map(|time| time.timestamp_millis()))
            .bind(CHANNEL)
            .bind(self.announcement())
            .bind(self.is_followed)
    }

    /// As text, if it is one event and not long.
    pub(super) fn as_text(&self) -> Option<String> {
        Some(format!("EXECUTE store_one ({})", self.arguments()?.join(", ")))
    }

    /// The arguments of [`PREPARE_ONE`] as they are spelt, if it is one event and not long.
    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        let ([entry], [] | [_]) = (self.events, self.answers) else {
            return None;
        };
        let Entry {
            recorded, leaf_hash, ..
        } = entry;
        if recorded.leaf.len() > SPELT_BYTES_MAX {
            return None;
        }
        let mut arguments = vec![
            recorded.position.to_string(),
            text(recorded.stream.as_str()),
            recorded.revision.to_string(),
            id(recorded.id),
            text(recorded.name.as_str()),
            recorded.time.timestamp_millis().to_string(),
            bytes(leaf_hash),
            bytes(&recorded.leaf),
        ];
        match self.answers.first() {
            Some((command, answer)) => arguments.extend([
                text(&command.actor),
                id(command.id),
                bytes(answer.request),
                answer.position.to_string(),
                answer.events.to_string(),
            ]),
            None => arguments.extend([const { "NULL" }; 5].map(str::to_owned)),
        }
        let time = self.head.time.map(|time| time.timestamp_millis().to_string());
        arguments.extend([
            id(self.head.identity.epoch),
            self.size().to_string(),
            bytes(self.head.frontier.to_bytes()),
            time.unwrap_or_else(|| "NULL".to_owned()),
            text(CHANNEL),
            text(&self.announcement()),
            self.is_followed.to_string(),
        ]);
        Some(arguments)
    }

    fn size(&self) -> i64 {
        self.head.frontier.size().cast_signed()
    }

    fn announcement(&self) -> String {
        announcement(self.head.identity.log_id, &self.size().to_string())
    }
}
