//! Opening a log.

use std::path::PathBuf;

/// What a process means to do with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read and append. With `SQLite`, one process at a time; a log that is missing is created.
    Append,
    /// Read and follow what another process appends.
    ReadOnly,
}

/// Why a log was not opened. Nothing was changed, except that a lock file may have been made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{url:?} does not name a log; it must be sqlite:// and a path without '?', '#' and ':'")]
    UnsupportedUrl { url: String },
    #[error("there is no log at {}", path.display())]
    Missing { path: PathBuf },
    #[error("another process appends to {}", path.display())]
    InUse { path: PathBuf },
    #[error("{} may not be written to", path.display())]
    ReadOnlyFile { path: PathBuf },
    #[error("{} is not an event log", path.display())]
    Foreign { path: PathBuf },
    #[error("{} has schema {found}, and this program knows only up to {known}", path.display())]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error("{} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the system has no random numbers for the log's id")]
    Random(#[source] getrandom::Error),
    #[error("the event database failed")]
    Database(#[from] sqlx::Error),
}
