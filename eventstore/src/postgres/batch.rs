//! The transaction that appends, in two round trips or three: lock and look up, store, commit. One event of somebody who
//! appends alone takes [one](super::supposed).

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row};
use uuid::Uuid;

use super::Writes;
use super::spelling::{bytes, id, text};
use super::stored::{PREPARE_ONE, Stored};
use super::supposed::{Left, PREPARE_SUPPOSED, Reading, Supposed};
use crate::admission::{HeadRow, Rewrap, VaultRow};
use crate::append::{Answer, CommandId, PreparedAppend, UNCHANGED_KEPT};
use crate::backend::{Changes, CommitError, Conditions, Found};
use crate::event::Position;
use crate::rows::{found, integer};
use crate::sighting::{self, Sighting};
use crate::spare::{Spare, Taken};

/// What a connection that appends knows by name, so that a batch begins in one round trip and plans nothing.
/// The settings are read with the head because they can be changed at any time.
const PREPARE: &str = "
    PREPARE lock_head AS
    SELECT log_id, epoch, size, frontier, time_ms, oldest_writer, clock_timestamp() AS time,
           current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit
    FROM log_head FOR UPDATE;

    PREPARE revisions (bytea) AS
    SELECT array(SELECT coalesce((SELECT max(revision) FROM event WHERE stream = asked.stream), 0)
                 FROM unnest(string_to_array(convert_from($1, 'UTF8'), E'\\n')) WITH ORDINALITY AS asked (stream, n)
                 ORDER BY n);

    PREPARE revision_of (text) AS
    SELECT array[coalesce((SELECT max(revision) FROM event WHERE stream = $1), 0)];

    PREPARE answers (bytea, uuid[]) AS
    WITH asked (actor, id) AS (SELECT * FROM unnest(string_to_array(convert_from($1, 'UTF8'), E'\\n'), $2))
    SELECT actor, id, request, position, events FROM asked JOIN command USING (actor, id)
    UNION ALL
    SELECT actor, id, request, position, 0 FROM asked JOIN unchanged_command USING (actor, id);

    PREPARE answer_of (text, uuid) AS
    SELECT actor, id, request, position, events FROM command WHERE actor = $1 AND id = $2
    UNION ALL
    SELECT actor, id, request, position, 0 FROM unchanged_command WHERE actor = $1 AND id = $2";

pub(crate) struct Batch {
    connection: PgConnection,
    writes: Writes,
    time: DateTime<Utc>,
    /// What is known of the server's time.
    reading: Reading,
    basis: Basis,
}

/// What it rests on.
enum Basis {
    /// The head is held, and may have been found as it had been left.
    Held { is_undisturbed: bool },
    /// Nothing was asked yet.
    Supposed(Box<Supposed>),
}

impl Batch {
    pub(super) async fn begin(writes: &Writes, conditions: &Conditions<'_>) -> sqlx::Result<(Self, Found)> {
        let mut connection = prepared(&writes.spare).await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(lock_and_look_up(conditions)))
            .fetch_all(&mut connection)
            .await?;
        let [head, revisions, answers @ ..] = rows.as_slice() else {
            return Err(sqlx::Error::RowNotFound);
        };
        check_durable(head)?;
        let answers = answers.iter().map(FromRow::from_row).collect::<sqlx::Result<_>>()?;
        let found = found(
            FromRow::from_row(head)?,
            &conditions.streams,
            revisions.try_get(0)?,
            answers,
        )?;
        let is_as_left = |left: Left| left.head.frontier.size() == found.head.frontier.size();
        let is_undisturbed = writes.memory.take().is_some_and(is_as_left);
        let time = head.try_get("time")?;
        let batch = Self {
            time,
            reading: Reading::new(time),
            connection,
            writes: writes.clone(),
            basis: Basis::Held { is_undisturbed },
        };
        Ok((batch, found))
    }

    /// A batch for `append` alone, and what it would find if this process had appended last.
    pub(super) async fn suppose(writes: &Writes, append: &PreparedAppend) -> sqlx::Result<Option<(Self, Found)>> {
        let Some(left) = writes.memory.take() else {
            return Ok(None);
        };
        let Some((supposed, found)) = Supposed::new(&left, append) else {
            writes.memory.keep(left);
            return Ok(None);
        };
        let batch = Self {
            connection: prepared(&writes.spare).await?,
            time: supposed.time(),
            reading: left.reading,
            writes: writes.clone(),
            basis: Basis::Supposed(Box::new(supposed)),
        };
        Ok(Some((batch, found)))
    }

    /// A transaction that was begun already, at `time`.
    pub(super) fn over(connection: PgConnection, writes: Writes, time: DateTime<Utc>) -> Self {
        Self {
            connection,
            writes,
            time,
            reading: Reading::new(time),
            basis: Basis::Held { is_undisturbed: false },
        }
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.time
    }

    pub(crate) async fn event_id_at(&mut self, position: Position) -> sqlx::Result<Option<Uuid>> {
        sqlx::query_scalar("SELECT id FROM event WHERE position = $1")
            .bind(integer(position.get())?)
            .fetch_optional(&mut self.connection)
            .await
    }

    /// The transaction may have ended well without saying so, but not before it was asked to.
    pub(crate) async fn commit(mut self, changes: &Changes<'_>) -> Result<(), CommitError> {
        let (unchanged, changed) = answers(changes);
        let is_undisturbed = match &self.basis {
            Basis::Held { is_undisturbed } => *is_undisturbed,
            Basis::Supposed(supposed) => {
                let transaction = supposed.as_text(&self.stored(changes, &changed));
                return self.commit_supposed(transaction, changes.head).await;
            }
        };
        self.store_beside_events(changes, &unchanged).await?;
        let commit = match self.store_events(changes, &changed).await? {
            Some(not_yet) => AssertSqlSafe(format!("{not_yet}; COMMIT")),
            None => AssertSqlSafe("COMMIT".to_owned()),
        };
        let end = sqlx::raw_sql(commit).execute(&mut self.connection).await;
        end.map_err(CommitError::InDoubt)?;
        self.leave(changes.head.clone(), is_undisturbed);
        Ok(())
    }

    async fn commit_supposed(mut self, transaction: Option<String>, head: &HeadRow) -> Result<(), CommitError> {
        let Some(transaction) = transaction else {
            self.writes.spare.put_back(self.connection);
            return Err(CommitError::Mistaken);
        };
        let transaction = sqlx::raw_sql(AssertSqlSafe(transaction)).fetch_all(&mut self.connection);
        let rows = transaction.await.map_err(CommitError::InDoubt)?;
        if let [_held, _stored] = rows.as_slice() {
            self.leave(head.clone(), true);
            return Ok(());
        }
        self.writes.spare.put_back(self.connection);
        Err(CommitError::Mistaken)
    }

    /// What waits to go with the commit, as text.
    async fn store_events(
        &mut self,
        changes: &Changes<'_>,
        answers: &[&(CommandId, Answer)],
    ) -> sqlx::Result<Option<String>> {
        if changes.events.is_empty() {
            return Ok(None);
        }
        let stored = self.stored(changes, answers);
        let text = stored.as_text();
        if text.is_none() {
            stored.bound().execute(&mut self.connection).await?;
        }
        Ok(text)
    }

    /// After the transaction ended well, with the head as it is now.
    fn leave(self, head: HeadRow, is_undisturbed: bool) {
        self.writes.spare.put_back(self.connection);
        self.writes.memory.keep(Left {
            head,
            reading: self.reading,
            is_undisturbed,
        });
    }

    pub(crate) async fn store(&mut self, changes: &Changes<'_>) -> sqlx::Result<()> {
        let (unchanged, changed) = answers(changes);
        self.store_beside_events(changes, &unchanged).await?;
        if !changes.events.is_empty() {
            self.stored(changes, &changed)
                .bound()
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    fn stored<'a>(&self, changes: &Changes<'a>, answers: &'a [&(CommandId, Answer)]) -> Stored<'a> {
        Stored {
            events: changes.events,
            answers,
            head: changes.head,
            is_followed: self.writes.followers.are_there(),
        }
    }

    async fn store_beside_events(
        &mut self,
        changes: &Changes<'_>,
        unchanged: &[&(CommandId, Answer)],
    ) -> sqlx::Result<()> {
        if !unchanged.is_empty() {
            self.remember_unchanged(unchanged, changes.now).await?;
        }
        for row in changes.vault {
            self.insert_vault_row(row).await?;
        }
        for Sighting { subject, at } in changes.sightings {
            let store = sqlx::query(sighting::STORE).bind(subject).bind(at.timestamp_millis());
            store.execute(&mut self.connection).await?;
        }
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
            VaultRow::Destroy { subject, master } => sqlx::query(
                "INSERT INTO vault_key (subject, master, wrapped) VALUES ($1, $2, NULL)
                 ON CONFLICT (subject) DO UPDATE SET wrapped = NULL",
            )
            .bind(subject)
            .bind(master.as_slice()),
            VaultRow::Rewrap(keys) => return self.rewrap(keys).await,
        };
        insert.execute(&mut self.connection).await?;
        Ok(())
    }

    async fn rewrap(&mut self, keys: &[Rewrap]) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE vault_key AS k SET master = r.master, wrapped = r.after
             FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[]) AS r (subject, master, before, after)
             WHERE k.subject = r.subject AND k.wrapped = r.before",
        )
        .bind(keys.iter().map(|key| key.subject.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.master.as_slice()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.before.as_slice()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.after.as_slice()).collect::<Vec<_>>())
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    pub(crate) async fn roll_back(mut self) -> sqlx::Result<()> {
        if let Basis::Held { .. } = self.basis {
            sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await?;
        }
        self.writes.spare.put_back(self.connection);
        Ok(())
    }
}

type Answers<'a> = Vec<&'a (CommandId, Answer)>;

/// What commands were answered, apart: those that changed nothing, and the others.
fn answers<'a>(changes: &Changes<'a>) -> (Answers<'a>, Answers<'a>) {
    changes.answers.iter().partition(|(_, answer)| answer.events == 0)
}

/// A connection that knows the statements that are executed by name, as all do that are kept.
pub(super) async fn prepared(spare: &Spare<PgConnection>) -> sqlx::Result<PgConnection> {
    match spare.take().await? {
        Taken::Kept(connection) => Ok(connection),
        Taken::New(mut connection) => {
            for prepare in [PREPARE, PREPARE_ONE, PREPARE_SUPPOSED] {
                sqlx::raw_sql(prepare).execute(&mut connection).await?;
            }
            Ok(connection)
        }
    }
}

/// Waits for the head and holds it, and then reads what `conditions` are about: in statements of their own, so that
/// they see what the last holder committed. Of one stream or command, as one caller at a time has them, with plans that
/// take a third of the time.
fn lock_and_look_up(conditions: &Conditions<'_>) -> String {
    let Conditions { streams, commands } = conditions;
    let revisions = match streams.as_slice() {
        [stream] => format!("revision_of({})", text(stream.as_str())),
        streams => {
            let streams: Vec<_> = streams.iter().map(|stream| stream.as_str()).collect();
            format!("revisions({})", bytes(streams.join("\n")))
        }
    };
    let answers = match commands.as_slice() {
        [command] => format!("answer_of({}, {})", text(&command.actor), id(command.id)),
        commands => {
            let actors: Vec<_> = commands.iter().map(|command| command.actor.as_str()).collect();
            let ids: Vec<_> = commands.iter().map(|command| command.id.simple().to_string()).collect();
            format!("answers({}, '{{{}}}')", bytes(actors.join("\n")), ids.join(","))
        }
    };
    format!("BEGIN; EXECUTE lock_head; EXECUTE {revisions}; EXECUTE {answers}")
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
