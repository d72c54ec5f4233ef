//! Following the log.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backend::is_outage;
use crate::event::{Position, Recorded};
use crate::store::{EventStore, ReadError};

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
    /// The page after the one that was handed over last, while there is much to catch up with.
    ahead: Option<JoinHandle<Page>>,
}

type Page = Result<Vec<Recorded>, ReadError>;

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
                            self.read_ahead();
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

    async fn page(&mut self) -> Page {
        let Some(ahead) = &mut self.ahead else {
            return self.store.read(self.next, EVENTS_PER_BATCH).await;
        };
        // Dropped here, it is still there the next time.
        let page = ahead.await;
        self.ahead = None;
        match page {
            Ok(page) => page,
            Err(_) => self.store.read(self.next, EVENTS_PER_BATCH).await,
        }
    }

    /// Reads on while the caller works.
    fn read_ahead(&mut self) {
        let (store, next) = (self.store.clone(), self.next);
        self.ahead = Some(tokio::spawn(async move { store.read(next, EVENTS_PER_BATCH).await }));
    }
}
