//! The one task that appends.
//!
//! It takes whatever waits in its queue, admits each request in the order of arrival, stores all that
//! were admitted in one transaction, commits once and only then answers. With one caller this costs
//! what a plain transaction costs; with many, one flush of the disk serves them all.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::admission::{Entry, Ledger, WRITER_GENERATION, Work};
use crate::append::AppendError;
use crate::backend::{Backend, Batch};
use crate::clock::{JumpGuard, Jumped};
use crate::event::Recorded;

/// Requests that may wait; further callers wait to be let in.
const QUEUE_MAX: usize = 4_096;
/// Most requests in one transaction.
const BATCH_MAX: usize = 512;
/// How often an unknown outcome is looked up before it is left unknown.
const SETTLE_ATTEMPTS_MAX: usize = 3;

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
    pub(crate) fn start(backend: Backend, clock: Arc<JumpGuard>, sizes: watch::Sender<u64>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn(Task { backend, clock, sizes }.run(requests, closed));
        Self { queue, closing, task: Mutex::new(Some(task)) }
    }

    pub(crate) async fn store(&self, work: Work) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Request { work, reply }).await.map_err(|_| AppendError::Closed)?;
        answer.await.unwrap_or(Err(AppendError::Closed))
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
    sizes: watch::Sender<u64>,
}

impl Task {
    async fn run(self, mut requests: mpsc::Receiver<Request>, mut closed: watch::Receiver<bool>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                // Also when the last handle was dropped: then the queue ends by itself.
                Ok(_) = closed.wait_for(|closed| *closed), if !requests.is_closed() => requests.close(),
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
        let (works, replies): (Vec<_>, Vec<_>) = requests.into_iter().map(|Request { work, reply }| (work, reply)).unzip();
        match self.commit(&works).await {
            Ok(outcomes) => replies.into_iter().zip(outcomes).for_each(|(reply, outcome)| answer(reply, outcome)),
            Err(BatchError::Unknown(error)) => {
                let error = Arc::new(error);
                for reply in replies {
                    answer(reply, Err(AppendError::OutcomeUnknown(Arc::clone(&error))));
                }
            }
            Err(BatchError::Failed(error)) if works.len() == 1 => {
                replies.into_iter().for_each(|reply| answer(reply, Err(AppendError::Database(error))));
            }
            Err(BatchError::Failed(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, requests = works.len(), "a batch failed; trying one by one");
                self.store_apart(works, replies).await;
            }
        }
    }

    /// After a batch failed: whichever request made it fail shall hurt only itself.
    async fn store_apart(&self, works: Vec<Work>, replies: Vec<oneshot::Sender<Reply>>) {
        for (work, reply) in works.into_iter().zip(replies) {
            let outcome = match self.commit(&[work]).await {
                Ok(outcomes) => outcomes.into_iter().next().unwrap_or(Err(AppendError::Closed)),
                Err(BatchError::Failed(error)) => Err(AppendError::Database(error)),
                Err(BatchError::Unknown(error)) => Err(AppendError::OutcomeUnknown(Arc::new(error))),
            };
            answer(reply, outcome);
        }
    }
}
