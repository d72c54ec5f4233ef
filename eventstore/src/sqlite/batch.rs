//! The transaction that appends.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, Row, SqliteConnection};
use uuid::Uuid;

use crate::admission::{Entry, HeadRow, Rewrap, VaultRow};
use crate::append::{Answer, CommandId, UNCHANGED_KEPT};
use crate::backend::{Changes, CommitError, Conditions, Found};
use crate::event::Position;
use crate::rows::{found, integer, undecodable};
use crate::sighting::{self, Sighting};
use crate::spare::Spare;

/// Events of one statement: with the largest leaves they stay below what a value may hold.
const EVENTS_PER_STATEMENT: usize = 4_096;

// Every text of statements crosses to the connection's thread and back, which for a small append is most of
// the work. So there is one to begin and one to end, whatever the size of the batch.

/// Gives the head, the revisions of all streams that are asked about, and the answers that are known.
const LOCK_AND_LOOK_UP: &str = "BEGIN IMMEDIATE;
    SELECT log_id, epoch, size, frontier, time_ms, oldest_writer FROM log_head;
    SELECT json_group_array(coalesce((SELECT max(revision) FROM event WHERE stream = value), 0)) FROM json_each(?1);
    WITH asked (actor, id) AS (SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?2))
    SELECT actor, id, request, position, events FROM asked JOIN command USING (actor, id)
    UNION ALL
    SELECT actor, id, request, position, 0 FROM asked JOIN unchanged_command USING (actor, id)";

/// What is binary comes end to end in one value for each column, what is not as rows of JSON.
macro_rules! store {
    ($then:literal) => {
        concat!(
            "INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf)
             SELECT ? + key, value ->> 0, value ->> 1, substr(?, key * 16 + 1, 16), value ->> 2, value ->> 3,
                    substr(?, key * 32 + 1, 32), substr(?, (value ->> 4) + 1, value ->> 5)
             FROM json_each(?);
             INSERT INTO command (actor, id, request, position, events)
             SELECT value ->> 0, substr(?, key * 16 + 1, 16), substr(?, key * 32 + 1, 32), value ->> 1, value ->> 2
             FROM json_each(?);
             UPDATE log_head SET epoch = ?, size = ?, frontier = ?, time_ms = ?;",
            $then
        )
    };
}
const STORE: &str = store!("");
const STORE_AND_COMMIT: &str = store!("COMMIT");

/// Cells that a page once held and gave to its neighbour may lie on in its unused middle. With `secure_delete`, a table
/// that is emptied leaves zeros on all its pages; the table of keys is small, and its keys are seldom destroyed.
const REWRITE_VAULT_KEYS: &str = "
    CREATE TEMP TABLE kept AS SELECT subject, master, wrapped FROM vault_key;
    DELETE FROM vault_key;
    INSERT INTO vault_key (subject, master, wrapped) SELECT subject, master, wrapped FROM kept;
    DROP TABLE kept";

pub(crate) struct Batch {
    connection: SqliteConnection,
    spare: Spare<SqliteConnection>,
}

impl Batch {
    pub(super) async fn begin(
        spare: &Spare<SqliteConnection>,
        conditions: &Conditions<'_>,
    ) -> sqlx::Result<(Self, Found)> {
        let commands: Vec<_> = conditions
            .commands
            .iter()
            .map(|command| (&command.actor, command.id.simple().to_string()))
            .collect();
        let mut connection = spare.take().await?.into_inner();
        let rows = sqlx::query(LOCK_AND_LOOK_UP)
            .bind(json(&conditions.streams)?)
            .bind(json(&commands)?)
            .fetch_all(&mut connection)
            .await?;
        let [head, revisions, answers @ ..] = rows.as_slice() else {
            return Err(sqlx::Error::RowNotFound);
        };
        let revisions = serde_json::from_str(revisions.try_get(0)?).map_err(undecodable)?;
        let answers = answers.iter().map(FromRow::from_row).collect::<sqlx::Result<_>>()?;
        let found = found(FromRow::from_row(head)?, &conditions.streams, revisions, answers)?;
        let spare = spare.clone();
        Ok((Self { connection, spare }, found))
    }

    /// A transaction that was begun already.
    pub(super) fn over(connection: SqliteConnection, spare: Spare<SqliteConnection>) -> Self {
        Self { connection, spare }
    }

    pub(crate) async fn store(&mut self, changes: &Changes<'_>) -> sqlx::Result<()> {
        self.store_and(STORE, changes).await
    }

    pub(crate) async fn commit(mut self, changes: &Changes<'_>) -> Result<(), CommitError> {
        if changes.events.is_empty() {
            self.store(changes).await?;
            return self.end("COMMIT").await.map_err(CommitError::InDoubt);
        }
        let stored = self.store_and(STORE_AND_COMMIT, changes).await;
        stored.map_err(CommitError::InDoubt)?;
        self.spare.put_back(self.connection);
        Ok(())
    }

    /// The last events are stored with the statements of `last`.
    async fn store_and(&mut self, last: &'static str, changes: &Changes<'_>) -> sqlx::Result<()> {
        let (unchanged, changed): (Vec<_>, Vec<_>) = changes.answers.iter().partition(|(_, answer)| answer.events == 0);
        if !unchanged.is_empty() {
            self.remember_unchanged(&unchanged, changes.now).await?;
        }
        for row in changes.vault {
            self.insert_vault_row(row).await?;
        }
        for Sighting { subject, at } in changes.sightings {
            let store = sqlx::query(sighting::STORE).bind(subject).bind(at.timestamp_millis());
            store.execute(&mut self.connection).await?;
        }
        let mut chunks = changes.events.chunks(EVENTS_PER_STATEMENT);
        let Some(rest) = chunks.next_back() else {
            return Ok(());
        };
        for events in chunks {
            self.append(STORE, events, &[], changes.head).await?;
        }
        self.append(last, rest, &changed, changes.head).await
    }

    async fn append(
        &mut self,
        statements: &'static str,
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
        sqlx::query(statements)
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
            VaultRow::Destroy { subject, master } => return self.destroy_vault_key(subject, master).await,
            VaultRow::Rewrap(keys) => return self.rewrap(keys).await,
        };
        insert.execute(&mut self.connection).await?;
        Ok(())
    }

    async fn destroy_vault_key(&mut self, subject: &str, master: &[u8; 8]) -> sqlx::Result<()> {
        let destroy = "INSERT INTO vault_key (subject, master, wrapped) VALUES (?, ?, NULL)
            ON CONFLICT (subject) DO UPDATE SET wrapped = NULL";
        sqlx::query(destroy)
            .bind(subject)
            .bind(master.as_slice())
            .execute(&mut self.connection)
            .await?;
        sqlx::raw_sql(REWRITE_VAULT_KEYS).execute(&mut self.connection).await?;
        Ok(())
    }

    async fn rewrap(&mut self, keys: &[Rewrap]) -> sqlx::Result<()> {
        for key in keys {
            sqlx::query("UPDATE vault_key SET master = ?, wrapped = ? WHERE subject = ? AND wrapped = ?")
                .bind(key.master.as_slice())
                .bind(key.after.as_slice())
                .bind(&key.subject)
                .bind(key.before.as_slice())
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }
}

fn json<T: serde::Serialize>(rows: &T) -> sqlx::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}
