//! The newest events, in memory.
//!
//! Whoever follows the log closely reads each event moments after it was committed. Those reads need
//! no database, which leaves it to the writer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::event::{Position, Recorded, Revision};
use crate::stream_name::StreamName;

const EVENTS_MAX: usize = 4_096;
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// An unbroken run of committed events, up to the last one this process appended.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Run>);

#[derive(Default)]
struct Run {
    events: VecDeque<Recorded>,
    leaf_bytes: usize,
}

impl Recent {
    /// Adds events that are durable, in order.
    pub(crate) fn push<'a>(&self, events: impl IntoIterator<Item = &'a Recorded>) {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            run.push(event.clone());
        }
    }

    /// At most `limit` events at `from` and after; `None` if `from` is not among the newest.
    pub(crate) fn read(&self, from: Position, limit: usize) -> Option<Vec<Recorded>> {
        let run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = run.events.front()?.position;
        let skipped = usize::try_from(from.get().checked_sub(first.get())?).ok()?;
        (skipped < run.events.len()).then(|| run.events.range(skipped..).take(limit).cloned().collect())
    }

    /// The events of a stream past revision `after`, out of all at `from` and later; `None` if not all of those are here.
    pub(crate) fn read_stream(&self, stream: &StreamName, after: Revision, from: Position) -> Option<Vec<Recorded>> {
        let run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = run.events.front()?.position;
        let skipped = usize::try_from(from.get().checked_sub(first.get())?).ok()?;
        let later = run.events.range(skipped.min(run.events.len())..);
        let wanted = later.filter(|event| event.revision > after && event.stream == *stream);
        Some(wanted.cloned().collect())
    }
}

impl Run {
    fn push(&mut self, event: Recorded) {
        let follows = self
            .events
            .back()
            .is_none_or(|last| last.position.next() == event.position);
        if !follows {
            // Another process appended in between.
            *self = Self::default();
        }
        self.leaf_bytes += event.leaf.len();
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.leaf_bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { return };
            self.leaf_bytes -= oldest.leaf.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn event(position: u64, leaf_bytes: usize) -> Recorded {
        Recorded {
            position: Position::new(position),
            stream: "app-1".parse().unwrap(),
            revision: Revision::new(position + 1),
            id: Uuid::from_u128(position.into()),
            name: "Noted".to_owned(),
            schema: 1,
            time: DateTime::UNIX_EPOCH,
            actor: "ada".to_owned(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            data: Bytes::new(),
            leaf: Bytes::from(vec![b' '; leaf_bytes]),
        }
    }

    fn positions(recent: &Recent, from: u64, limit: usize) -> Option<Vec<u64>> {
        let events = recent.read(Position::new(from), limit)?;
        Some(events.iter().map(|event| event.position.get()).collect())
    }

    #[test]
    fn only_what_is_kept_is_answered() {
        let recent = Recent::default();
        assert_eq!(positions(&recent, 0, 10), None);
        recent.push(&[event(5, 1), event(6, 1), event(7, 1)]);
        assert_eq!(positions(&recent, 4, 10), None);
        assert_eq!(positions(&recent, 5, 2), Some(vec![5, 6]));
        assert_eq!(positions(&recent, 7, 10), Some(vec![7]));
        assert_eq!(positions(&recent, 8, 10), None);
    }

    #[test]
    fn a_stream_is_read_from_memory_if_all_since_then_is_there() {
        let recent = Recent::default();
        let stream = event(0, 1).stream;
        let read = |after, from| {
            let events = recent.read_stream(&stream, Revision::new(after), Position::new(from))?;
            Some(events.iter().map(|event| event.position.get()).collect::<Vec<_>>())
        };
        assert_eq!(read(0, 0), None);
        let mut other = event(6, 1);
        other.stream = "app-2".parse().unwrap();
        recent.push(&[event(5, 1), other, event(7, 1)]);
        assert_eq!(read(0, 4), None);
        assert_eq!(read(0, 5), Some(vec![5, 7]));
        assert_eq!(read(6, 5), Some(vec![7]));
        assert_eq!(read(0, 6), Some(vec![7]));
        assert_eq!(read(8, 5), Some(vec![]));
        assert_eq!(read(0, 8), Some(vec![]));
    }

    #[test]
    fn a_gap_forgets_what_was_before_it() {
        let recent = Recent::default();
        recent.push(&[event(5, 1), event(9, 1)]);
        assert_eq!(positions(&recent, 5, 10), None);
        assert_eq!(positions(&recent, 9, 10), Some(vec![9]));
    }

    #[test]
    fn memory_is_bounded_by_events_and_by_bytes() {
        let recent = Recent::default();
        recent.push(&(0..5_000).map(|position| event(position, 1)).collect::<Vec<_>>());
        assert_eq!(positions(&recent, 903, 10), None);
        assert_eq!(positions(&recent, 904, 1), Some(vec![904]));
        recent.push(&[event(5_000, BYTES_MAX)]);
        assert_eq!(positions(&recent, 4_999, 10), None);
        assert_eq!(positions(&recent, 5_000, 10), Some(vec![5_000]));
    }
}
