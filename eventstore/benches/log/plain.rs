//! The baseline: a bare transaction that inserts the same rows as an append of one event, and checks nothing. Its caller
//! is a task of the same runtime, as that of an append is.

use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::logs::{Database, Place, stream_name};

const LEAF: [u8; 1_150] = [b'x'; 1_150];
const ACTOR: &str = "account-0198c0de-0000-7000-8000-000000000001";

pub(crate) struct Plain {
    connection: Connected,
    next: i64,
    _place: Place,
}

enum Connected {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Plain {
    /// Makes a log, and from then on uses its tables only.
    pub(crate) async fn open(database: Database) -> Self {
        let place = database.fresh().await;
        place.open().await.close().await;
        let connection = match database {
            Database::Sqlite => {
                let options: SqliteConnectOptions = place.url.parse().unwrap();
                let options = options
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                Connected::Sqlite(options.connect().await.unwrap())
            }
            Database::Postgres => Connected::Postgres(PgConnection::connect(&place.url).await.unwrap()),
        };
        Self {
            connection,
            next: 0,
            _place: place,
        }
    }

    /// Transactions per second.
    pub(crate) async fn rate(self, time: Duration) -> (Self, f64) {
        tokio::spawn(self.measure(time)).await.unwrap()
    }

    async fn measure(mut self, time: Duration) -> (Self, f64) {
        let (started, before) = (Instant::now(), self.next);
        while started.elapsed() < time {
            match &mut self.connection {
                Connected::Sqlite(connection) => insert_into_sqlite(connection, self.next).await,
                Connected::Postgres(connection) => insert_into_postgres(connection, self.next).await,
            }
            .unwrap();
            self.next += 1;
        }
        let rate = (self.next - before) as f64 / started.elapsed().as_secs_f64();
        (self, rate)
    }
}

fn id(position: i64) -> Uuid {
    Uuid::from_u64_pair(1, position.unsigned_abs())
}

async fn insert_into_sqlite(connection: &mut SqliteConnection, position: i64) -> sqlx::Result<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf) VALUES (?, ?, ?, ?, 'Noted', 0, ?, ?)")
        .bind(position)
        .bind(stream_name("p", position.unsigned_abs() / 10))
        .bind(position % 10 + 1)
        .bind(id(position))
        .bind([0_u8; 32].as_slice())
        .bind(LEAF.as_slice())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO command (actor, id, request, position, events) VALUES (?, ?, ?, ?, 1)")
        .bind(ACTOR)
        .bind(id(position))
        .bind([0_u8; 32].as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

async fn insert_into_postgres(connection: &mut PgConnection, position: i64) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    sqlx::query("INSERT INTO event (position, stream, revision, id, type, time_ms, leaf_hash, leaf) VALUES ($1, $2, $3, $4, 'Noted', 0, $5, $6)")
        .bind(position)
        .bind(stream_name("p", position.unsigned_abs() / 10))
        .bind(position % 10 + 1)
        .bind(id(position))
        .bind([0_u8; 32].as_slice())
        .bind(LEAF.as_slice())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO command (actor, id, request, position, events) VALUES ($1, $2, $3, $4, 1)")
        .bind(ACTOR)
        .bind(id(position))
        .bind([0_u8; 32].as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
