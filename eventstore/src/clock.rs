//! The one door through which time enters the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// How far the wall clock may run ahead of the monotonic one before appends stop, in seconds.
const AHEAD_MAX_SECONDS: i64 = 600;

/// Where the log reads time. Tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// The time of day. It may jump in either direction.
    fn now(&self) -> DateTime<Utc>;

    /// The time of day for a log whose database has a clock of its own, which says `database`.
    ///
    /// Processes that append to one log must not disagree about the time, so the database decides.
    fn agreed(&self, database: DateTime<Utc>) -> DateTime<Utc> {
        database
    }

    /// Time passed since some fixed moment of this process. It never jumps.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock everybody else is told to ask"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Compares the wall clock with the monotonic one since both were last believed.
///
/// A time that was wrong for a minute would be wrong in the log for ever, and would hold every
/// later leaf at that wrong future, because time in a leaf never goes back.
pub(crate) struct JumpGuard {
    clock: Box<dyn Clock>,
    offsets: Mutex<Offsets>,
}

/// Wall clock minus monotonic clock.
struct Offsets {
    /// When both were last believed.
    believed: TimeDelta,
    /// When they were last looked at.
    seen: TimeDelta,
}

/// The wall clock ran ahead of the monotonic one by this much.
pub(crate) struct Jumped {
    pub(crate) ahead_seconds: i64,
}

impl JumpGuard {
    /// `database` is the time of a database that has a clock of its own.
    pub(crate) fn new(clock: Box<dyn Clock>, database: Option<DateTime<Utc>>) -> Self {
        let believed = offset(&*clock, wall(&*clock, database));
        Self {
            clock,
            offsets: Mutex::new(Offsets {
                believed,
                seen: believed,
            }),
        }
    }

    /// The time of day, unless it jumped ahead.
    pub(crate) fn now(&self, database: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, Jumped> {
        let now = self.unchecked_now(database);
        let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.seen = offset(&*self.clock, now);
        let ahead_seconds = (offsets.seen - offsets.believed).num_seconds();
        if ahead_seconds > AHEAD_MAX_SECONDS {
            Err(Jumped { ahead_seconds })
        } else {
            Ok(now)
        }
    }

    /// The time of day as it is, for what is not in the log.
    pub(crate) fn unchecked_now(&self, database: Option<DateTime<Utc>>) -> DateTime<Utc> {
        wall(&*self.clock, database)
    }

    /// Believes the time of day as it was last seen.
    pub(crate) fn accept(&self) {
        let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.believed = offsets.seen;
    }
}

fn wall(clock: &dyn Clock, database: Option<DateTime<Utc>>) -> DateTime<Utc> {
    database.map_or_else(|| clock.now(), |database| clock.agreed(database))
}

fn offset(clock: &dyn Clock, now: DateTime<Utc>) -> TimeDelta {
    let monotonic = TimeDelta::from_std(clock.monotonic()).unwrap_or(TimeDelta::MAX);
    now - DateTime::UNIX_EPOCH - monotonic
}
