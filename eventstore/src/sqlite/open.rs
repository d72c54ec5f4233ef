//! Opening the file: whose it is, whether it may be used, and making it when it is new.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::{Batch, Database};
use crate::admission::{HeadRow, WRITER_GENERATION};
use crate::open::{Mode, OpenError};
use crate::sighting;
use crate::spare::Spare;
use crate::store::Identity;

/// "CHLG", written into the file's header so that no other program's database is taken for a log.
const APPLICATION_ID: i64 = 0x4348_4c47;
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = include_str!("schema.sql");
const READERS: u32 = 4;
/// 16 MiB, in `SQLite`'s notation: appending touches the ends of four indexes.
const WRITER_CACHE: &str = "-16384";
/// 32 MiB. A checkpoint makes the appends of its moment wait, and writes a page once however often it changed.
const WAL_PAGES: &str = "8192";
/// `SQLite`'s code for a file that is no database at all.
const SQLITE_NOTADB: &str = "26";

#[derive(Debug, PartialEq, Eq)]
enum Contents {
    Nothing,
    Log,
}

impl Database {
    pub(crate) async fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        match mode {
            Mode::Append => Self::open_to_append(path).await,
            Mode::ReadOnly => match inspect(path).await? {
                Contents::Log => Ok(Self {
                    reads: readers(path).await?,
                    writes: None,
                    lock: None,
                    scrubbing: Arc::default(),
                }),
                Contents::Nothing => Err(OpenError::Missing { log: name(path) }),
            },
        }
    }

    async fn open_to_append(path: &Path) -> Result<Self, OpenError> {
        inspect(path).await?;
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", WAL_PAGES)
            // A key that is destroyed must not lie on in a free page, nor in a file for temporary tables.
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY");
        let writes = Spare::new(options);
        let mut connection = writes.take().await?.into_inner();
        create_if_empty(&mut connection).await?;
        sqlx::raw_sql(sighting::TABLE).execute(&mut connection).await?;
        writes.put_back(connection);
        Ok(Self {
            reads: readers(path).await?,
            writes: Some(writes),
            lock: Some(Arc::new(lock)),
            scrubbing: Arc::default(),
        })
    }
}

/// Looks at the file without changing it.
async fn inspect(path: &Path) -> Result<Contents, OpenError> {
    let io = |source| OpenError::Io {
        log: name(path),
        source,
    };
    if !path.try_exists().map_err(io)? {
        return Ok(Contents::Nothing);
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .connect()
        .await?;
    let contents = contents(&mut connection).await;
    connection.close().await?;
    let foreign = || OpenError::Foreign { log: name(path) };
    match contents {
        Ok((0, 0, 0)) => Ok(Contents::Nothing),
        Ok((APPLICATION_ID, SCHEMA_VERSION, _)) => Ok(Contents::Log),
        Ok((APPLICATION_ID, found, _)) if found > SCHEMA_VERSION => Err(OpenError::NewerSchema {
            log: name(path),
            found,
            known: SCHEMA_VERSION,
        }),
        Ok((APPLICATION_ID, found, _)) => Err(OpenError::OlderSchema {
            log: name(path),
            found,
            known: SCHEMA_VERSION,
        }),
        Ok(_) => Err(foreign()),
        Err(error) if code_of(&error).as_deref() == Some(SQLITE_NOTADB) => Err(foreign()),
        Err(error) => Err(error.into()),
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Application id, schema version, number of tables and the like.
async fn contents(connection: &mut SqliteConnection) -> sqlx::Result<(i64, i64, i64)> {
    let statement = "SELECT (SELECT application_id FROM pragma_application_id),
        (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
    sqlx::query_as(statement).fetch_one(connection).await
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

/// The lock that keeps a second appender out, also one on another file handle of this process.
fn lock(path: &Path) -> Result<File, OpenError> {
    let read_only = path.metadata().is_ok_and(|metadata| metadata.permissions().readonly());
    if read_only {
        return Err(OpenError::ReadOnlyFile { log: name(path) });
    }
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path);
    let file = file.map_err(|source| OpenError::Io {
        log: name(&lock_path),
        source,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { log: name(path) }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io {
            log: name(&lock_path),
            source,
        }),
    }
}

/// Whether there is a log in the file.
pub(super) async fn inspect_copy(path: &Path) -> Result<(), OpenError> {
    match inspect(path).await? {
        Contents::Log => Ok(()),
        Contents::Nothing => Err(OpenError::Missing { log: name(path) }),
    }
}

/// A new file, in one transaction of which the log is to be filled that `head` is of. Not durable by itself.
pub(crate) async fn create_copy(path: &Path, head: &HeadRow) -> sqlx::Result<Batch> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", WRITER_CACHE);
    let spare = Spare::new(options);
    let mut connection = spare.take().await?.into_inner();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
    make_tables(&mut connection, head.identity, head.oldest_writer).await?;
    Ok(Batch::over(connection, spare))
}

/// Makes the tables and draws the log's identity, in one transaction: a crash leaves a file to begin again with.
async fn create_if_empty(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let (application_id, _, _) = contents(&mut transaction).await?;
    if application_id == APPLICATION_ID {
        return Ok(());
    }
    let identity = Identity::random().map_err(OpenError::Random)?;
    make_tables(&mut transaction, identity, WRITER_GENERATION).await?;
    transaction.commit().await?;
    Ok(())
}

async fn make_tables(connection: &mut SqliteConnection, identity: Identity, oldest_writer: u32) -> sqlx::Result<()> {
    let Identity { log_id, epoch } = identity;
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO log_head (one, log_id, epoch, size, frontier, oldest_writer) VALUES (1, ?, ?, 0, x'', ?)")
        .bind(log_id)
        .bind(epoch)
        .bind(oldest_writer)
        .execute(&mut *connection)
        .await?;
    // PRAGMA takes no parameters.
    let header = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
    sqlx::raw_sql(sqlx::AssertSqlSafe(header)).execute(connection).await?;
    Ok(())
}

async fn readers(path: &Path) -> sqlx::Result<SqlitePool> {
    pool(READERS)
        .connect_with(SqliteConnectOptions::new().filename(path).read_only(true))
        .await
}

/// Connections to a local file do not go stale, so none is tested or replaced.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
