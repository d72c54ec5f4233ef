//! A log to make promises about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eventstore::{Append, Clock, CommandKey, Context, EventStore, Guard, Mode, NewEvent, Revision, StreamName, Write};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

/// A fresh log under a clock of the test's own.
pub(crate) struct Log {
    pub(crate) store: EventStore,
    pub(crate) clock: TestClock,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Log {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("log.db").display());
        let clock = TestClock::default();
        let store = EventStore::open_with_clock(&url, Mode::Append, clock.clone())
            .await
            .unwrap();
        Self {
            store,
            clock,
            url,
            folder,
        }
    }

    /// Closes the log and opens it again.
    pub(crate) async fn reopen(&self) -> EventStore {
        self.store.close().await;
        EventStore::open_with_clock(&self.url, Mode::Append, self.clock.clone())
            .await
            .unwrap()
    }
}

/// Clocks that go only when told to.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<(DateTime<Utc>, Duration)>>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((moment(), Duration::ZERO))))
    }
}

impl TestClock {
    /// Time passes.
    pub(crate) fn pass(&self, time: Duration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 += time;
        clocks.1 += time;
    }

    /// Somebody sets the wall clock.
    pub(crate) fn jump(&self, by: TimeDelta) {
        self.0.lock().unwrap().0 += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// The time every test starts at.
pub(crate) fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_365_700_123).unwrap()
}

pub(crate) fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x0199, NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

pub(crate) fn event(name: &str) -> NewEvent {
    NewEvent {
        id: fresh_id(),
        name: name.to_owned(),
        schema: 1,
        data: json!({ "is": name }),
    }
}

pub(crate) fn write(to: &str, expected: u64, names: &[&str]) -> Write {
    let events = names.iter().map(|name| event(name)).collect();
    Write {
        stream: stream(to),
        expected: Revision::new(expected),
        events,
    }
}

pub(crate) fn guard(on: &str, revision: u64) -> Guard {
    Guard {
        stream: stream(on),
        revision: Revision::new(revision),
    }
}

/// An append of these writes by nobody in particular.
pub(crate) fn append(writes: Vec<Write>) -> Append {
    let context = Context {
        actor: "account-1".to_owned(),
        command: None,
        correlation_id: fresh_id(),
        causation_id: None,
    };
    Append {
        writes,
        guards: Vec::new(),
        context,
    }
}

/// One event of a type `Noted` at the end of a stream of `expected` events.
pub(crate) fn note(on: &str, expected: u64) -> Append {
    append(vec![write(on, expected, &["Noted"])])
}

pub(crate) fn by_command(mut append: Append, actor: &str, id: Uuid, request: u8) -> Append {
    append.context.actor = actor.to_owned();
    append.context.command = Some(CommandKey {
        id,
        request: [request; 32],
    });
    append
}
