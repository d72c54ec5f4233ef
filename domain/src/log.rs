//! The log itself: what the event store records of it, among the facts of everything else.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The streams of these facts start with this.
pub const CATEGORY: &str = "log";

/// The facts of the log's own life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The log was found older than it is remembered to have been: a backup was restored. What was published of the
    /// lost events names the old epoch, so nobody takes the events that follow for those.
    LogRestored {
        /// The epoch that begins.
        epoch: Uuid,
        /// Log id and epoch of what was lost.
        origin: String,
        /// The RFC 6962 root of what was lost, in hexadecimal.
        root: String,
        /// How many events there had been, as decimal digits.
        size: String,
    },
}
