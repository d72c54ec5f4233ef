//! Why a view could not be kept or asked.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use domain::event::UndecodableEvent;

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The view stops before this event: it was written by a newer program, or it is damaged.
    #[error("the event at position {position} cannot be applied")]
    Undecodable {
        position: u64,
        #[source]
        source: UnreadableEvent,
    },
    /// Somebody else writes to the view file.
    #[error("the view stands at position {at}, and the event to apply is at {event}")]
    OutOfStep { at: u64, event: u64 },
    /// The key came from another list, or was made up.
    #[error("{0:?} is not a place in this list")]
    InvalidKey(String),
    /// The key is of another list, or of this one otherwise ordered or filtered, or of another epoch of the log.
    #[error("the place is one of another list")]
    ForeignKey,
    /// The views did not stand there yet.
    #[error("position {asked} is still to come: {reached} events were applied")]
    InTheFuture { asked: u64, reached: u64 },
    /// Nothing had happened yet.
    #[error("the log begins after {0}")]
    BeforeTheLog(DateTime<Utc>),
    #[error("the log could not be read")]
    Log(#[from] eventstore::ReadError),
    #[error("published content could not be read")]
    Content(#[from] eventstore::BlobError),
    #[error("the view file {} could not be replaced", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The process that keeps them is of another release, or keeps them of another log.
    #[error("the view file {} was not made by this program from this log", .0.display())]
    Stale(PathBuf),
    /// One at a time.
    #[error("the views are being built anew already")]
    BeingBuilt,
    #[error("the view database failed")]
    Database(#[from] rusqlite::Error),
    /// The question itself broke, or the process is ending.
    #[error("the question was given up before it was answered")]
    Abandoned,
}

/// What is wrong with an event.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    #[error("it is not an event this program knows")]
    Unknown(#[from] UndecodableEvent),
    #[error("nobody known acted")]
    Actor(#[from] domain::ids::InvalidActor),
    #[error("stream {0:?} does not end in an id")]
    Stream(String),
}
