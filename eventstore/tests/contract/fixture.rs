//! A log to make promises about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eventstore::{Append, Clock, CommandKey, Context, EventStore, Guard, Mode, NewEvent, Revision, StreamName, Write};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres_server::Server;

/// A fresh log under a clock of the test's own.
pub(crate) struct Log {
    pub(crate) store: EventStore,
    pub(crate) clock: TestClock,
    pub(crate) place: Place,
}

impl Log {
    pub(crate) async fn sqlite() -> Self {
        Self::make(Place::sqlite()).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::make(Place::postgres().await).await
    }

    async fn make(place: Place) -> Self {
        let clock = TestClock::default();
        let store = EventStore::open_with_clock(&place.url, Mode::Append, clock.clone())
            .await
            .unwrap();
        Self { store, clock, place }
    }

    /// Closes the log and opens it again.
    pub(crate) async fn reopen(&self) -> EventStore {
        self.store.close().await;
        EventStore::open_with_clock(&self.place.url, Mode::Append, self.clock.clone())
            .await
            .unwrap()
    }
}

/// A database in which there may be a log.
pub(crate) struct Place {
    pub(crate) url: String,
    /// Where the file is, if it is one.
    pub(crate) folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite://{}", folder.path().join("log.db").display()),
            folder: Some(folder),
        }
    }

    pub(crate) async fn postgres() -> Self {
        Self {
            url: Server::shared().database().await,
            folder: None,
        }
    }

    /// Another of the same kind, with nothing in it.
    pub(crate) async fn another(&self) -> Self {
        match self.folder {
            Some(_) => Self::sqlite(),
            None => Self::postgres().await,
        }
    }

    /// A backup of a log that nobody has open.
    pub(crate) async fn copy(&self) -> Self {
        if let Some(folder) = &self.folder {
            let copy = Self::sqlite();
            let to = copy.folder.as_ref().unwrap().path().join("log.db");
            std::fs::copy(folder.path().join("log.db"), to).unwrap();
            return copy;
        }
        let url = Server::shared().copy_of(self.url.rsplit_once('/').unwrap().1).await;
        Self { url, folder: None }
    }

    /// The files of a log that somebody has open, as they would outlive that process.
    pub(crate) fn copy_as_it_is(&self) -> Self {
        let copy = Self::sqlite();
        for file in ["log.db", "log.db-wal"] {
            let [from, to] = [self, &copy].map(|place| place.folder.as_ref().unwrap().path().join(file));
            std::fs::copy(from, to).unwrap();
        }
        copy
    }

    /// What somebody with another program does to the database, in either dialect.
    pub(crate) async fn run(&self, sqlite: &str, postgres: &str) -> sqlx::Result<()> {
        let sql = |text: &str| sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        if self.folder.is_some() {
            let options: SqliteConnectOptions = self.url.parse()?;
            let mut connection = options.create_if_missing(true).connect().await?;
            let outcome = sql(sqlite).execute(&mut connection).await;
            connection.close().await?;
            outcome.map(drop)
        } else {
            let mut connection = PgConnection::connect(&self.url).await?;
            let outcome = sql(postgres).execute(&mut connection).await;
            connection.close().await?;
            outcome.map(drop)
        }
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

    fn agreed(&self, _database: DateTime<Utc>) -> DateTime<Utc> {
        self.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// The time every test starts at.
pub(crate) fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_365_700_123).unwrap()
}

/// No two tests share an id, and no two processes either.
pub(crate) fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(std::process::id().into(), NEXT.fetch_add(1, Ordering::Relaxed))
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
