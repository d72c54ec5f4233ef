//! When something was last seen: no history, so it is kept outside the log, and a copy of the log leaves it out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::admission::Work;
use crate::append::AppendError;
use crate::store::{EventStore, ReadError};

/// Made when a log is opened to be appended to, if it is missing: it is not part of the log. Both databases read this.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS sighting (subject text PRIMARY KEY, seen_ms bigint NOT NULL)";
/// What was seen stays seen: a late report of an earlier sighting changes nothing.
pub(crate) const STORE: &str = "INSERT INTO sighting (subject, seen_ms) VALUES ($1, $2)
    ON CONFLICT (subject) DO UPDATE SET seen_ms = excluded.seen_ms WHERE excluded.seen_ms > sighting.seen_ms";
pub(crate) const FIND: &str = "SELECT seen_ms FROM sighting WHERE subject = $1";

/// That something was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What was seen, in the caller's words.
    pub subject: String,
    pub at: DateTime<Utc>,
}

impl EventStore {
    /// Keeps when things were seen, each by its latest sighting. Durable when this returns.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if the database fails; sightings may be told again then.
    pub async fn see(&self, sightings: Vec<Sighting>) -> Result<(), AppendError> {
        self.store(Work::See(sightings)).await.map(drop)
    }

    /// When those of `subjects` that were ever seen were seen last, to the millisecond.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the database fails.
    pub async fn last_seen(&self, subjects: &[String]) -> Result<HashMap<String, DateTime<Utc>>, ReadError> {
        let mut seen = HashMap::new();
        for subject in subjects {
            let found = self.backend().last_seen(subject).await?;
            let at = found.and_then(DateTime::from_timestamp_millis);
            seen.extend(at.map(|at| (subject.clone(), at)));
        }
        Ok(seen)
    }
}
