//! Following the log.

use std::time::Duration;

use tokio::sync::watch;

use crate::event::{Position, Recorded};
use crate::store::{EventStore, ReadError};

/// Most events handed over at once.
const EVENTS_PER_BATCH: usize = 1_000;
/// How long a follower trusts that it would have been woken.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// All events from a position on, each once, in order: first those stored already, then live.
///
/// The cursor is the position of the next event. It is the subscriber's to keep; a subscription that
/// starts from a kept position goes on where the last one stopped. Dropping it ends it.
pub struct Subscription {
    store: EventStore,
    size: watch::Receiver<u64>,
    next: Position,
}

impl Subscription {
    pub(crate) fn new(store: EventStore, from: Position) -> Self {
        let size = store.size();
        Self {
            store,
            size,
            next: from,
        }
    }

    /// The position of the next event this subscription will hand over.
    #[must_use]
    pub fn position(&self) -> Position {
        self.next
    }

    /// Waits for the next events: at least one, at most 1,000.
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
            let events = self.store.read(self.next, EVENTS_PER_BATCH).await?;
            if let Some(last) = events.last() {
                self.next = last.position.next();
                return Ok(events);
            }
        }
    }
}
