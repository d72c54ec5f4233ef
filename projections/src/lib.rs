//! Views: what people read, computed from the log and kept in a local file that may be deleted at any time.
//!
//! | to understand | read |
//! |---|---|
//! | how the log becomes rows | `projector.rs`, then `fold.rs` and `writer.rs` |
//! | what rows there are, and what can be asked of them | a noun: [`storefront`], [`apps`], [`reviews`], … |
//! | how a row remembers its past, and how that is read | `moment.rs`, `past.rs` |
//! | when a file is used, and when another takes its place | `generations.rs`, `checkpoint.rs`, [`rebuild`] |
//! | how views are handed to a process that has none | [`published`] |
//! | how the past is folded again from the log | [`replay`], [`sheets`] |
//!
//! Rows hold ids, facts, digests and sealed references, never text that must be erasable.

pub mod access;
pub mod accounts;
pub mod apps;
pub mod audit;
mod batch;
pub mod categories;
mod change;
mod checkpoint;
pub mod clusters;
pub mod content;
pub mod decisions;
mod dossier;
mod dossiers;
pub mod error;
pub mod explanation;
mod fact;
mod fetch;
mod file;
mod fold;
mod generations;
pub mod health;
mod inline;
mod lookup;
mod moment;
pub mod page;
mod past;
mod projector;
pub mod published;
mod readers;
pub mod rebuild;
pub mod releases;
pub mod replay;
pub mod reviews;
mod search;
pub mod sessions;
pub mod sheets;
mod sql;
pub mod storefront;
pub mod tenancy;
#[cfg(test)]
mod tests;
pub mod tokens;
mod view_reader;
mod writer;

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use eventstore::{Blobs, EventStore};
use tokio::sync::{Mutex, watch};

pub use rusqlite::Connection;

pub use crate::{
    access::Access,
    checkpoint::position,
    error::ViewError,
    lookup::Lookup,
    moment::Moment,
    page::{Key, Keyed, Page, PageRequest},
    readers::Asked,
    view_reader::ViewReader,
    writer::Progress,
};
use crate::{
    generations::Generations,
    readers::{Counter, Live},
    writer::Writer,
};

/// The views of one log in one file. Clones share it.
#[derive(Clone)]
pub struct Views {
    shared: Arc<Shared>,
}

struct Shared {
    files: Generations,
    /// What questions are answered from. Whoever asked before it was exchanged is answered from what was there.
    live: RwLock<Arc<Live>>,
    writer: Arc<Mutex<Writer>>,
    /// Held by whoever follows.
    following: Mutex<()>,
    /// Held by whoever makes a copy to publish.
    publishing: Mutex<()>,
    progress: watch::Receiver<Progress>,
    counter: Arc<Counter>,
}

impl Views {
    /// Opens the views of `log` kept in the file at `path`, whose folder exists, or in a later generation of it. The
    /// highest one is used that this program made from this log; if there is none, views are begun at the first event.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if the file cannot be used or made, or the log cannot be read.
    pub async fn open(path: &Path, log: &EventStore) -> Result<Self, ViewError> {
        let files = Generations::of(path);
        let (generation, conn) = file::open(&files, log).await?;
        let writer = Writer::new(conn)?;
        let counter = Arc::default();
        let live = Live::start(generation, &files.path(generation), &counter)?;
        Ok(Self {
            shared: Arc::new(Shared {
                files,
                live: RwLock::new(Arc::new(live)),
                progress: writer.progress(),
                writer: Arc::new(Mutex::new(writer)),
                following: Mutex::new(()),
                publishing: Mutex::new(()),
                counter,
            }),
        })
    }

    /// The file that is in use.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.shared.files.path(self.live().generation)
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.shared.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Deletes the files that the one in use has taken the place of. Until it shows the whole log, they may be wanted
    /// again by the program that made them.
    ///
    /// # Errors
    ///
    /// [`ViewError::File`] if one cannot be deleted.
    pub fn discard_older(&self) -> Result<(), ViewError> {
        self.shared.files.keep(self.live().generation)
    }

    /// Applies the log to the views: first what is there, then what comes. Somebody has to, for the views to move; a
    /// second one waits for the first to end.
    ///
    /// # Errors
    ///
    /// Ends only by failing. [`ViewError::Undecodable`] names the event that this program does not know; everything
    /// before it is applied. After a failed read of the log or of a blob, following again goes on where it stopped.
    pub async fn follow(&self, log: EventStore, blobs: Blobs) -> Result<Infallible, ViewError> {
        let _alone = self.shared.following.lock().await;
        projector::follow(Arc::clone(&self.shared.writer), log, blobs).await
    }

    /// How many events were applied: the answer to a question is at least as new.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.shared.progress.borrow().size
    }

    /// Waits until `size` events were applied. The caller bounds the wait.
    pub async fn reached(&self, size: u64) {
        let mut progress = self.shared.progress.clone();
        // Fails only when the writer is gone, and these views hold it.
        let _ = progress.wait_for(|progress| progress.size >= size).await;
    }

    /// Position and authorization as they move, always of the same moment. Steps may be missed, never the last.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.clone()
    }

    /// What was asked so far, and what it took: for whoever watches that no answer takes a statement for every row.
    #[must_use]
    pub fn asked(&self) -> Asked {
        self.shared.counter.asked()
    }

    /// Who may do what, as of [`Views::position`].
    #[must_use]
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.shared.progress.borrow().access)
    }

    /// The same views, for those who only ask.
    #[must_use]
    pub fn reader(&self) -> ViewReader {
        ViewReader::of(self.clone())
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
        self.live().now.ask(question).await
    }

    /// Asks a question of the views as they stood at `moment`: of the store, apps, versions, the review queue and
    /// categories it reads what [`Views::read`] would have read then. All else it reads is of now.
    ///
    /// # Errors
    ///
    /// [`ViewError::InTheFuture`] if the views did not reach that moment yet, and those of [`Views::read`].
    pub async fn read_at<T, Q>(&self, moment: Moment, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        match moment {
            Moment::Now => self.read(question).await,
            Moment::At(position) => self.live().past.ask(as_of(position, question)).await,
        }
    }

    /// Asks as [`Views::read_at`] does what is answered at once: few rows, found by their keys or at the beginning of an
    /// index. It is answered on this thread, unless very many ask at the same time: handing so short a question to another
    /// thread, and its answer back, costs as much as the answer.
    ///
    /// # Errors
    ///
    /// Those of [`Views::read_at`].
    pub async fn read_inline<T, Q>(&self, moment: Moment, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        match moment {
            Moment::Now => self.live().now.ask_inline(question).await,
            Moment::At(position) => self.live().past.ask_inline(as_of(position, question)).await,
        }
    }
}

/// The question asked at a position, of a connection that can be turned there.
fn as_of<T, Q>(position: u64, question: Q) -> impl FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static
where
    Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
{
    move |conn| {
        past::turn_to(conn, position)?;
        question(conn)
    }
}
