//! The transaction that appends, in four round trips: lock, look up, store, commit.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use super::CHANNEL;
use crate::admission::{Entry, HeadRow, VaultRow};
use crate::append::{Answer, CommandId, UNCHANGED_KEPT};
use crate::backend::{Answers, Changes, Revisions};
use crate::event::{Position, Revision};
use crate::rows::{answer, head_row, integer, natural, undecodable};
use crate::spare::Spare;
use crate::stream_name::StreamName;

/// Waits for the head and holds it. The settings are read with it because they can be changed at any time.
const LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SELECT log_id, epoch, size, frontier, time_ms, oldest_writer, clock_timestamp() AS time,
           current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit
    FROM log_head FOR UPDATE";

/// Runs after [`LOCK`], as a statement of its own, so that it sees what the last holder committed.
const LOOK_UP: &str = "
    SELECT name, NULL::uuid, NULL::bytea, (SELECT max(revision) FROM event WHERE stream = name), NULL::bigint
    FROM unnest($1::text[]) AS name
    UNION ALL
    SELECT c.actor, c.id, c.request, c.position, c.events
    FROM unnest($2::text[], $3::uuid[]) AS asked (actor, id) JOIN command AS c USING (actor, id)
    UNION ALL
    SELECT c.actor, c.id, c.request, c.position, 0
    FROM unnest($2::text[], $3::uuid[]) AS asked (actor, id) JOIN unchanged_command AS c USING (actor, id)";

const STORE: &str = "
    WITH events AS (
        INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[],
                             $7::bytea[], $8::bytea[])
    ), answers AS (
        INSERT INTO command (actor, id, request, position, events)
        SELECT * FROM unnest($9::text[], $10::uuid[], $11::bytea[], $12::bigint[], $13::bigint[])
    )
    UPDATE log_head SET epoch = $14, size = $15, frontier = $16, time_ms = $17 RETURNING pg_notify($18, $19)";

/// A stream and its revision, or a command and its answer.
type Found = (String, Option<Uuid>, Option<Vec<u8>>, Option<i64>, Option<i64>);

pub(crate) struct Batch {
    connection: PgConnection,
    spare: Spare<PgConnection>,
    head: HeadRow,
    time: DateTime<Utc>,
}

impl Batch {
    pub(super) async fn begin(spare: &Spare<PgConnection>) -> sqlx::Result<Self> {
        let mut connection = spare.take().await?;
        let rows = sqlx::raw_sql(LOCK).fetch_all(&mut connection).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        check_durable(row)?;
        Ok(Self {
            head: head_row(FromRow::from_row(row)?)?,
            time: row.try_get("time")?,
            connection,
            spare: spare.clone(),
        })
    }

    pub(crate) fn head(&self) -> &HeadRow {
        &self.head
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.time
    }

    pub(crate) async fn look_up(
        &mut self,
        streams: &[&StreamName],
        commands: &[&CommandId],
    ) -> sqlx::Result<(Revisions, Answers)> {
        let (mut revisions, mut answers) = (HashMap::new(), HashMap::new());
        if streams.is_empty() && commands.is_empty() {
            return Ok((revisions, answers));
        }
        let found: Vec<Found> = sqlx::query_as(LOOK_UP)
            .bind(streams.iter().map(|stream| stream.as_str()).collect::<Vec<_>>())
            .bind(
                commands
                    .iter()
                    .map(|command| command.actor.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(commands.iter().map(|command| command.id).collect::<Vec<_>>())
            .fetch_all(&mut self.connection)
            .await?;
        for row in found {
            match row {
                (actor, Some(id), Some(request), Some(position), Some(events)) => {
                    answers.insert(CommandId { actor, id }, answer((request, position, events))?);
                }
                (stream, .., revision, _) => {
                    let revision = Revision::new(natural(revision.unwrap_or(0))?);
                    revisions.insert(StreamName::try_from(stream).map_err(undecodable)?, revision);
                }
            }
        }
        Ok((revisions, answers))
    }

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        sqlx::query_scalar("SELECT id FROM event WHERE position = $1")
            .bind(integer(position.get())?)
            .fetch_optional(&mut self.connection)
            .await
    }

    pub(crate) async fn store(&mut self, changes: &Changes<'_>) -> sqlx::Result<()> {
        let (unchanged, changed): (Vec<_>, Vec<_>) = changes.answers.iter().partition(|(_, answer)| answer.events == 0);
        if !changes.events.is_empty() {
            self.append(changes.events, &changed, changes.head).await?;
        }
        if !unchanged.is_empty() {
            self.remember_unchanged(&unchanged, changes.now).await?;
        }
        for row in changes.vault {
            self.insert_vault_row(row).await?;
        }
        Ok(())
    }

    async fn append(
        &mut self,
        events: &[&Entry],
        answers: &[&(CommandId, Answer)],
        head: &HeadRow,
    ) -> sqlx::Result<()> {
        let recorded = || events.iter().map(|entry| &entry.recorded);
        let size = head.frontier.size();
        // Positions, revisions and counts of stored events stay below 2^63.
        sqlx::query(STORE)
            .bind(
                recorded()
                    .map(|event| event.position.get().cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(recorded().map(|event| event.stream.as_str()).collect::<Vec<_>>())
            .bind(
                recorded()
                    .map(|event| event.revision.get().cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(recorded().map(|event| event.id).collect::<Vec<_>>())
            .bind(recorded().map(|event| event.name.as_str()).collect::<Vec<_>>())
            .bind(
                recorded()
                    .map(|event| event.time.timestamp_millis())
                    .collect::<Vec<_>>(),
            )
            .bind(
                events
                    .iter()
                    .map(|entry| entry.leaf_hash.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(recorded().map(|event| &event.leaf[..]).collect::<Vec<_>>())
            .bind(
                answers
                    .iter()
                    .map(|(command, _)| command.actor.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(answers.iter().map(|(command, _)| command.id).collect::<Vec<_>>())
            .bind(
                answers
                    .iter()
                    .map(|(_, answer)| answer.request.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(
                answers
                    .iter()
                    .map(|(_, answer)| answer.position.get().cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(
                answers
                    .iter()
                    .map(|(_, answer)| answer.events.cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(head.identity.epoch)
            .bind(size.cast_signed())
            .bind(head.frontier.to_bytes())
            .bind(head.time.map(|time| time.timestamp_millis()))
            .bind(CHANNEL)
            .bind(format!("{} {size}", head.identity.log_id.simple()))
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn remember_unchanged(&mut self, answers: &[&(CommandId, Answer)], now: DateTime<Utc>) -> sqlx::Result<()> {
        let now_ms = now.timestamp_millis();
        sqlx::query(
            "INSERT INTO unchanged_command (actor, id, request, position, remembered_ms)
             SELECT *, $5 FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::bigint[])",
        )
        .bind(
            answers
                .iter()
                .map(|(command, _)| command.actor.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(answers.iter().map(|(command, _)| command.id).collect::<Vec<_>>())
        .bind(
            answers
                .iter()
                .map(|(_, answer)| answer.request.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(
            answers
                .iter()
                .map(|(_, answer)| answer.position.get().cast_signed())
                .collect::<Vec<_>>(),
        )
        .bind(now_ms)
        .execute(&mut self.connection)
        .await?;
        sqlx::query("DELETE FROM unchanged_command WHERE remembered_ms < $1")
            .bind(now_ms - UNCHANGED_KEPT.num_milliseconds())
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn insert_vault_row(&mut self, row: &VaultRow) -> sqlx::Result<()> {
        let insert = match row {
            VaultRow::Key(key) => sqlx::query(
                "INSERT INTO vault_key (subject, master, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(&key.subject)
            .bind(key.master.as_slice())
            .bind(key.wrapped.as_deref()),
            VaultRow::Entry {
                digest,
                subject,
                ciphertext,
            } => sqlx::query(
                "INSERT INTO vault_entry (digest, subject, ciphertext) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(digest.as_slice())
            .bind(subject)
            .bind(ciphertext.as_slice()),
        };
        insert.execute(&mut self.connection).await?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        self.end("COMMIT").await
    }

    pub(crate) async fn roll_back(self) -> sqlx::Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(how).execute(&mut self.connection).await?;
        self.spare.put_back(self.connection);
        Ok(())
    }
}

/// Without these the server acknowledges what a crash can undo.
fn check_durable(row: &PgRow) -> sqlx::Result<()> {
    for setting in ["fsync", "synchronous_commit"] {
        if row.try_get::<&str, _>(setting)? == "off" {
            return Err(sqlx::Error::Configuration(format!("{setting} is off").into()));
        }
    }
    Ok(())
}
