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
    /// Wall clock minus monotonic clock at the moment both were last believed.
    believed_offset: Mutex<TimeDelta>,
}

/// The wall clock ran ahead of the monotonic one by this much.
pub(crate) struct Jumped {
    pub(crate) ahead_seconds: i64,
}

impl JumpGuard {
    pub(crate) fn new(clock: impl Clock) -> Self {
        let believed_offset = Mutex::new(offset(&clock));
        Self {
            clock: Box::new(clock),
            believed_offset,
        }
    }

    /// The wall clock, unless it jumped ahead.
    pub(crate) fn now(&self) -> Result<DateTime<Utc>, Jumped> {
        let believed = *self.believed_offset.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead_seconds = (offset(&*self.clock) - believed).num_seconds();
        if ahead_seconds > AHEAD_MAX_SECONDS {
            Err(Jumped { ahead_seconds })
        } else {
            Ok(self.clock.now())
        }
    }

    /// The wall clock as it is, for what is not in the log.
    pub(crate) fn unchecked_now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Believes the wall clock as it is now.
    pub(crate) fn accept(&self) {
        let mut believed = self.believed_offset.lock().unwrap_or_else(PoisonError::into_inner);
        *believed = offset(&*self.clock);
    }
}

fn offset(clock: &dyn Clock) -> TimeDelta {
    let monotonic = TimeDelta::from_std(clock.monotonic()).unwrap_or(TimeDelta::MAX);
    clock.now() - DateTime::UNIX_EPOCH - monotonic
}
