//! The one door to the wall clock.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The time after a while; `None` if there is no such time.
#[must_use]
pub fn after(duration: Duration) -> Option<DateTime<Utc>> {
    now().checked_add_signed(TimeDelta::from_std(duration).ok()?)
}

/// The time of now, in whole milliseconds, as the log keeps it.
#[must_use]
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    Utc::now().trunc_subsecs(3)
}
