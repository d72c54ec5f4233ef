//! The one task that appends.
//!
//! It takes whatever waits in its queue, admits each request in the order of arrival, stores all that
//! were admitted in one transaction, commits once and only then answers. With one caller this costs
//! what a plain transaction costs; with many, one flush of the disk serves them all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::admission::{Entry, HeadRow, Ledger, VaultRow, WRITER_GENERATION, Work};
use crate::append::AppendError;
use crate::backend::{Backend, Batch, Changes, CommitError, Conditions, Found, is_outage};
use crate::clock::{JumpGuard, Jumped};
use crate::event::{Position, Recorded};
use crate::recent::Recent;
use crate::sighting::Sighting;
use crate::store::Identity;

/// Requests that may wait; further callers wait to be let in.
const QUEUE_MAX: usize = 4_096;
/// Most requests in one transaction.
const BATCH_MAX: usize = 512;
/// How often a batch is tried while the database is out of reach.
const OUTAGE_ATTEMPTS_MAX: usize = 6;
/// How often an unknown outcome is looked up before it is left unknown.
const SETTLE_ATTEMPTS_MAX: usize = 10;
/// Time for a database that went away to come back.
const OUTAGE_PAUSE: Duration = Duration::from_millis(500);

type Reply = Result<Vec<Recorded>, AppendError>;
/// What became of each request of a batch that was committed.
type Outcomes = Vec<Result<Vec<Entry>, AppendError>>;

struct Request {
    work: Work,
    reply: oneshot::Sender<Reply>,
}

/// What became of a batch.
enum Committed {
    Stored(Outcomes),
    /// Nothing was admitted, or it rested on what is not so.
    Nothing(Outcomes),
}

impl Committed {
    fn into_outcomes(self) -> Outcomes {
        match self {
            Self::Stored(outcomes) | Self::Nothing(outcomes) => outcomes,
        }
    }
}

/// Why a whole batch has no outcomes.
enum BatchError {
    /// Nothing of it is stored.
    Failed(sqlx::Error),
    /// The commit failed, and looking up whether it happened failed too.
    Unknown(sqlx::Error),
}

impl BatchError {
    fn into_refusal(self) -> AppendError {
        match self {
            Self::Unknown(error) => AppendError::OutcomeUnknown(Arc::new(error)),
            Self::Failed(error) if is_outage(&error) => AppendError::Unavailable(Arc::new(error)),
            Self::Failed(error) => AppendError::Database(error),
        }
    }
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
        identity: Identity,
        clock: Arc<JumpGuard>,
        recent: Arc<Recent>,
        sizes: watch::Sender<u64>,
    ) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn(
            Task {
                backend,
                identity,
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
    identity: Identity,
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
                    if received > 1 || !requests.is_empty() {
                        // Those who were answered may ask again at once, and then share the next flush with each other
                        // and with who waited.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }

    async fn store_together(&self, requests: Vec<Request>) {
        let (works, replies): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| (request.work, request.reply))
            .unzip();
        match self.commit_in_spite_of_outages(&works).await {
            Ok(outcomes) => replies
                .into_iter()
                .zip(outcomes)
                .for_each(|(reply, outcome)| answer(reply, outcome)),
            Err(BatchError::Unknown(error)) => refuse(replies, AppendError::OutcomeUnknown, error),
            Err(BatchError::Failed(error)) if is_outage(&error) => refuse(replies, AppendError::Unavailable, error),
            Err(BatchError::Failed(error)) => self.store_one_by_one(works, replies, error).await,
        }
    }

    /// After a batch failed: whichever request made it fail hurts only itself.
    async fn store_one_by_one(&self, works: Vec<Work>, replies: Vec<oneshot::Sender<Reply>>, error: sqlx::Error) {
        if works.len() == 1 {
            let alone = replies.into_iter().zip([error]);
            return alone.for_each(|(reply, error)| answer(reply, Err(AppendError::Database(error))));
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            requests = works.len(),
            "a batch failed; trying one by one"
        );
        for (work, reply) in works.into_iter().zip(replies) {
            let outcome = match self.commit_in_spite_of_outages(&[work]).await {
                Ok(mut outcomes) => outcomes.pop().unwrap_or(Err(AppendError::Closed)),
                Err(error) => Err(error.into_refusal()),
            };
            answer(reply, outcome);
        }
    }

    /// A database that went away and comes back, such as one that is restarted, costs its callers only time.
    async fn commit_in_spite_of_outages(&self, works: &[Work]) -> Result<Outcomes, BatchError> {
        let mut attempt = 1;
        loop {
            match self.commit(works).await {
                Err(BatchError::Failed(error)) if is_outage(&error) && attempt < OUTAGE_ATTEMPTS_MAX => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        attempt,
                        "the log is out of reach"
                    );
                    // The first failure may only mean that the connection did not outlive a restart.
                    if attempt > 1 {
                        tokio::time::sleep(OUTAGE_PAUSE).await;
                    }
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Stores every request that is admitted, in one transaction.
    async fn commit(&self, works: &[Work]) -> Result<Outcomes, BatchError> {
        if let [Work::Append(append)] = works
            && let Some((batch, found)) = self.backend.suppose(append).await?
            && let Committed::Stored(outcomes) = self.commit_in(batch, found, works).await?
        {
            return Ok(outcomes);
        }
        let (batch, found) = self.backend.begin(&conditions(works)).await?;
        self.commit_in(batch, found, works).await.map(Committed::into_outcomes)
    }

    async fn commit_in(&self, batch: Batch, found: Found, works: &[Work]) -> Result<Committed, BatchError> {
        let mut ledger = Ledger::new(found);
        let outcomes = self.admit(&mut ledger, works, batch.time());
        if outcomes.iter().all(Result::is_err) {
            batch.roll_back().await?;
            return Ok(Committed::Nothing(outcomes));
        }
        let events: Vec<&Entry> = outcomes.iter().flatten().flatten().collect();
        let changes = Changes {
            events: &events,
            answers: &ledger.answered,
            vault: &admitted_vault_rows(works, &outcomes),
            sightings: &sightings(works),
            head: &ledger.head,
            now: self.clock.unchecked_now(batch.time()),
        };
        match batch.commit(&changes).await {
            Ok(()) => {}
            Err(CommitError::Mistaken) => return Ok(Committed::Nothing(Vec::new())),
            Err(CommitError::NotStored(error)) => return Err(BatchError::Failed(error)),
            Err(CommitError::InDoubt(error)) => self.settle(error, events.first().copied()).await?,
        }
        // In this order: whoever learns the size finds the events in memory.
        self.recent.push(events.iter().map(|entry| &entry.recorded));
        publish(&self.sizes, ledger.head.frontier.size());
        Ok(Committed::Stored(outcomes))
    }

    fn admit(&self, ledger: &mut Ledger, works: &[Work], database_time: Option<DateTime<Utc>>) -> Outcomes {
        let admit = |work| {
            self.check_head(&ledger.head)?;
            match self.clock.now(database_time) {
                Ok(now) => ledger.admit(work, now),
                Err(Jumped { ahead_seconds }) => Err(AppendError::ClockJumped { ahead_seconds }),
            }
        };
        works.iter().map(admit).collect()
    }

    fn check_head(&self, head: &HeadRow) -> Result<(), AppendError> {
        let oldest_writer = head.oldest_writer;
        if oldest_writer > WRITER_GENERATION {
            return Err(AppendError::Superseded {
                oldest_writer,
                own: WRITER_GENERATION,
            });
        }
        if head.identity != self.identity || head.frontier.size() < *self.sizes.borrow() {
            return Err(AppendError::Replaced);
        }
        Ok(())
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
                Err(_) => tokio::time::sleep(OUTAGE_PAUSE).await,
            }
        }
        Err(BatchError::Unknown(failure))
    }

    /// The lock of the log waits for the commit in doubt, so what is seen under it is final.
    async fn event_id_at(&self, position: Position) -> sqlx::Result<Option<Uuid>> {
        let (mut batch, _) = self.backend.begin(&Conditions::default()).await?;
        let id = batch.event_id_at(position).await?;
        batch.roll_back().await?;
        Ok(id)
    }
}

async fn asked_to_close(closed: &mut watch::Receiver<bool>) {
    if closed.wait_for(|closed| *closed).await.is_err() {
        // Every handle was dropped, so the queue ends by itself.
        std::future::pending::<()>().await;
    }
}

fn conditions(works: &[Work]) -> Conditions<'_> {
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
            Work::Vault(_) | Work::See(_) => {}
        }
    }
    Conditions {
        streams: Vec::from_iter(streams),
        commands: Vec::from_iter(commands),
    }
}

fn admitted_vault_rows<'a>(works: &'a [Work], outcomes: &Outcomes) -> Vec<&'a VaultRow> {
    let admitted = |(work, outcome): (&'a Work, &Result<_, _>)| match (work, outcome) {
        (Work::Vault(row), Ok(_)) => Some(row),
        _ => None,
    };
    works.iter().zip(outcomes).filter_map(admitted).collect()
}

fn sightings(works: &[Work]) -> Vec<&Sighting> {
    let seen = works.iter().filter_map(|work| match work {
        Work::See(sightings) => Some(sightings),
        _ => None,
    });
    seen.flatten().collect()
}

/// Tells those who follow how long the log is. News may arrive late, and in any order.
pub(crate) fn publish(sizes: &watch::Sender<u64>, size: u64) {
    sizes.send_if_modified(|known| {
        let grown = size > *known;
        *known = size.max(*known);
        grown
    });
}

fn refuse(replies: Vec<oneshot::Sender<Reply>>, why: fn(Arc<sqlx::Error>) -> AppendError, error: sqlx::Error) {
    let error = Arc::new(error);
    for reply in replies {
        answer(reply, Err(why(Arc::clone(&error))));
    }
}

fn answer(reply: oneshot::Sender<Reply>, outcome: Result<Vec<Entry>, AppendError>) {
    let reached = outcome.map(|entries| entries.into_iter().map(|entry| entry.recorded).collect());
    // A caller that stopped waiting finds its answer under its command id.
    let _ = reply.send(reached);
}
