//! The transaction that appends.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use uuid::Uuid;

use super::{HEAD, answer, head_row, integer, natural, undecodable};
use crate::admission::{Entry, HeadRow, VaultRow};
use crate::append::{Answer, CommandId};
use crate::event::{Position, Revision};
use crate::stream_name::StreamName;

/// Rows of one INSERT. More gain nothing; few keep the prepared statements few.
const ROWS_PER_INSERT: usize = 16;
const UNCHANGED_KEPT: TimeDelta = TimeDelta::days(1);

pub(crate) struct Batch {
    transaction: Transaction<'static, Sqlite>,
}

impl Batch {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>) -> Self {
        Self { transaction }
    }

    pub(crate) async fn head(&mut self) -> sqlx::Result<HeadRow> {
        head_row(sqlx::query_as(HEAD).fetch_one(&mut *self.transaction).await?)
    }

    pub(crate) async fn revisions(&mut self, streams: &[&StreamName]) -> sqlx::Result<HashMap<StreamName, Revision>> {
        if streams.is_empty() {
            return Ok(HashMap::new());
        }
        let names = serde_json::to_string(streams).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let rows: Vec<(String, Option<i64>)> =
            sqlx::query_as("SELECT value, (SELECT max(revision) FROM event WHERE stream = value) FROM json_each(?)")
                .bind(names)
                .fetch_all(&mut *self.transaction)
                .await?;
        let mut revisions = HashMap::with_capacity(rows.len());
        for (stream, revision) in rows {
            let revision = Revision::new(natural(revision.unwrap_or(0))?);
            revisions.insert(StreamName::try_from(stream).map_err(undecodable)?, revision);
        }
        Ok(revisions)
    }

    pub(crate) async fn answers(&mut self, commands: &[&CommandId]) -> sqlx::Result<HashMap<CommandId, Answer>> {
        if commands.is_empty() {
            return Ok(HashMap::new());
        }
        let asked: Vec<_> = commands
            .iter()
            .map(|command| json!([command.actor, command.id.simple()]))
            .collect();
        let rows: Vec<(String, Uuid, Vec<u8>, i64, i64)> = sqlx::query_as(
            "WITH asked (actor, id) AS (SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?))
             SELECT actor, id, request, position, events FROM asked JOIN command USING (actor, id)
             UNION ALL
             SELECT actor, id, request, position, 0 FROM asked JOIN unchanged_command USING (actor, id)",
        )
        .bind(serde_json::Value::from(asked).to_string())
        .fetch_all(&mut *self.transaction)
        .await?;
        let found = rows.into_iter().map(|(actor, id, request, position, events)| {
            Ok((CommandId { actor, id }, answer((request, position, events))?))
        });
        found.collect()
    }

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        sqlx::query_scalar("SELECT id FROM event WHERE position = ?")
            .bind(integer(position.get())?)
            .fetch_optional(&mut *self.transaction)
            .await
    }

    pub(crate) async fn insert_events(&mut self, entries: &[&Entry]) -> sqlx::Result<()> {
        for rows in entries.chunks(ROWS_PER_INSERT) {
            let mut insert = QueryBuilder::new(
                "INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf) ",
            );
            insert.push_values(rows, |mut row, Entry { recorded, leaf_hash }| {
                // Positions and revisions are counts of stored events: they stay below 2^63.
                row.push_bind(recorded.position.get().cast_signed())
                    .push_bind(recorded.stream.as_str())
                    .push_bind(recorded.revision.get().cast_signed())
                    .push_bind(recorded.id)
                    .push_bind(recorded.name.as_str())
                    .push_bind(recorded.time.timestamp_millis())
                    .push_bind(leaf_hash.as_slice())
                    .push_bind(&recorded.leaf[..]);
            });
            insert.build().execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    pub(crate) async fn insert_answers(
        &mut self,
        answers: &[(CommandId, Answer)],
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let (unchanged, changed): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.events == 0);
        for rows in changed.chunks(ROWS_PER_INSERT) {
            let mut insert = QueryBuilder::new("INSERT INTO command (actor, id, request, position, events) ");
            insert.push_values(rows, |mut row, (command, answer)| {
                row.push_bind(command.actor.as_str())
                    .push_bind(command.id)
                    .push_bind(answer.request.as_slice())
                    .push_bind(answer.position.get().cast_signed())
                    .push_bind(answer.events.cast_signed());
            });
            insert.build().execute(&mut *self.transaction).await?;
        }
        if unchanged.is_empty() {
            Ok(())
        } else {
            self.remember_unchanged(&unchanged, now).await
        }
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
            .execute(&mut *self.transaction)
            .await?;
        }
        sqlx::query("DELETE FROM unchanged_command WHERE remembered_ms < ?")
            .bind((now - UNCHANGED_KEPT).timestamp_millis())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    pub(crate) async fn insert_vault_row(&mut self, row: &VaultRow) -> sqlx::Result<()> {
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
        insert.execute(&mut *self.transaction).await?;
        Ok(())
    }

    pub(crate) async fn update_head(&mut self, head: &HeadRow) -> sqlx::Result<()> {
        sqlx::query("UPDATE log_head SET size = ?, frontier = ?, time_ms = ?")
            .bind(integer(head.frontier.size())?)
            .bind(head.frontier.to_bytes())
            .bind(head.time.map(|time| time.timestamp_millis()))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        self.transaction.commit().await
    }
}
