//! The one task that appends.
//!
//! It takes whatever waits in its queue, admits each request in the order of arrival, stores all that
//! were admitted in one transaction, commits once and only then answers. With one caller this costs
//! what a plain transaction costs; with many, one flush of the disk serves them all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::admission::{Entry, Ledger, WRITER_GENERATION, Work};
use crate::append::AppendError;
use crate::backend::{Backend, Batch};
use crate::clock::{JumpGuard, Jumped};
use crate::event::{Position, Recorded};
use crate::recent::Recent;

/// Requests that may wait; further callers wait to be let in.
const QUEUE_MAX: usize = 4_096;
/// Most requests in one transaction.
const BATCH_MAX: usize = 512;
/// How often an unknown outcome is looked up before it is left unknown.
const SETTLE_ATTEMPTS_MAX: usize = 5;
/// Time for a database that went away to come back.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);

type Reply = Result<Vec<Recorded>, AppendError>;
/// What became of each request of a batch that was committed.
type Outcomes = Vec<Result<Vec<Entry>, AppendError>>;

struct Request {
    work: Work,
    reply: oneshot::Sender<Reply>,
}

/// Why a whole batch has no outcomes.
enum BatchError {
    /// Nothing of it is stored.
    Failed(sqlx::Error),
    /// The commit failed, and looking up whether it happened failed too.
    Unknown(sqlx::Error),
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// The way to the task.
pub(crate) struct Writer {
    queue: mpsc::Sender<Request>,
    closing: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        backend: Backend,
        clock: Arc<JumpGuard>,
        recent: Arc<Recent>,
        sizes: watch::Sender<u64>,
    ) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn(
            Task {
                backend,
                clock,
                recent,
                sizes,
            }
            .run(requests, closed),
        );
        Self {
            queue,
            closing,
            task: Mutex::new(Some(task)),
        }
    }

    pub(crate) async fn store(&self, work: Work) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send(Request { work, reply })
            .await
            .map_err(|_| AppendError::Closed)?;
        // No answer at all: the task ended while it had the request in hand.
        let unanswered = || AppendError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed));
        answer.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// Lets no more requests in and waits until those already in are answered.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer of the log ended badly");
        }
    }
}

struct Task {
    backend: Backend,
    clock: Arc<JumpGuard>,
    recent: Arc<Recent>,
    sizes: watch::Sender<u64>,
}

impl Task {
    async fn run(self, mut requests: mpsc::Receiver<Request>, mut closed: watch::Receiver<bool>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                () = asked_to_close(&mut closed), if !requests.is_closed() => requests.close(),
                received = requests.recv_many(&mut waiting, BATCH_MAX) => {
                    if received == 0 {
                        return;
                    }
                    self.store_together(std::mem::take(&mut waiting)).await;
                }
            }
        }
    }

    async fn store_together(&self, requests: Vec<Request>) {
        if requests.len() == 1 {
            return self.store_apart(requests).await;
        }
        let (works, replies): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| (request.work, request.reply))
            .unzip();
        match self.commit(&works).await {
            Ok(outcomes) => replies
                .into_iter()
                .zip(outcomes)
                .for_each(|(reply, outcome)| answer(reply, outcome)),
            Err(BatchError::Unknown(error)) => {
                let error = Arc::new(error);
                for reply in replies {
                    answer(reply, Err(AppendError::OutcomeUnknown(Arc::clone(&error))));
                }
            }
            Err(BatchError::Failed(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    requests = works.len(),
                    "a batch failed; trying one by one"
                );
                let requests = works
                    .into_iter()
                    .zip(replies)
                    .map(|(work, reply)| Request { work, reply });
                self.store_apart(requests).await;
            }
        }
    }

    /// One transaction each. After a batch failed, whichever request made it fail hurts only itself.
    async fn store_apart(&self, requests: impl IntoIterator<Item = Request>) {
        for Request { work, reply } in requests {
            let outcome = match self.commit(&[work]).await {
                Ok(outcomes) => outcomes.into_iter().next().unwrap_or(Err(AppendError::Closed)),
                Err(BatchError::Failed(error)) => Err(AppendError::Database(error)),
                Err(BatchError::Unknown(error)) => Err(AppendError::OutcomeUnknown(Arc::new(error))),
            };
            answer(reply, outcome);
        }
    }

    /// Stores every request that is admitted, in one transaction.
    async fn commit(&self, works: &[Work]) -> Result<Outcomes, BatchError> {
        let mut batch = self.backend.begin().await?;
        let mut ledger = look_up(&mut batch, works).await?;
        let outcomes: Outcomes = works.iter().map(|work| self.admit(&mut ledger, work)).collect();
        if outcomes.iter().all(Result::is_err) {
            return Ok(outcomes);
        }
        let entries: Vec<&Entry> = outcomes.iter().flatten().flatten().collect();
        batch.insert_events(&entries).await?;
        batch
            .insert_answers(&ledger.answered, self.clock.unchecked_now())
            .await?;
        for (work, outcome) in works.iter().zip(&outcomes) {
            if let (Work::Vault(row), Ok(_)) = (work, outcome) {
                batch.insert_vault_row(row).await?;
            }
        }
        if !entries.is_empty() {
            batch.update_head(&ledger.head).await?;
        }
        if let Err(error) = batch.commit().await {
            self.settle(error, entries.first().copied()).await?;
        }
        // In this order: whoever learns the size finds the events in memory.
        self.recent.push(entries.iter().map(|entry| &entry.recorded));
        let size = ledger.head.frontier.size();
        self.sizes
            .send_if_modified(|known| std::mem::replace(known, size) != size);
        Ok(outcomes)
    }

    fn admit(&self, ledger: &mut Ledger, work: &Work) -> Result<Vec<Entry>, AppendError> {
        let oldest_writer = ledger.head.oldest_writer;
        if oldest_writer > WRITER_GENERATION {
            return Err(AppendError::Superseded {
                oldest_writer,
                own: WRITER_GENERATION,
            });
        }
        match self.clock.now() {
            Ok(now) => ledger.admit(work, now),
            Err(Jumped { ahead_seconds }) => Err(AppendError::ClockJumped { ahead_seconds }),
        }
    }

    /// Finds out whether a commit that failed happened all the same.
    ///
    /// A batch is stored whole or not at all, so its first event answers for it. A batch without events
    /// counts as failed: all else that can be in it may be stored twice without harm.
    async fn settle(&self, failure: sqlx::Error, first: Option<&Entry>) -> Result<(), BatchError> {
        let Some(Entry { recorded, .. }) = first else {
            return Err(BatchError::Failed(failure));
        };
        for _ in 0..SETTLE_ATTEMPTS_MAX {
            match self.event_id_at(recorded.position).await {
                Ok(Some(id)) if id == recorded.id => return Ok(()),
                Ok(_) => return Err(BatchError::Failed(failure)),
                Err(_) => tokio::time::sleep(SETTLE_PAUSE).await,
            }
        }
        Err(BatchError::Unknown(failure))
    }

    /// The lock of the log waits for the commit in doubt, so what is seen under it is final.
    async fn event_id_at(&self, position: Position) -> sqlx::Result<Option<Uuid>> {
        let mut batch = self.backend.begin().await?;
        batch.head().await?;
        batch.event_id_at(position).await
    }
}

async fn asked_to_close(closed: &mut watch::Receiver<bool>) {
    if closed.wait_for(|closed| *closed).await.is_err() {
        // Every handle was dropped, so the queue ends by itself.
        std::future::pending::<()>().await;
    }
}

/// Reads, under the lock, all that the requests' conditions are about.
async fn look_up(batch: &mut Batch, works: &[Work]) -> sqlx::Result<Ledger> {
    let mut streams = HashSet::new();
    let mut commands = HashSet::new();
    for work in works {
        match work {
            Work::Append(append) => {
                streams.extend(append.writes.iter().map(|write| &write.stream));
                streams.extend(append.guards.iter().map(|guard| &guard.stream));
                commands.extend(append.command.as_ref().map(|(command, _)| command));
            }
            Work::Remember { command, .. } => {
                commands.insert(command);
            }
            Work::Vault(_) => {}
        }
    }
    let head = batch.head().await?;
    let revisions = batch.revisions(&Vec::from_iter(streams)).await?;
    let answers = batch.answers(&Vec::from_iter(commands)).await?;
    Ok(Ledger::new(head, revisions, answers))
}

fn answer(reply: oneshot::Sender<Reply>, outcome: Result<Vec<Entry>, AppendError>) {
    let reached = outcome.map(|entries| entries.into_iter().map(|entry| entry.recorded).collect());
    // A caller that stopped waiting finds its answer under its command id.
    let _ = reply.send(reached);
}
