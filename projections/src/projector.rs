//! The loop that keeps the views: read a batch of the log, fetch what it names, apply it in one transaction.
//!
//! Applying sees the transaction, the facts, and content that is known by its hash: nothing that could be different
//! the next time. So a view that is rebuilt is the view that was kept. While one batch is applied, the next is read, decoded
//! and given its documents, on another core.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, PoisonError},
};

use eventstore::{Blobs, EventStore, Position, ReadError, Recorded, Subscription};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    content::Wanted,
    error::ViewError,
    fetch,
    writer::{Batch, Writer},
};

/// Most events applied in one transaction.
pub(crate) const EVENTS_PER_BATCH: u64 = 10_000;
/// Documents that are known to be kept, so that they are not fetched again.
const KEPT_DOCUMENTS_MAX: usize = 200_000;

/// Applies the log to the views for ever: first what is there, in large batches, then what comes. Between two batches
/// another writer may be put in the place of this one, if it has come as far.
pub(crate) async fn follow(writer: Arc<Mutex<Writer>>, log: EventStore, blobs: Blobs) -> Result<Infallible, ViewError> {
    let next = writer.lock().await.position()?;
    let preparing = Preparing::new(&log, &blobs);
    let mut source = Source {
        next: Position::new(next),
        live: None,
        ahead: None,
        preparing,
    };
    loop {
        let batch = source.next().await?;
        let writer = Arc::clone(&writer).lock_owned().await;
        project(writer, &log, batch).await?;
    }
}

/// Applies the log until `size` events were applied, `per_batch` of them in a transaction, and reports after each how many
/// were. Then words can be looked for, too.
///
/// # Errors
///
/// [`ViewError::InTheFuture`] if there are fewer.
pub(crate) async fn advance(
    writer: &Arc<Mutex<Writer>>,
    log: &EventStore,
    blobs: &Blobs,
    size: u64,
    per_batch: u64,
    report: impl Fn(u64),
) -> Result<(), ViewError> {
    let applied = apply_until(writer, log, blobs, size, per_batch, report).await;
    let writer = Arc::clone(writer).lock_owned().await;
    let written = blocking(writer, Writer::write_words).await;
    applied.and(written.map(drop))
}

async fn apply_until(
    writer: &Arc<Mutex<Writer>>,
    log: &EventStore,
    blobs: &Blobs,
    size: u64,
    per_batch: u64,
    report: impl Fn(u64),
) -> Result<(), ViewError> {
    let preparing = Preparing::new(log, blobs);
    let read = |from: u64| {
        let left = size.saturating_sub(from).min(per_batch);
        (left > 0).then(|| preparing.clone().read(Position::new(from), left))
    };
    let mut ahead = read(writer.lock().await.position()?);
    while let Some(reading) = ahead.take() {
        let batch = finished(reading).await?;
        let Some(end) = batch.end() else {
            let reached = writer.lock().await.position()?;
            return match batch.stopped {
                Some(stopped) => Err(stopped),
                None => Err(ViewError::InTheFuture {
                    asked: size - 1,
                    reached,
                }),
            };
        };
        ahead = read(end);
        let writer = Arc::clone(writer).lock_owned().await;
        project(writer, log, batch).await?;
        report(end);
    }
    Ok(())
}

/// One batch, as far as this program understands its events.
async fn project(writer: OwnedMutexGuard<Writer>, log: &EventStore, batch: Batch) -> Result<(), ViewError> {
    let dossiers = fetch::dossiers(log, &writer.absent_apps(&batch)?).await?;
    let (_writer, stopped) = blocking(writer, move |writer| {
        writer.apply(&batch, dossiers)?;
        Ok(batch.stopped)
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

/// Makes batches of events: decoded, and with the documents they name.
#[derive(Clone)]
struct Preparing {
    log: EventStore,
    blobs: Blobs,
    kept: Arc<std::sync::Mutex<HashSet<Wanted>>>,
}

type Ahead = JoinHandle<Result<Batch, ViewError>>;

/// Ends a reading that nobody waits for any more.
struct Reading(Ahead);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn finished(mut reading: Reading) -> Result<Batch, ViewError> {
    (&mut reading.0).await.map_err(|_| ViewError::Abandoned)?
}

impl Preparing {
    fn new(log: &EventStore, blobs: &Blobs) -> Self {
        Self {
            log: log.clone(),
            blobs: blobs.clone(),
            kept: Arc::default(),
        }
    }

    /// Reads at most `events` events, on its own.
    fn read(self, from: Position, events: u64) -> Reading {
        Reading(tokio::spawn(async move {
            let events = usize::try_from(events).unwrap_or(usize::MAX);
            let events = self.log.read(from, events).await?;
            self.batch(events).await
        }))
    }

    async fn batch(&self, events: Vec<Recorded>) -> Result<Batch, ViewError> {
        let batch = spawn_blocking(move || Batch::decode(&events)).await;
        let mut batch = batch.map_err(|_| ViewError::Abandoned)?;
        let wanted = self.unknown(batch.named());
        batch.documents = fetch::documents(&self.blobs, &wanted).await?;
        self.know(wanted);
        Ok(batch)
    }

    fn unknown(&self, named: HashSet<Wanted>) -> Vec<Wanted> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        named.into_iter().filter(|document| !kept.contains(document)).collect()
    }

    /// A batch that was prepared is applied, or the loop ends.
    fn know(&self, fetched: Vec<Wanted>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() > KEPT_DOCUMENTS_MAX {
            kept.clear();
        }
        kept.extend(fetched);
    }
}

/// The events to apply: in large batches what is there already, then what comes.
struct Source {
    next: Position,
    live: Option<Subscription>,
    /// The batch after the one that is being applied.
    ahead: Option<Reading>,
    preparing: Preparing,
}

impl Source {
    /// The next events, at least one.
    async fn next(&mut self) -> Result<Batch, ViewError> {
        if self.live.is_none() {
            let reading = match self.ahead.take() {
                Some(reading) => reading,
                None => self.preparing.clone().read(self.next, EVENTS_PER_BATCH),
            };
            let batch = finished(reading).await?;
            if let Some(end) = batch.end() {
                self.next = Position::new(end);
                self.ahead = batch
                    .stopped
                    .is_none()
                    .then(|| self.preparing.clone().read(self.next, EVENTS_PER_BATCH));
                return Ok(batch);
            }
            if batch.stopped.is_some() {
                return Ok(batch);
            }
        }
        let next = self.next;
        let log = &self.preparing.log;
        let events: Result<Vec<Recorded>, ReadError> =
            self.live.get_or_insert_with(|| log.subscribe(next)).next().await;
        self.preparing.batch(events?).await
    }
}
