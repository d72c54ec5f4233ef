//! Opening the database: whose it is, whether it keeps what it acknowledges, and making the tables.

use std::cmp::Ordering;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use super::follow::{FOLLOWER, Followers};
use super::supposed::Memory;
use super::{Batch, Database, Writes};
use crate::admission::{HeadRow, WRITER_GENERATION};
use crate::copy::CopyError;
use crate::open::{Mode, OpenError};
use crate::sighting;
use crate::spare::{self, Spare};
use crate::store::Identity;

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = include_str!("schema.sql");
const READERS: u32 = 5;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Two processes that find an empty database make the tables one after the other. "CHLG" as a number.
const CREATION_LOCK: i64 = 0x4348_4c47;

/// Every statement here knows its index. A planner that trusts its statistics would read the whole of a
/// table that was small when it last looked, and keep that plan while the table grows.
const PLANS: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// A writer that freezes while it holds the head loses its session, and the head is free again, before those
/// who wait for it give up. There is no limit on a statement: it would also end the wait for a synchronous
/// standby, and the server would then report a commit that the standby does not have.
const FENCE: [(&str, &str); 7] = [
    // What is read behind the lock is what its last holder committed.
    ("default_transaction_isolation", "read committed"),
    ("idle_in_transaction_session_timeout", "3s"),
    ("lock_timeout", "10s"),
    ("tcp_user_timeout", "5s"),
    ("tcp_keepalives_idle", "2"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "3"),
];

enum Contents {
    Nothing,
    Log,
}

impl Database {
    pub(crate) async fn open(options: PgConnectOptions, mode: Mode) -> Result<Self, OpenError> {
        let log = name(&options);
        let options = options.application_name("charthouse").options(PLANS);
        let writer = options.clone().options(FENCE);
        let mut connection = spare::connect(&writer).await.map_err(|source| OpenError::Unreachable {
            log: log.clone(),
            source,
        })?;
        match (inspect(&mut connection, &log).await?, mode) {
            (Contents::Nothing, Mode::ReadOnly) => return Err(OpenError::Missing { log }),
            (_, Mode::ReadOnly) => {}
            (contents, Mode::Append) => {
                check_writable(&mut connection, &log).await?;
                if let Contents::Nothing = contents {
                    create(&mut connection, &log).await?;
                }
                make_sightings(&mut connection).await?;
            }
        }
        let followers = Followers::default();
        let writes = match mode {
            Mode::Append => Some(Writes {
                spare: Spare::new(writer),
                followers: followers.clone(),
                memory: Memory::default(),
            }),
            Mode::ReadOnly => None,
        };
        connection.close().await?;
        let reads = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.clone());
        let listens = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.application_name(FOLLOWER));
        Ok(Self {
            reads,
            listens,
            followers,
            writes,
        })
    }
}

fn name(options: &PgConnectOptions) -> String {
    let host = options
        .get_socket()
        .map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
    let database = options.get_database().unwrap_or(options.get_username());
    format!("postgres://{host}:{}/{database}", options.get_port())
}

/// Looks at the database without changing it.
async fn inspect(connection: &mut PgConnection, log: &str) -> Result<Contents, OpenError> {
    let (ours, relations): (bool, i64) = sqlx::query_as(
        "SELECT to_regclass(quote_ident(current_schema()) || '.charthouse_log') IS NOT NULL,
                (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema())))",
    )
    .fetch_one(&mut *connection)
    .await?;
    match (ours, relations) {
        (false, 0) => return Ok(Contents::Nothing),
        (false, _) => return Err(OpenError::Foreign { log: log.to_owned() }),
        (true, _) => {}
    }
    let found: i64 = sqlx::query_scalar("SELECT schema_version FROM charthouse_log")
        .fetch_one(connection)
        .await?;
    let log = log.to_owned();
    let known = SCHEMA_VERSION;
    match found.cmp(&known) {
        Ordering::Equal => Ok(Contents::Log),
        Ordering::Greater => Err(OpenError::NewerSchema { log, found, known }),
        Ordering::Less => Err(OpenError::OlderSchema { log, found, known }),
    }
}

async fn check_writable(connection: &mut PgConnection, log: &str) -> Result<(), OpenError> {
    let (fsync, synchronous_commit, read_only): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('transaction_read_only')",
    )
    .fetch_one(connection)
    .await?;
    let log = log.to_owned();
    match (fsync.as_str(), synchronous_commit.as_str(), read_only.as_str()) {
        (_, _, "on") => Err(OpenError::ReadOnlyFile { log }),
        ("off", ..) => Err(OpenError::NotDurable { log, setting: "fsync" }),
        (_, "off", _) => Err(OpenError::NotDurable {
            log,
            setting: "synchronous_commit",
        }),
        _ => Ok(()),
    }
}

/// One transaction, in which the tables were made, to fill with the log that `head` is of. The place must be empty.
pub(crate) async fn create_copy(options: PgConnectOptions, head: &HeadRow) -> Result<Batch, CopyError> {
    let log = name(&options);
    let options = options.application_name("charthouse").options(PLANS).options(FENCE);
    let unreachable = |source| OpenError::Unreachable {
        log: log.clone(),
        source,
    };
    let spare = Spare::new(options);
    let mut connection = spare.take().await.map_err(unreachable)?.into_inner();
    check_writable(&mut connection, &log).await?;
    sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(CREATION_LOCK)
        .execute(&mut connection)
        .await?;
    match inspect(&mut connection, &log).await {
        Ok(Contents::Nothing) => {}
        Ok(Contents::Log) | Err(OpenError::Foreign { .. }) => return Err(CopyError::NotEmpty { log }),
        Err(error) => return Err(error.into()),
    }
    make_tables(&mut connection, head.identity, head.oldest_writer).await?;
    let writes = Writes {
        spare,
        followers: Followers::default(),
        memory: Memory::default(),
    };
    Ok(Batch::over(connection, writes, head.time.unwrap_or_default()))
}

/// Makes the tables and draws the log's identity, in one transaction.
async fn create(connection: &mut PgConnection, log: &str) -> Result<(), OpenError> {
    let identity = Identity::random().map_err(OpenError::Random)?;
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(CREATION_LOCK)
        .execute(&mut *transaction)
        .await?;
    if let Contents::Log = inspect(&mut transaction, log).await? {
        return Ok(());
    }
    make_tables(&mut transaction, identity, WRITER_GENERATION).await?;
    transaction.commit().await?;
    Ok(())
}

/// A log of an earlier version of the program has no such table yet.
async fn make_sightings(connection: &mut PgConnection) -> Result<(), OpenError> {
    let is_there = "SELECT to_regclass(quote_ident(current_schema()) || '.sighting') IS NOT NULL";
    if sqlx::query_scalar(is_there).fetch_one(&mut *connection).await? {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(CREATION_LOCK)
        .execute(&mut *transaction)
        .await?;
    // Another process may have been first.
    sqlx::raw_sql(sighting::TABLE).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn make_tables(connection: &mut PgConnection, identity: Identity, oldest_writer: u32) -> sqlx::Result<()> {
    let Identity { log_id, epoch } = identity;
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO log_head (one, log_id, epoch, size, frontier, oldest_writer) VALUES (1, $1, $2, 0, '', $3)",
    )
    .bind(log_id)
    .bind(epoch)
    .bind(i64::from(oldest_writer))
    .execute(connection)
    .await?;
    Ok(())
}
