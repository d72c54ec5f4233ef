//! The loop that keeps the views: read a batch of the log, fetch what it names, apply it in one transaction.
//!
//! Applying sees the transaction, the facts, and content that is known by its hash: nothing that could be different
//! the next time. So a view that is rebuilt is the view that was kept. While one batch is applied, the next is read and
//! decoded on another core. Where views are built up to an event that is there already, applying is two steps on two cores:
//! one batch is written while the next is folded.

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    sync::{Arc, PoisonError},
};

use eventstore::{Blobs, EventStore, Position, ReadError, Recorded, Subscription};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::{JoinHandle, spawn_blocking},
};
use uuid::Uuid;

use crate::{
    batch::Batch,
    content::Wanted,
    error::ViewError,
    fetch,
    fold::{Folded, Folder, LiveRows},
    writer::Writer,
};

/// Most events applied in one transaction.
pub(crate) const EVENTS_PER_BATCH: u64 = 10_000;
/// What comes is applied in parts, so that whoever waits for the first is answered while the next are applied: this many
/// events, or of very many one of so many parts.
const LIVE_EVENTS_PER_BATCH: usize = 32;
const LIVE_BATCHES: usize = 2;
/// So few events are decoded before another thread is awake.
const DECODED_INLINE_MAX: usize = 64;
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
        waiting: VecDeque::new(),
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

/// While one batch is written, the next is folded, and the one after that is read.
async fn apply_until(
    writer: &Arc<Mutex<Writer>>,
    log: &EventStore,
    blobs: &Blobs,
    size: u64,
    per_batch: u64,
    report: impl Fn(u64),
) -> Result<(), ViewError> {
    let mut writer = Arc::clone(writer).lock_owned().await;
    let mut folding = Folding {
        preparing: Preparing::new(log, blobs),
        live_rows: writer.live_rows(),
        folder: writer.lend_folder(),
        reached: writer.position()?,
        size,
        per_batch,
        ahead: None,
    };
    folding.read_ahead();
    let mut next = folding.next().await?;
    while let Some(mut folded) = next {
        let stopped = folded.batch.stopped.take();
        let end = folding.reached;
        let writing = blocking(writer, move |writer| writer.write(folded));
        let (following, written) = tokio::join!(folding.next(), writing);
        (writer, ()) = written?;
        report(end);
        if let Some(stopped) = stopped {
            return Err(stopped);
        }
        next = following?;
    }
    writer.take_back(folding.folder);
    Ok(())
}

/// Batches of what is in the log already, folded one after the other.
struct Folding {
    preparing: Preparing,
    live_rows: LiveRows,
    folder: Folder,
    /// How many events were folded, or were before.
    reached: u64,
    size: u64,
    per_batch: u64,
    ahead: Option<Reading>,
}

impl Folding {
    fn read_ahead(&mut self) {
        let left = self.size.saturating_sub(self.reached).min(self.per_batch);
        let from = Position::new(self.reached);
        self.ahead = (left > 0).then(|| self.preparing.clone().read(from, left));
    }

    /// `None` behind the last of them.
    async fn next(&mut self) -> Result<Option<Folded>, ViewError> {
        let Some(reading) = self.ahead.take() else {
            return Ok(None);
        };
        let batch = finished(reading).await?;
        let Some(end) = batch.end() else {
            return Err(batch.stopped.unwrap_or(ViewError::InTheFuture {
                asked: self.size - 1,
                reached: self.reached,
            }));
        };
        self.reached = end;
        self.read_ahead();
        let fetched = fetch::dossiers(&self.preparing.log, &self.folder.absent_apps(&batch)?).await?;
        let (mut folder, live_rows) = (std::mem::take(&mut self.folder), self.live_rows);
        let folding = spawn_blocking(move || {
            let folded = folder.fold(batch, fetched, live_rows);
            (folder, folded)
        });
        let (folder, folded) = folding.await.map_err(|_| ViewError::Abandoned)?;
        self.folder = folder;
        folded.map(Some)
    }
}

/// One batch, as far as this program understands its events.
async fn project(writer: OwnedMutexGuard<Writer>, log: &EventStore, mut batch: Batch) -> Result<(), ViewError> {
    let stopped = batch.stopped.take();
    let dossiers = fetch::dossiers(log, &writer.absent_apps(&batch)?).await?;
    blocking(writer, move |writer| writer.apply(batch, dossiers)).await?;
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
        let mut batch = match events.len() {
            ..=DECODED_INLINE_MAX => Batch::decode(&events),
            _ => {
                let batch = spawn_blocking(move || Batch::decode(&events)).await;
                batch.map_err(|_| ViewError::Abandoned)?
            }
        };
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
    /// What came, and is in no batch yet.
    waiting: VecDeque<Recorded>,
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
        if self.waiting.is_empty() {
            let next = self.next;
            let log = &self.preparing.log;
            let events: Result<Vec<Recorded>, ReadError> =
                self.live.get_or_insert_with(|| log.subscribe(next)).next().await;
            self.waiting.extend(events?);
        }
        let events = share(&mut self.waiting);
        self.preparing.batch(events).await
    }
}

/// The events to apply next of those that wait, and with them all that followed from the same command: nobody sees half of it.
fn share(waiting: &mut VecDeque<Recorded>) -> Vec<Recorded> {
    let mut share = (waiting.len() / LIVE_BATCHES)
        .max(LIVE_EVENTS_PER_BATCH)
        .min(waiting.len());
    while let Some(next) = waiting.get(share)
        && let Some(last) = share.checked_sub(1).and_then(|last| waiting.get(last))
        && correlation(last) == correlation(next)
    {
        share += 1;
    }
    waiting.drain(..share).collect()
}

/// `None` of an event that is damaged, as decoding it will tell.
fn correlation(event: &Recorded) -> Option<Uuid> {
    event.envelope().ok().map(|envelope| envelope.correlation_id)
}

#[cfg(test)]
mod tests {
    use eventstore::{Append, Context, EventStore, Mode, NewEvent, Revision, Write};

    use super::*;

    /// A log of commands that left so many events each.
    async fn log(folder: &std::path::Path, commands: &[u64]) -> Vec<Recorded> {
        let url = format!("sqlite://{}", folder.join("log.db").display());
        let log = EventStore::open(&url, Mode::Append).await.unwrap();
        let mut id = 0;
        let mut fresh = || {
            id += 1;
            Uuid::from_u128(id)
        };
        for (number, events) in commands.iter().enumerate() {
            let events = (0..*events).map(|_| NewEvent {
                id: fresh(),
                name: "Happened".parse().unwrap(),
                schema: 1,
                data: serde_json::json!({}),
            });
            let write = Write {
                stream: format!("app-{number}").parse().unwrap(),
                expected: Revision::NONE,
                events: events.collect(),
            };
            let context = Context {
                actor: "system".to_owned(),
                command: None,
                correlation_id: fresh(),
                causation_id: None,
            };
            let append = Append {
                writes: vec![write],
                guards: vec![],
                context,
            };
            log.append(append).await.unwrap();
        }
        log.read(Position::START, 10_000).await.unwrap()
    }

    #[tokio::test]
    async fn what_comes_is_applied_in_parts_and_what_a_command_left_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let commands = [[1; 15].as_slice(), &[30], &[1; 20], &[2; 100]].concat();
        let mut waiting = VecDeque::from(log(folder.path(), &commands).await);
        let all = waiting.len();
        let mut parts = vec![];
        while !waiting.is_empty() {
            parts.push(share(&mut waiting).len());
        }
        assert_eq!(parts.iter().sum::<usize>(), all);
        // Half of them, with what else their last command left; at the end as many as are worth a transaction.
        assert_eq!(parts, [133, 66, 34, 32]);
    }
}
