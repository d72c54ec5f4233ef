//! Asking views without being able to change them.

use std::{path::Path, sync::Arc};

use eventstore::EventStore;
use rusqlite::Connection;

use crate::{Views, error::ViewError, file, generations::Generations, readers::Readers};

/// Asks the views, and cannot change them. Clones share their threads.
#[derive(Clone)]
pub struct ViewReader(Source);

#[derive(Clone)]
enum Source {
    /// Those of this process, whichever file they are in.
    Own(Views),
    File(Arc<Readers>),
}

impl ViewReader {
    pub(crate) const fn of(views: Views) -> Self {
        Self(Source::Own(views))
    }

    /// Opens the views of `log` kept in the file at `path`, or in a later generation of it, beside the process that keeps
    /// them.
    ///
    /// # Errors
    ///
    /// [`ViewError::Stale`] if this program did not make them from this log.
    pub async fn open(path: &Path, log: &EventStore) -> Result<Self, ViewError> {
        let files = Generations::of(path);
        for generation in files.present()? {
            let path = files.path(generation);
            if file::is_usable(&path, log).await? {
                let readers = Readers::start(&path, 1, file::open_for_reading, &Arc::default())?;
                return Ok(Self(Source::File(Arc::new(readers))));
            }
        }
        Err(ViewError::Stale(path.to_owned()))
    }

    /// Asks a question, on a thread that may wait for the disk. All it reads is of one moment, whose position
    /// [`position`](crate::position) tells.
    ///
    /// # Errors
    ///
    /// What the question answers; [`ViewError::Abandoned`] if it panicked.
    pub async fn read<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        match &self.0 {
            Source::Own(views) => views.read(question).await,
            Source::File(readers) => readers.ask(question).await,
        }
    }
}
