//! Views: what people read, computed from the log and kept in a local file that may be deleted at any time.
//!
//! | to understand | read |
//! |---|---|
//! | how the log becomes rows | `projector.rs`, then `writer.rs` |
//! | what rows there are, and what can be asked of them | a noun: [`storefront`], [`apps`], [`reviews`], … |
//! | how a row remembers its past, and how that is read | `moment.rs`, `past.rs` |
//! | when a file is thrown away | `file.rs`, `checkpoint.rs` |
//!
//! Rows hold ids, facts, digests and sealed references, never text that must be erasable.

pub mod access;
pub mod accounts;
pub mod apps;
pub mod audit;
pub mod categories;
mod checkpoint;
pub mod content;
pub mod decisions;
mod dossier;
pub mod error;
mod fact;
mod fetch;
mod file;
mod moment;
pub mod page;
mod past;
mod projector;
mod readers;
pub mod releases;
pub mod reviews;
mod search;
mod sql;
pub mod storefront;
pub mod tenancy;
#[cfg(test)]
mod tests;
mod writer;

use std::{convert::Infallible, path::Path, sync::Arc};

use eventstore::{Blobs, EventStore};
use tokio::sync::{Mutex, watch};

pub use rusqlite::Connection;

pub use crate::{
    access::Access,
    checkpoint::position,
    error::ViewError,
    moment::Moment,
    page::{Key, Keyed, Page, PageRequest},
    readers::ViewReader,
    writer::Progress,
};
use crate::{readers::Readers, writer::Writer};

/// Threads that answer questions. More gain nothing: answers come from memory.
const READERS: usize = 4;
/// Threads that answer questions about the past, which take longer and do not hold up the others.
const PAST_READERS: usize = 2;

/// The views of one log in one file. Clones share it.
#[derive(Clone)]
pub struct Views {
    readers: Arc<Readers>,
    past: Arc<Readers>,
    writer: Arc<Mutex<Writer>>,
    progress: watch::Receiver<Progress>,
}

impl Views {
    /// Opens the views of `log` kept in the file at `path`, whose folder exists. What is there is used if this program
    /// made it from this log; anything else is replaced by views that start at the first event.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if the file cannot be used or replaced, or the log cannot be read.
    pub async fn open(path: &Path, log: &EventStore) -> Result<Self, ViewError> {
        let writer = Writer::new(file::open(path, log).await?)?;
        Ok(Self {
            readers: Arc::new(Readers::start(path, READERS, file::open_for_reading)?),
            past: Arc::new(Readers::start(path, PAST_READERS, past::open)?),
            progress: writer.progress(),
            writer: Arc::new(Mutex::new(writer)),
        })
    }

    /// Applies the log to the views: first what is there, then what comes. Somebody has to, for the views to move; a
    /// second one waits for the first to end.
    ///
    /// # Errors
    ///
    /// Ends only by failing. [`ViewError::Undecodable`] names the event that this program does not know; everything
    /// before it is applied. After a failed read of the log or of a blob, following again goes on where it stopped.
    pub async fn follow(&self, log: EventStore, blobs: Blobs) -> Result<Infallible, ViewError> {
        projector::follow(Arc::clone(&self.writer), log, blobs).await
    }

    /// How many events were applied: the answer to a question is at least as new.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.progress.borrow().size
    }

    /// Waits until `size` events were applied. The caller bounds the wait.
    pub async fn reached(&self, size: u64) {
        let mut progress = self.progress.clone();
        // Fails only when the writer is gone, and these views hold it.
        let _ = progress.wait_for(|progress| progress.size >= size).await;
    }

    /// Position and authorization as they move, always of the same moment. Steps may be missed, never the last.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Who may do what, as of [`Views::position`].
    #[must_use]
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.progress.borrow().access)
    }

    /// The same views, for those who only ask.
    #[must_use]
    pub fn reader(&self) -> ViewReader {
        ViewReader::new(Arc::clone(&self.readers))
    }

    /// Asks a question of the views, on a thread that may wait for the disk. All it reads is of one moment, whose
    /// position [`position`] tells.
    ///
    /// # Errors
    ///
    /// What the question answers; [`ViewError::Abandoned`] if it panicked.
    pub async fn read<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        self.readers.ask(question).await
    }

    /// Asks a question of the views as they stood at `moment`: of the store, apps, versions, the review queue and
    /// categories it reads what [`Views::read`] would have read then. All else it reads is of now.
    ///
    /// # Errors
    ///
    /// [`ViewError::InTheFuture`] if the views did not reach that moment yet, and those of [`Views::read`]. The search
    /// index holds the present only: [`storefront::search`] for words fails in the past.
    pub async fn read_at<T, Q>(&self, moment: Moment, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        match moment {
            Moment::Now => self.read(question).await,
            Moment::At(position) => {
                let question = move |conn: &Connection| {
                    past::turn_to(conn, position)?;
                    question(conn)
                };
                self.past.ask(question).await
            }
        }
    }
}
