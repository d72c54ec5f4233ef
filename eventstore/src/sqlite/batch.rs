//! The transaction that appends.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::admission::{Entry, HeadRow, VaultRow};
use crate::append::{Answer, CommandId, UNCHANGED_KEPT};
use crate::backend::{Answers, Changes, Revisions};
use crate::event::{Position, Revision};
use crate::rows::{answer, head_row, integer, natural, undecodable};
use crate::spare::Spare;
use crate::stream_name::StreamName;

/// Events of one statement: with the largest leaves they stay below what a value may hold.
const EVENTS_PER_STATEMENT: usize = 4_096;

// Every statement crosses to the connection's thread and back, which for a small append is most of the
// work. So each of these does all of its step at once, with one text for batches of every size.

const LOCK: &str = "BEGIN IMMEDIATE;
    SELECT log_id, epoch, size, frontier, time_ms, oldest_writer FROM log_head";

const LOOK_UP: &str = "
    WITH asked (actor, id) AS (SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?2))
    SELECT value, NULL, NULL, (SELECT max(revision) FROM event WHERE stream = value), NULL FROM json_each(?1)
    UNION ALL
    SELECT actor, id, request, position, events FROM asked JOIN command USING (actor, id)
    UNION ALL
    SELECT actor, id, request, position, 0 FROM asked JOIN unchanged_command USING (actor, id)";

/// What is binary comes end to end in one value for each column, what is not as rows of JSON.
const STORE: &str = "
    INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
    SELECT ? + key, value ->> 0, value ->> 1, substr(?, key * 16 + 1, 16), value ->> 2, value ->> 3,
           substr(?, key * 32 + 1, 32), substr(?, (value ->> 4) + 1, value ->> 5)
    FROM json_each(?);
    INSERT INTO command (actor, id, request, position, events)
    SELECT value ->> 0, substr(?, key * 16 + 1, 16), substr(?, key * 32 + 1, 32), value ->> 1, value ->> 2
    FROM json_each(?);
    UPDATE log_head SET epoch = ?, size = ?, frontier = ?, time_ms = ?";

/// A stream and its revision, or a command and its answer.
type Found = (String, Option<Uuid>, Option<Vec<u8>>, Option<i64>, Option<i64>);

pub(crate) struct Batch {
    connection: SqliteConnection,
    spare: Spare<SqliteConnection>,
    head: HeadRow,
}

impl Batch {
    pub(super) async fn begin(spare: &Spare<SqliteConnection>) -> sqlx::Result<Self> {
        let mut connection = spare.take().await?;
        let head = head_row(sqlx::query_as(LOCK).fetch_one(&mut connection).await?)?;
        Ok(Self {
            connection,
            spare: spare.clone(),
            head,
        })
    }

    pub(crate) fn head(&self) -> &HeadRow {
        &self.head
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
        let commands: Vec<_> = commands
            .iter()
            .map(|command| (&command.actor, command.id.simple().to_string()))
            .collect();
        let found: Vec<Found> = sqlx::query_as(LOOK_UP)
            .bind(json(&streams)?)
            .bind(json(&commands)?)
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

    pub(crate) async fn store(&mut self, changes: &Changes<'_>) -> sqlx::Result<()> {
        let (unchanged, mut changed): (Vec<_>, Vec<_>) =
            changes.answers.iter().partition(|(_, answer)| answer.events == 0);
        for events in changes.events.chunks(EVENTS_PER_STATEMENT) {
            self.append(events, &std::mem::take(&mut changed), changes.head).await?;
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
        let Some(first) = events.first() else { return Ok(()) };
        let mut leaves = Vec::new();
        let mut event_rows = Vec::with_capacity(events.len());
        for Entry { recorded, .. } in events {
            let (offset, bytes) = (leaves.len(), recorded.leaf.len());
            leaves.extend_from_slice(&recorded.leaf);
            event_rows.push((
                &recorded.stream,
                recorded.revision.get(),
                &recorded.name,
                recorded.time.timestamp_millis(),
                offset,
                bytes,
            ));
        }
        let answer_rows: Vec<_> = answers
            .iter()
            .map(|(command, answer)| (&command.actor, answer.position.get(), answer.events))
            .collect();
        sqlx::query(STORE)
            .bind(integer(first.recorded.position.get())?)
            .bind(
                events
                    .iter()
                    .map(|event| event.recorded.id.into_bytes())
                    .collect::<Vec<_>>()
                    .concat(),
            )
            .bind(events.iter().map(|event| event.leaf_hash).collect::<Vec<_>>().concat())
            .bind(leaves)
            .bind(json(&event_rows)?)
            .bind(
                answers
                    .iter()
                    .map(|(command, _)| command.id.into_bytes())
                    .collect::<Vec<_>>()
                    .concat(),
            )
            .bind(
                answers
                    .iter()
                    .map(|(_, answer)| answer.request)
                    .collect::<Vec<_>>()
                    .concat(),
            )
            .bind(json(&answer_rows)?)
            .bind(head.identity.epoch)
            .bind(integer(head.frontier.size())?)
            .bind(head.frontier.to_bytes())
            .bind(head.time.map(|time| time.timestamp_millis()))
            .execute(&mut self.connection)
            .await?;
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

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        sqlx::query_scalar("SELECT id FROM event WHERE position = ?")
            .bind(integer(position.get())?)
            .fetch_optional(&mut self.connection)
            .await
    }

    async fn remember_unchanged(&mut self, answers: &[&(CommandId, Answer)], now: DateTime<Utc>) -> sqlx::Result<()> {
        for (command, answer) in answers {
            sqlx::query(
                "INSERT INTO unchanged_command (actor, id, request, position, remembered_ms) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&command.actor)
            .bind(command.id)
            .bind(answer.request.as_slice())
            .bind(integer(answer.position.get())?)
            .bind(now.timestamp_millis())
            .execute(&mut self.connection)
            .await?;
        }
        sqlx::query("DELETE FROM unchanged_command WHERE remembered_ms < ?")
            .bind((now - UNCHANGED_KEPT).timestamp_millis())
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn insert_vault_row(&mut self, row: &VaultRow) -> sqlx::Result<()> {
        let insert = match row {
            VaultRow::Key(key) => {
                sqlx::query("INSERT INTO vault_key (subject, master, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                    .bind(&key.subject)
                    .bind(key.master.as_slice())
                    .bind(key.wrapped.as_deref())
            }
            VaultRow::Entry {
                digest,
                subject,
                ciphertext,
            } => sqlx::query(
                "INSERT INTO vault_entry (digest, subject, ciphertext) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(digest.as_slice())
            .bind(subject)
            .bind(ciphertext.as_slice()),
        };
        insert.execute(&mut self.connection).await?;
        Ok(())
    }
}

fn json<T: serde::Serialize>(rows: &T) -> sqlx::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}
