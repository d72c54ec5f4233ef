//! The one door to the wall clock.

use chrono::{DateTime, SubsecRound, Utc};

/// The time of now, in whole milliseconds, as the log keeps it.
#[must_use]
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    Utc::now().trunc_subsecs(3)
}
