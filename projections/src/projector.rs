//! The loop that keeps the views: read a batch of the log, fetch what it names, apply it in one transaction.
//!
//! Applying sees the transaction, the facts, and content that is known by its hash: nothing that could be different
//! the next time. So a view that is rebuilt is the view that was kept.

use std::{convert::Infallible, sync::Arc};

use eventstore::{Blobs, EventStore, Position, ReadError, Recorded, Subscription};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
};

use crate::{error::ViewError, fetch, writer::Writer};

/// Most events applied in one transaction.
const EVENTS_PER_BATCH: usize = 10_000;

/// Applies the log to the views for ever: first what is there, in large batches, then what comes. Between two batches
/// another writer may be put in the place of this one, if it has come as far.
pub(crate) async fn follow(writer: Arc<Mutex<Writer>>, log: EventStore, blobs: Blobs) -> Result<Infallible, ViewError> {
    let mut source = Source {
        next: Position::new(writer.lock().await.position()?),
        live: None,
    };
    loop {
        let events = source.next(&log).await?;
        let writer = Arc::clone(&writer).lock_owned().await;
        project(writer, &log, &blobs, events).await?;
    }
}

/// Applies the log until `size` events were applied.
///
/// # Errors
///
/// [`ViewError::InTheFuture`] if there are fewer.
pub(crate) async fn advance(
    writer: &Arc<Mutex<Writer>>,
    log: &EventStore,
    blobs: &Blobs,
    size: u64,
) -> Result<(), ViewError> {
    loop {
        let writer = Arc::clone(writer).lock_owned().await;
        let reached = writer.position()?;
        let left = usize::try_from(size.saturating_sub(reached)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(());
        }
        let events = log.read(Position::new(reached), left.min(EVENTS_PER_BATCH)).await?;
        if events.is_empty() {
            return Err(ViewError::InTheFuture {
                asked: size - 1,
                reached,
            });
        }
        project(writer, log, blobs, events).await?;
    }
}

/// One batch, as far as this program understands its events.
async fn project(
    writer: OwnedMutexGuard<Writer>,
    log: &EventStore,
    blobs: &Blobs,
    events: Vec<Recorded>,
) -> Result<(), ViewError> {
    let (writer, plan) = blocking(writer, move |writer| writer.plan(&events)).await?;
    let supplies = fetch::supplies(log, blobs, &plan).await?;
    let (_writer, stopped) = blocking(writer, move |writer| {
        writer.apply(&plan, supplies)?;
        Ok(plan.stopped)
    })
    .await?;
    stopped.map_or(Ok(()), Err)
}

/// Lends the writer to a thread that may wait for the disk. Work that was begun is done, also if nobody waits for it.
async fn blocking<T: Send + 'static>(
    mut writer: OwnedMutexGuard<Writer>,
    work: impl FnOnce(&mut Writer) -> Result<T, ViewError> + Send + 'static,
) -> Result<(OwnedMutexGuard<Writer>, T), ViewError> {
    let done = spawn_blocking(move || {
        let outcome = work(&mut writer);
        outcome.map(|outcome| (writer, outcome))
    });
    done.await.map_err(|_| ViewError::Abandoned)?
}

/// The events to apply: in large batches what is there already, then what comes.
struct Source {
    next: Position,
    live: Option<Subscription>,
}

impl Source {
    /// The next events, at least one.
    async fn next(&mut self, log: &EventStore) -> Result<Vec<Recorded>, ReadError> {
        if self.live.is_none() {
            let events = log.read(self.next, EVENTS_PER_BATCH).await?;
            if let Some(last) = events.last() {
                self.next = last.position.next();
                return Ok(events);
            }
        }
        self.live.get_or_insert_with(|| log.subscribe(self.next)).next().await
    }
}
