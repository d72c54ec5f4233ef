//! Between rows and types: what both databases spell alike.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::admission::{HeadRow, VaultKey, VaultRow};
use crate::append::{Answer, CommandId};
use crate::backend::{Found, StoredLeaf};
use crate::copy::EventRow;
use crate::event::{Position, Revision};
use crate::store::Identity;
use crate::stream_name::StreamName;
use crate::transparency::merkle::Frontier;

/// Log id, epoch, size, frontier, time of the last leaf, oldest writer.
pub(crate) type HeadColumns = (Uuid, Uuid, i64, Vec<u8>, Option<i64>, i64);

/// Reads [`HeadColumns`].
pub(crate) const HEAD: &str = "SELECT log_id, epoch, size, frontier, time_ms, oldest_writer FROM log_head";

pub(crate) fn head_row(columns: HeadColumns) -> sqlx::Result<HeadRow> {
    let (log_id, epoch, size, frontier, time_ms, oldest_writer) = columns;
    Ok(HeadRow {
        identity: Identity { log_id, epoch },
        frontier: Frontier::from_bytes(natural(size)?, &frontier).map_err(undecodable)?,
        time: time_ms.and_then(DateTime::<Utc>::from_timestamp_millis),
        oldest_writer: u32::try_from(oldest_writer).map_err(undecodable)?,
    })
}

/// Actor, command id, request, position, number of events.
pub(crate) type AnswerColumns = (String, Uuid, Vec<u8>, i64, i64);

/// `revisions` are those of `streams`, in their order.
pub(crate) fn found(
    head: HeadColumns,
    streams: &[&StreamName],
    revisions: Vec<i64>,
    answers: Vec<AnswerColumns>,
) -> sqlx::Result<Found> {
    let revision = |(stream, revision): (&&StreamName, i64)| Ok(((*stream).clone(), Revision::new(natural(revision)?)));
    let answer = |(actor, id, request, position, events)| {
        let command = CommandId { actor, id };
        Ok((command, answer((request, position, events))?))
    };
    Ok(Found {
        head: head_row(head)?,
        revisions: streams
            .iter()
            .zip(revisions)
            .map(revision)
            .collect::<sqlx::Result<_>>()?,
        answers: answers.into_iter().map(answer).collect::<sqlx::Result<_>>()?,
    })
}

/// Position, stream, revision, id, type, time, leaf hash, leaf.
pub(crate) type EventColumns = (i64, String, i64, Uuid, String, i64, Vec<u8>, Vec<u8>);

pub(crate) fn event_row(columns: EventColumns) -> sqlx::Result<EventRow> {
    let (position, stream, revision, id, name, time_ms, leaf_hash, leaf) = columns;
    Ok(EventRow {
        position: Position::new(natural(position)?),
        stream,
        revision: natural(revision)?,
        id,
        name,
        time_ms,
        leaf_hash: array(&leaf_hash)?,
        leaf,
    })
}

/// Subject, master key, wrapped key.
pub(crate) type VaultKeyColumns = (String, Vec<u8>, Option<Vec<u8>>);

pub(crate) fn vault_keys(rows: Vec<VaultKeyColumns>) -> sqlx::Result<Vec<VaultKey>> {
    let key = |(subject, master, wrapped): VaultKeyColumns| {
        Ok(VaultKey {
            subject,
            master: array(&master)?,
            wrapped,
        })
    };
    rows.into_iter().map(key).collect()
}

/// Digest, subject, ciphertext.
pub(crate) fn vault_entry((digest, subject, ciphertext): (Vec<u8>, String, Vec<u8>)) -> sqlx::Result<VaultRow> {
    Ok(VaultRow::Entry {
        digest: array(&digest)?,
        subject,
        ciphertext,
    })
}

pub(crate) fn stored_leaf((position, leaf): (i64, Vec<u8>)) -> sqlx::Result<StoredLeaf> {
    Ok((Position::new(natural(position)?), Bytes::from(leaf)))
}

/// Leaves from position `from` on, one on each line: canonical JSON holds no line feed. Positions have no gaps, and each
/// leaf is checked against its own when it is parsed.
pub(crate) fn lines(from: Position, joined: Option<Vec<u8>>) -> Vec<StoredLeaf> {
    let Some(joined) = joined.map(Bytes::from) else {
        return Vec::new();
    };
    let mut starts = 0;
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &joined).chain([joined.len()]).collect();
    let leaf = |end| {
        let line = joined.slice(starts..end);
        starts = end + 1;
        line
    };
    (from.get()..)
        .map(Position::new)
        .zip(ends.into_iter().map(leaf))
        .collect()
}

/// Request, position, number of events.
pub(crate) fn answer((request, position, events): (Vec<u8>, i64, i64)) -> sqlx::Result<Answer> {
    Ok(Answer {
        request: array(&request)?,
        position: Position::new(natural(position)?),
        events: natural(events)?,
    })
}

pub(crate) fn array<const N: usize>(bytes: &[u8]) -> sqlx::Result<[u8; N]> {
    bytes.try_into().map_err(undecodable)
}

pub(crate) fn natural(integer: i64) -> sqlx::Result<u64> {
    u64::try_from(integer).map_err(undecodable)
}

pub(crate) fn integer(natural: u64) -> sqlx::Result<i64> {
    i64::try_from(natural).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(crate) fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
