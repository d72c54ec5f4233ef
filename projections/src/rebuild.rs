//! Building the views again beside those in use, going over to what was built, and telling whether they agree.
//!
//! 1. [`build`] folds the whole log into a file of another name, which nobody uses.
//! 2. It is synced and gets the name of the next generation: from here on, whoever opens the views opens it.
//! 3. Whoever has the views open goes over to it by [`Views::adopt`], between two batches.
//! 4. The older file is deleted.
//!
//! A process may be killed before, between and within these steps.

mod compare;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use eventstore::{Blobs, EventStore};
use tokio::{sync::Mutex, task::spawn_blocking};

pub use self::compare::{Comparison, Difference, TableDifferences, compare};
use crate::{
    Views,
    error::ViewError,
    file::{self, DeferredIndexes},
    generations::{self, Generations},
    projector,
    readers::Live,
    writer::Writer,
};

/// How far a build has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many of the events were applied that there were when it began, or was looked last.
    Applied { events: u64, of: u64 },
    /// All of them were, and the file is durable; it is not used yet.
    Built,
    /// Whoever opens the views now opens this file.
    Named,
}

/// How often a build looks for what was appended while it worked.
const ROUNDS: usize = 3;
/// How many events are applied in a transaction, and between two [`Step`]s.
const EVENTS_PER_STEP: u64 = 10_000;

/// Builds the views of `log` anew, beside the file at `path` and its later generations. Returns the new file.
///
/// # Errors
///
/// [`ViewError::BeingBuilt`] if somebody does already; [`ViewError`] if the log cannot be read or holds an event that
/// this program does not know, or the file cannot be written. Nothing else was touched then.
pub async fn build(path: &Path, log: &EventStore, blobs: &Blobs, report: impl Fn(Step)) -> Result<PathBuf, ViewError> {
    build_in_steps(path, log, blobs, EVENTS_PER_STEP, report).await
}

pub(crate) async fn build_in_steps(
    path: &Path,
    log: &EventStore,
    blobs: &Blobs,
    events_per_step: u64,
    report: impl Fn(Step),
) -> Result<PathBuf, ViewError> {
    let files = Generations::of(path);
    let _alone = files.lock()?;
    let building = files.building();
    generations::delete(&building)?;
    let conn = file::create_scratch(&building, log)?;
    let indexes = DeferredIndexes::of(&conn)?;
    let writer = Arc::new(Mutex::new(Writer::of_scratch(conn)?));
    let mut events = 0;
    // A log that grows all the while is caught up with by whoever goes over to the file.
    for _ in 0..ROUNDS {
        let of = log.head().await?.size;
        report(Step::Applied { events, of });
        let applied = |events| report(Step::Applied { events, of });
        projector::advance(&writer, log, blobs, of, events_per_step, applied).await?;
        events = of;
    }
    report(Step::Applied { events, of: events });
    let writer = writer.lock_owned().await;
    let made = spawn_blocking(move || indexes.make(writer.connection()));
    made.await.map_err(|_| ViewError::Abandoned)??;
    let finished = files.path(files.next()?);
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ViewError::File { path, source }
    };
    let synced = File::open(&building).and_then(|file| file.sync_all());
    synced.map_err(failed(&building))?;
    report(Step::Built);
    std::fs::rename(&building, &finished).map_err(failed(&building))?;
    report(Step::Named);
    Ok(finished)
}

/// The file that the views kept at `path` would be opened from, without opening it for writing.
///
/// # Errors
///
/// [`ViewError`] if a file or the log cannot be read.
pub async fn in_use(path: &Path, log: &EventStore) -> Result<Option<PathBuf>, ViewError> {
    let files = Generations::of(path);
    for generation in files.present()? {
        let path = files.path(generation);
        if file::is_usable(&path, log).await? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

impl Views {
    /// Goes over to the newest file that was built beside the one in use, and deletes the older ones. Whether there was
    /// one that this program can use.
    ///
    /// Questions are answered all the while, and never with an older state than before.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if the file or the log cannot be read; then the one in use stays.
    pub async fn adopt(&self, log: &EventStore, blobs: &Blobs) -> Result<bool, ViewError> {
        let shared = &self.shared;
        let in_use = self.live().generation;
        for generation in shared.files.present()? {
            if generation <= in_use {
                break;
            }
            let path = shared.files.path(generation);
            let Some(conn) = file::usable(&path, log).await? else {
                continue;
            };
            let successor = Arc::new(Mutex::new(Writer::new(conn)?));
            // Most of it while the views go on.
            projector::advance(&successor, log, blobs, self.position(), EVENTS_PER_STEP, |_| ()).await?;
            let live = Live::start(generation, &path, &shared.counter)?;
            self.go_over_to(successor, live, log, blobs).await?;
            self.discard_older()?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn go_over_to(
        &self,
        successor: Arc<Mutex<Writer>>,
        live: Live,
        log: &EventStore,
        blobs: &Blobs,
    ) -> Result<(), ViewError> {
        let mut writer = self.shared.writer.lock().await;
        projector::advance(&successor, log, blobs, writer.position()?, EVENTS_PER_STEP, |_| ()).await?;
        let Some(successor) = Arc::into_inner(successor) else {
            return Err(ViewError::Abandoned);
        };
        // Questions go to the new file before anybody is told of a position that only it may have.
        *self.shared.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
        writer.give_way_to(successor.into_inner());
        Ok(())
    }
}
