//! Moments of the log, as people write them.

use std::{error::Error, str::FromStr};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use projections::replay::size_at;

use super::offline::Offline;

/// A moment, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Right after the event there.
    Position(u64),
    /// Right after the last event until then.
    Time(DateTime<Utc>),
    /// After the last event there is.
    Now,
}

#[derive(Debug, thiserror::Error)]
#[error("a moment is a position such as 41, a time such as 2026-03-03T12:00:00Z, a day such as 2026-03-03, or now")]
pub struct InvalidMoment;

impl FromStr for At {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            let next = day
                .succ_opt()
                .and_then(|day| day.and_hms_opt(0, 0, 0))
                .ok_or(InvalidMoment)?;
            return Ok(Self::Time(next.and_utc() - TimeDelta::milliseconds(1)));
        }
        text.parse().map(Self::Time).map_err(|_| InvalidMoment)
    }
}

impl At {
    /// How many events had happened.
    pub async fn size(self, offline: &Offline) -> Result<u64, Box<dyn Error>> {
        let size = offline.log.head().await?.size;
        match self {
            Self::Now => Ok(size),
            Self::Time(time) => Ok(size_at(&offline.log, time).await?),
            Self::Position(position) if position < size => Ok(position + 1),
            Self::Position(position) => {
                Err(format!("position {position} is still to come: the log has {size} events").into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_positions_times_days_or_now() {
        let time = |text: &str| At::Time(text.parse().unwrap());
        for (text, moment) in [
            ("0", At::Position(0)),
            ("41", At::Position(41)),
            ("now", At::Now),
            ("2026-03-03", time("2026-03-03T23:59:59.999Z")),
            ("2026-03-03T12:00:00Z", time("2026-03-03T12:00:00Z")),
            ("2026-03-03T12:00:00+01:00", time("2026-03-03T11:00:00Z")),
        ] {
            assert_eq!(text.parse::<At>().unwrap(), moment, "{text}");
        }
        for text in ["", "-1", "yesterday", "2026-02-30", "12:00"] {
            assert!(text.parse::<At>().is_err(), "{text}");
        }
    }
}
