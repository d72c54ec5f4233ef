//! Failed attempts, on their way to the log: counted in memory, recorded in order, bounded.
//!
//! The first of a kind is recorded at once. Who goes on trying makes the count of one record grow, not the log: there
//! are at most [`BURST`] records at once, and then one in [`INTERVAL`].

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{ids::AccountId, refusal::Reason};
use governor::{Quota, RateLimiter};
use tokio::sync::Notify;

use crate::{
    commands::{CommandError, Giver, RecordRefusal},
    services::Services,
};

/// Records that may follow each other at once.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// How often there is one more then: 8,640 a day.
const INTERVAL: Duration = Duration::from_secs(10);
/// Kinds that are counted apart. What goes beyond is counted by its reason alone.
const KINDS_MAX: usize = 200;
/// How long the log is left alone after it could not be written.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Whose account it was about, if that is known, and why it was refused.
type Kind = (Option<AccountId>, Reason);

/// Failed attempts that are not recorded yet. Clones share them.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Pending>);

#[derive(Default)]
struct Pending {
    counts: Mutex<BTreeMap<Kind, u64>>,
    noted: Notify,
}

impl Refusals {
    /// Counts a failed attempt.
    pub fn note(&self, account: Option<AccountId>, reason: Reason) {
        self.add((account, reason), 1);
        self.0.noted.notify_one();
    }

    /// Records what is counted, for ever.
    pub async fn keep_recording(services: Services) {
        let quota = Quota::with_period(INTERVAL).unwrap_or_else(|| Quota::per_minute(BURST));
        let pace = RateLimiter::direct(quota.allow_burst(BURST));
        let refusals = services.auth.refusals.clone();
        loop {
            refusals.0.noted.notified().await;
            while !refusals.is_empty() {
                pace.until_ready().await;
                if let Err(error) = refusals.record_one(&services).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "failed attempts to sign in could not be recorded; trying again"
                    );
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// Records what is left, when the server stops.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the log cannot be written; the rest is lost with the process.
    pub async fn record_rest(&self, services: &Services) -> Result<(), CommandError> {
        while !self.is_empty() {
            self.record_one(services).await?;
        }
        Ok(())
    }

    async fn record_one(&self, services: &Services) -> Result<(), CommandError> {
        let Some((kind, count)) = self.take() else {
            return Ok(());
        };
        let (account, reason) = kind;
        let record = RecordRefusal { account, reason, count };
        let recorded = services.commands.run(Giver::System, &record).await;
        recorded.map(drop).inspect_err(|_| self.add(kind, count))
    }

    fn add(&self, (account, reason): Kind, count: u64) {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = counts.contains_key(&(account, reason));
        let account = account.filter(|_| is_known || counts.len() < KINDS_MAX);
        let counted = counts.entry((account, reason)).or_default();
        *counted = counted.saturating_add(count);
    }

    fn take(&self) -> Option<(Kind, u64)> {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.pop_first()
    }

    fn is_empty(&self) -> bool {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(n: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn attempts_of_a_kind_are_counted_together() {
        let refusals = Refusals::default();
        for _ in 0..3 {
            refusals.note(Some(account(1)), Reason::WrongPassword);
        }
        refusals.note(None, Reason::UnknownName);
        assert_eq!(refusals.take(), Some(((None, Reason::UnknownName), 1)));
        assert_eq!(refusals.take(), Some(((Some(account(1)), Reason::WrongPassword), 3)));
        assert_eq!(refusals.take(), None);
    }

    #[test]
    fn however_many_accounts_are_tried_only_so_many_are_counted_apart() {
        let refusals = Refusals::default();
        let tried = KINDS_MAX as u128 + 50;
        for n in 0..tried {
            refusals.note(Some(account(n)), Reason::WrongPassword);
        }
        let counted: Vec<_> = std::iter::from_fn(|| refusals.take()).collect();
        assert_eq!(counted.len(), KINDS_MAX + 1);
        assert_eq!(counted[0], ((None, Reason::WrongPassword), 50));
    }
}
