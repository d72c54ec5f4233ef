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

use domain::{
    ids::{AccountId, RefusalId},
    refusal::Reason,
};
use governor::{Quota, RateLimiter};
use tokio::sync::Notify;

use crate::{
    commands::{CommandError, Giver, RecordRefusal},
    ids,
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
    /// What is being recorded. It stays here until it surely is: whoever was broken off, or got no answer, records it
    /// again under the same id, and the log holds it once.
    under_way: tokio::sync::Mutex<Option<RecordRefusal>>,
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
            while refusals.has_some().await {
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
        while self.has_some().await {
            self.record_one(services).await?;
        }
        Ok(())
    }

    async fn record_one(&self, services: &Services) -> Result<(), CommandError> {
        let mut under_way = self.0.under_way.lock().await;
        if under_way.is_none() {
            *under_way = self.take();
        }
        if let Some(record) = &*under_way {
            services.commands.run(Giver::System, record).await?;
        }
        *under_way = None;
        Ok(())
    }

    async fn has_some(&self) -> bool {
        let is_under_way = self.0.under_way.lock().await.is_some();
        is_under_way || !self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn add(&self, (account, reason): Kind, count: u64) {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = counts.contains_key(&(account, reason));
        let account = account.filter(|_| is_known || counts.len() < KINDS_MAX);
        let counted = counts.entry((account, reason)).or_default();
        *counted = counted.saturating_add(count);
    }

    fn take(&self) -> Option<RecordRefusal> {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let ((account, reason), count) = counts.pop_first()?;
        Some(RecordRefusal {
            id: RefusalId::from_uuid(ids::fresh()),
            account,
            reason,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use eventstore::Position;
    use uuid::Uuid;

    use super::*;
    use crate::config::{DataFolder, Limits, Log};

    fn take(refusals: &Refusals) -> Option<(Kind, u64)> {
        let record = refusals.take()?;
        Some(((record.account, record.reason), record.count))
    }

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
        assert_eq!(take(&refusals), Some(((None, Reason::UnknownName), 1)));
        assert_eq!(take(&refusals), Some(((Some(account(1)), Reason::WrongPassword), 3)));
        assert_eq!(take(&refusals), None);
    }

    #[test]
    fn however_many_accounts_are_tried_only_so_many_are_counted_apart() {
        let refusals = Refusals::default();
        let tried = KINDS_MAX as u128 + 50;
        for n in 0..tried {
            refusals.note(Some(account(n)), Reason::WrongPassword);
        }
        let counted: Vec<_> = std::iter::from_fn(|| take(&refusals)).collect();
        assert_eq!(counted.len(), KINDS_MAX + 1);
        assert_eq!(counted[0], ((None, Reason::WrongPassword), 50));
    }

    #[tokio::test]
    async fn whenever_recording_is_broken_off_every_attempt_is_recorded_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder {
            root: folder.path().join("data"),
            master_key: None,
            log: Log::default(),
        };
        let services = Services::open(data, Limits::from_environment()).await.unwrap();
        let refusals = Refusals::default();
        for n in 0..60 {
            refusals.note(None, Reason::UnknownToken);
            let recording = refusals.record_rest(&services);
            // Broken off or not: both are good.
            let _ = tokio::time::timeout(Duration::from_micros(n * 50), recording).await;
        }
        refusals.record_rest(&services).await.unwrap();
        let mut recorded = 0;
        for event in services.log.read(Position::new(0), 1000).await.unwrap() {
            let data: serde_json::Value = serde_json::from_slice(&event.data).unwrap();
            recorded += match event.name.as_str() {
                "SignInRefused" => data["count"].as_str().unwrap().parse::<u64>().unwrap(),
                _ => 0,
            };
        }
        assert_eq!(recorded, 60);
        services.close().await;
    }
}
