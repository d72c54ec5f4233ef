//! When tokens were last used, to the minute: no fact of the log, and no burden on requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::ids::TokenId;
use eventstore::{AppendError, EventStore, ReadError, Sighting};
use tokio::sync::Notify;

/// How long what was noted waits for more before it is kept.
const GATHERING_TIME: Duration = Duration::from_millis(500);
/// How long the database is left alone after it could not be written.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// Uses that are noted, and kept in the background. Clones share them.
#[derive(Clone, Default)]
pub struct LastUse(Arc<Noted>);

#[derive(Default)]
struct Noted {
    /// The minute of each token's last use in this process, and whether it is kept already.
    minutes: Mutex<HashMap<TokenId, (DateTime<Utc>, Kept)>>,
    news: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    NotYet,
}

impl LastUse {
    /// Notes a use. Within a minute the first one counts, so a token costs at most one write in a minute.
    pub fn note(&self, token: TokenId, at: DateTime<Utc>) {
        let Ok(minute) = at.duration_trunc(TimeDelta::minutes(1)) else {
            return;
        };
        let mut minutes = self.0.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.get(&token).is_some_and(|(noted, _)| *noted >= minute) {
            return;
        }
        minutes.insert(token, (minute, Kept::NotYet));
        drop(minutes);
        self.0.news.notify_one();
    }

    /// Keeps what is noted, for ever.
    pub async fn keep_keeping(self, log: EventStore) {
        loop {
            self.0.news.notified().await;
            tokio::time::sleep(GATHERING_TIME).await;
            if let Err(error) = self.keep(&log).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the last uses of tokens could not be kept"
                );
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }

    /// Keeps what is noted and not kept yet.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if the database fails; what was noted until then is known to this process only.
    pub async fn keep(&self, log: &EventStore) -> Result<(), AppendError> {
        let new = self.not_kept();
        log.see(
            new.iter()
                .map(|(token, at)| Sighting {
                    subject: subject(token),
                    at: *at,
                })
                .collect(),
        )
        .await?;
        // Only now: whoever is broken off before leaves it to the next one.
        self.mark_kept(&new);
        Ok(())
    }

    /// When each of these tokens was last used, by this process or any other; to the minute.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails.
    pub async fn of(&self, log: &EventStore, tokens: &[TokenId]) -> Result<HashMap<TokenId, DateTime<Utc>>, ReadError> {
        let subjects: Vec<_> = tokens.iter().map(subject).collect();
        let kept = log.last_seen(&subjects).await?;
        let noted = self.0.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |token: &TokenId| {
            let here = noted.get(token).map(|(minute, _)| *minute);
            let last = here.max(kept.get(&subject(token)).copied())?;
            Some((*token, last))
        };
        Ok(tokens.iter().filter_map(last).collect())
    }

    fn not_kept(&self) -> Vec<(TokenId, DateTime<Utc>)> {
        let minutes = self.0.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = minutes.iter().filter(|(_, (_, kept))| *kept == Kept::NotYet);
        new.map(|(token, (at, _))| (*token, *at)).collect()
    }

    fn mark_kept(&self, kept: &[(TokenId, DateTime<Utc>)]) {
        let mut minutes = self.0.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        for (token, at) in kept {
            // A use of a later minute may have been noted meanwhile.
            if let Some(noted) = minutes.get_mut(token).filter(|(noted, _)| noted == at) {
                noted.1 = Kept::Yes;
            }
        }
    }
}

fn subject(token: &TokenId) -> String {
    format!("token-{token}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_token_is_kept_once_a_minute_however_often_it_is_used() {
        let (uses, token) = (LastUse::default(), TokenId::from_uuid(Uuid::from_u128(1)));
        uses.note(token, at(61));
        uses.note(token, at(62));
        assert_eq!(uses.not_kept(), [(token, at(60))]);
        uses.mark_kept(&[(token, at(60))]);
        uses.note(token, at(119));
        assert_eq!(uses.not_kept(), []);
        uses.note(token, at(120));
        uses.mark_kept(&[(token, at(60))]);
        assert_eq!(uses.not_kept(), [(token, at(120))]);
    }
}
