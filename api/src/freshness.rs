//! Whether what this process shows can still be the truth.
//!
//! Rights are folded from the log like everything else. A process that is cut off from the log, or that was frozen,
//! would go on with rights that were taken back elsewhere; so it stops answering instead.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use eventstore::EventStore;
use projections::Views;

/// How often the end of the log is asked for; more often where the limit is short.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// When it was last known that the views show the whole log.
#[derive(Debug, Clone)]
pub struct Freshness {
    beginning: Instant,
    /// Milliseconds after the beginning.
    confirmed_ms: Arc<AtomicU64>,
    limit: Duration,
}

/// Nothing is answered from views that were last known to be whole longer ago than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this server last saw the end of the log {} s ago, and answers for {} only", age.as_secs(), humantime::format_duration(*limit))]
pub struct Stale {
    age: Duration,
    limit: Duration,
}

impl Freshness {
    /// Whole as of now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            beginning: Instant::now(),
            confirmed_ms: Arc::default(),
            limit,
        }
    }

    /// # Errors
    ///
    /// [`Stale`] if what the views show may be too old to answer from.
    pub fn check(&self) -> Result<(), Stale> {
        let confirmed = self.beginning + Duration::from_millis(self.confirmed_ms.load(Ordering::Relaxed));
        let age = confirmed.elapsed();
        let limit = self.limit;
        if age > limit { Err(Stale { age, limit }) } else { Ok(()) }
    }

    /// Asks for the end of the log again and again, and waits for the views to show it.
    pub(crate) async fn keep(self, log: EventStore, views: Views) {
        loop {
            let asked = Instant::now();
            match log.head().await {
                Ok(head) => {
                    views.reached(head.size).await;
                    self.confirm(asked);
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the end of the log could not be asked for"
                ),
            }
            tokio::time::sleep(ASK_INTERVAL.min(self.limit / 4)).await;
        }
    }

    /// The views show all that was in the log when it was `asked`; that may be longer ago than the answer.
    pub(crate) fn confirm(&self, asked: Instant) {
        let ms = asked.saturating_duration_since(self.beginning).as_millis();
        self.confirmed_ms
            .fetch_max(u64::try_from(ms).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_confirmed_for_longer_than_the_limit_is_stale() {
        let freshness = Freshness::new(Duration::from_secs(10));
        assert_eq!(freshness.check(), Ok(()));
        let aged = Freshness {
            beginning: Instant::now().checked_sub(Duration::from_secs(11)).unwrap(),
            ..freshness
        };
        let stale = aged.check().unwrap_err();
        assert_eq!(
            stale.to_string(),
            "this server last saw the end of the log 11 s ago, and answers for 10s only"
        );
        aged.confirm(aged.beginning + Duration::from_secs(2));
        assert_eq!(aged.check(), Ok(()));
        aged.confirm(aged.beginning);
        assert_eq!(aged.check(), Ok(()), "an answer that comes late takes nothing back");
    }
}
