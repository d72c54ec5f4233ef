//! Opening a log.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::append::AppendError;
use crate::backend::Backend;
use crate::clock::{Clock, SystemClock};
use crate::high_water::HighWater;
use crate::store::ReadError;
use crate::{postgres, sqlite};

/// What a process means to do with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read and append. With `SQLite`, one process at a time; a log that is missing is created.
    Append,
    /// Read and follow what another process appends.
    ReadOnly,
}

/// How to open a log.
pub struct OpenOptions {
    pub mode: Mode,
    pub clock: Box<dyn Clock>,
    /// How far the log reached when it was last seen, by this process or by an earlier one.
    ///
    /// If the log does not hold that much any more, a backup was restored. [`Mode::Append`] then begins a new
    /// epoch with an event `LogRestored`; [`Mode::ReadOnly`] refuses.
    pub remembered: Option<HighWater>,
}

impl OpenOptions {
    /// The clock of the system, and no memory.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            clock: Box::new(SystemClock::default()),
            remembered: None,
        }
    }
}

/// Why a log was not opened. Nothing was changed, except that a lock file may have been made.
///
/// `log` is the path of the file, or `postgres://` with host, port and database and without the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{url:?} does not name a log; it must be postgres://…, or sqlite:// and a path without '?', '#' and ':'")]
    UnsupportedUrl { url: String },
    #[error("there is no log at {log}")]
    Missing { log: String },
    #[error("another process appends to {log}")]
    InUse { log: String },
    #[error("{log} may not be written to")]
    ReadOnlyFile { log: String },
    #[error("{log} is not an event log")]
    Foreign { log: String },
    #[error("{log} has schema {found}, and this program knows only up to {known}")]
    NewerSchema { log: String, found: i64, known: i64 },
    #[error("{log} has schema {found}, which this program, of schema {known}, cannot bring up to date")]
    OlderSchema { log: String, found: i64, known: i64 },
    #[error("{log} could not be used")]
    Io {
        log: String,
        #[source]
        source: std::io::Error,
    },
    #[error("no connection to {log}")]
    Unreachable {
        log: String,
        #[source]
        source: sqlx::Error,
    },
    /// What is acknowledged must be on the disk.
    #[error("{log} runs with {setting} off, and would forget acknowledged events when it crashes")]
    NotDurable { log: String, setting: &'static str },
    /// The caller remembers a log of another id.
    #[error("{log} is another log: its id is {found}, not {remembered}")]
    OtherLog { log: String, found: Uuid, remembered: Uuid },
    /// Only a process that appends can start the new epoch which a restored log needs.
    #[error("{log} was restored to a state older than what is remembered of it")]
    Restored { log: String },
    #[error("what happened to the log could not be read from it")]
    Unreadable(#[from] ReadError),
    #[error("the new epoch of the restored log could not be recorded")]
    NotRecorded(#[source] AppendError),
    #[error("the system has no random numbers for the log's id")]
    Random(#[source] getrandom::Error),
    #[error("the event database failed")]
    Database(#[from] sqlx::Error),
}

/// Opens the database that `url` names.
pub(crate) async fn connect(url: &str, mode: Mode) -> Result<Backend, OpenError> {
    match place(url)? {
        Place::File(path) => Ok(Backend::Sqlite(sqlite::Database::open(&path, mode).await?)),
        Place::Server(options) => Ok(Backend::Postgres(postgres::Database::open(*options, mode).await?)),
    }
}

/// Where a log is.
pub(crate) enum Place {
    File(PathBuf),
    Server(Box<PgConnectOptions>),
}

/// What `url` names.
pub(crate) fn place(url: &str) -> Result<Place, OpenError> {
    let unsupported = || OpenError::UnsupportedUrl {
        url: without_password(url),
    };
    match url.split_once("://") {
        Some(("sqlite", path)) if !path.is_empty() && !path.contains(['?', '#', ':']) => {
            Ok(Place::File(PathBuf::from(path)))
        }
        Some(("postgres" | "postgresql", _)) => {
            let options: PgConnectOptions = url.parse().map_err(|_| unsupported())?;
            Ok(Place::Server(Box::new(options)))
        }
        _ => Err(unsupported()),
    }
}

/// Errors are logged, so they say `user:…@host`.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:…@{place}")
        }
        None => url.to_owned(),
    }
}
