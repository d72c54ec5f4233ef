//! The views as they were after any number of events, folded again from the log into a file of their own.
//!
//! This is what the views were kept by, run once more; it needs no views that are kept, and changes none.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use eventstore::{Blobs, EventStore, Position};
use rusqlite::Connection;
use tokio::{
    sync::{Mutex, watch},
    task::spawn_blocking,
};

use crate::{
    error::ViewError,
    file,
    projector::{self, EVENTS_PER_BATCH},
    sheets::{View, touched},
    writer::{Progress, Writer},
};

/// Views that are moved forward by hand.
pub struct Replay {
    log: EventStore,
    blobs: Blobs,
    writer: Arc<Mutex<Writer>>,
    progress: watch::Receiver<Progress>,
}

impl Replay {
    /// Views before the first event, in a new file at `path`, which is the caller's to delete.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if the file cannot be made.
    pub fn start(path: &Path, log: &EventStore, blobs: &Blobs) -> Result<Self, ViewError> {
        let writer = Writer::of_scratch(file::create_scratch(path, log)?)?;
        Ok(Self {
            log: log.clone(),
            blobs: blobs.clone(),
            progress: writer.progress(),
            writer: Arc::new(Mutex::new(writer)),
        })
    }

    /// Applies the log until `size` events were applied. It does not go back. Questions wait until it is there.
    ///
    /// # Errors
    ///
    /// [`ViewError::InTheFuture`] if the log has fewer; [`ViewError::Undecodable`] at an event this program does not know.
    pub async fn advance(&self, size: u64) -> Result<(), ViewError> {
        projector::advance(&self.writer, &self.log, &self.blobs, size, EVENTS_PER_BATCH, |_| ()).await
    }

    /// How far it has come, as it moves.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Notes from now on which event touches which row of `views`; see [`touched::by_row`].
    ///
    /// # Errors
    ///
    /// [`ViewError::Database`]
    pub async fn note_changes(&self, views: &[View]) -> Result<(), ViewError> {
        let mut writer = self.writer.lock().await;
        writer.write_one_by_one();
        Ok(touched::note(writer.connection(), views)?)
    }

    /// Asks a question of the views as they are now.
    ///
    /// # Errors
    ///
    /// What the question answers.
    pub async fn read<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let answered = spawn_blocking(move || question(writer.connection()));
        answered.await.map_err(|_| ViewError::Abandoned)?
    }
}

/// How many events had happened at `time`.
///
/// # Errors
///
/// [`ViewError::BeforeTheLog`] if none had; [`ViewError::Log`] if the log cannot be read.
pub async fn size_at(log: &EventStore, time: DateTime<Utc>) -> Result<u64, ViewError> {
    let (mut low, mut high) = (0, log.head().await?.size);
    while low < high {
        let middle = u64::midpoint(low, high);
        let event = log.read(Position::new(middle), 1).await?;
        if event.first().is_some_and(|event| event.time <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    match low {
        0 => Err(ViewError::BeforeTheLog(time)),
        size => Ok(size),
    }
}
