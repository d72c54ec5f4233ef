//! Following the log.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backend::{StoredLeaf, is_outage};
use crate::event::{Position, Recorded};
use crate::store::{EventStore, ReadError, recorded};

/// Most events handed over at once.
const EVENTS_PER_BATCH: usize = 1_000;
/// How long a follower trusts that it would have been woken.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time for a database that went away to come back.
const OUTAGE_PAUSE: Duration = Duration::from_millis(250);

/// All events from a position on, each once, in order: first those stored already, then live.
///
/// The cursor is the position of the next event. It is the subscriber's to keep; a subscription that
/// starts from a kept position goes on where the last one stopped. Dropping it ends it.
pub struct Subscription {
    store: EventStore,
    size: watch::Receiver<u64>,
    next: Position,
    /// The next page, or the one after it, while there is much to catch up with.
    ahead: Option<Ahead>,
}

struct Ahead {
    from: Position,
    leaves: JoinHandle<sqlx::Result<Vec<StoredLeaf>>>,
}

impl Subscription {
    pub(crate) fn new(store: EventStore, from: Position) -> Self {
        let size = store.size();
        Self {
            store,
            size,
            next: from,
            ahead: None,
        }
    }

    /// The position of the next event this subscription will hand over.
    #[must_use]
    pub fn position(&self) -> Position {
        self.next
    }

    /// Waits for the next events: at least one, at most 1,000. While the database is out of reach it waits, too.
    ///
    /// Nothing is lost if the future is dropped before it is done.
    ///
    /// # Errors
    ///
    /// [`ReadError::Closed`] once the store is closed. After any other error, calling again tries again.
    pub async fn next(&mut self) -> Result<Vec<Recorded>, ReadError> {
        loop {
            let next = self.next.get();
            let waited = tokio::time::timeout(POLL_INTERVAL, self.size.wait_for(|size| *size > next)).await;
            if matches!(waited, Ok(Err(_))) {
                return Err(ReadError::Closed);
            }
            drop(waited);
            match self.page().await {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.next = last.position.next();
                        if events.len() == EVENTS_PER_BATCH {
                            self.read_ahead(self.next);
                        }
                        return Ok(events);
                    }
                }
                Err(ReadError::Database(error)) if is_outage(&error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a subscription waits for the log to come back"
                    );
                    tokio::time::sleep(OUTAGE_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn page(&mut self) -> Result<Vec<Recorded>, ReadError> {
        let leaves = match &mut self.ahead {
            // Dropped here, it is still there the next time.
            Some(ahead) if ahead.from == self.next => {
                let leaves = (&mut ahead.leaves).await;
                self.ahead = None;
                leaves
            }
            _ => return self.store.read(self.next, EVENTS_PER_BATCH).await,
        };
        let Ok(leaves) = leaves else {
            return self.store.read(self.next, EVENTS_PER_BATCH).await;
        };
        let leaves = leaves?;
        if leaves.len() == EVENTS_PER_BATCH {
            self.read_ahead(Position::new(self.next.get() + EVENTS_PER_BATCH as u64));
        }
        recorded(leaves)
    }

    /// Reads a page while the caller works, and while the page before it is parsed.
    fn read_ahead(&mut self, from: Position) {
        if self.ahead.as_ref().is_some_and(|ahead| ahead.from == from) {
            return;
        }
        let store = self.store.clone();
        let leaves = tokio::spawn(async move { store.backend().read(from, EVENTS_PER_BATCH).await });
        self.ahead = Some(Ahead { from, leaves });
    }
}
