//! Logs, and what is appended to them: one event with 600 bytes of data, the tenth of a stream at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eventstore::{Append, CommandKey, Context, EventStore, Mode, NewEvent, Position, Revision, Write};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::postgres_server::Server;

const EVENTS_PER_STREAM: u64 = 10;
const DATA_BYTES: usize = 600;
/// Streams that one append of a bulk load fills.
const STREAMS_PER_LOAD: u64 = 100;
const LOADERS: usize = 8;
/// The last event of a tailed log has this type.
pub(crate) const LAST: &str = "Last";

#[derive(Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

pub(crate) struct Place {
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub(crate) async fn fresh(self) -> Place {
        match self {
            Self::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                Place {
                    url: format!("sqlite://{}", folder.path().join("log.db").display()),
                    _folder: Some(folder),
                }
            }
            Self::Postgres => Place {
                url: Server::shared().database().await,
                _folder: None,
            },
        }
    }
}

impl Place {
    pub(crate) async fn open(&self) -> EventStore {
        EventStore::open(&self.url, Mode::Append).await.unwrap()
    }

    /// What the server does by itself some time after a bulk load.
    pub(crate) async fn analyze(&self) {
        if self.url.starts_with("postgres") {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
            let database = self.url.rsplit_once('/').unwrap().1;
            let mut administrator = Server::shared().administrator(database).await;
            sqlx::raw_sql("CHECKPOINT").execute(&mut administrator).await.unwrap();
        }
    }
}

/// How fast a number of writers were.
pub(crate) struct Speed {
    /// Appends per second.
    pub(crate) rate: f64,
    pub(crate) p99_ms: f64,
}

pub(crate) struct Load {
    store: EventStore,
    streams: Arc<AtomicU64>,
}

impl Load {
    pub(crate) fn new(store: &EventStore) -> Self {
        Self {
            store: store.clone(),
            streams: Arc::default(),
        }
    }

    /// `writers` append at once, each waiting for its last append.
    pub(crate) async fn appends(&mut self, writers: usize, time: Duration) -> Speed {
        self.run(writers, time, None).await
    }

    /// The same, one append per transaction.
    pub(crate) async fn appends_one_by_one(&mut self, writers: usize, time: Duration) -> Speed {
        self.run(writers, time, Some(Arc::default())).await
    }

    async fn run(&mut self, writers: usize, time: Duration, turn: Option<Arc<Mutex<()>>>) -> Speed {
        let stop = Arc::new(AtomicBool::new(false));
        let started = Instant::now();
        let writers: Vec<_> = (0..writers)
            .map(|_| {
                tokio::spawn(write_until(
                    self.store.clone(),
                    Arc::clone(&self.streams),
                    turn.clone(),
                    Arc::clone(&stop),
                ))
            })
            .collect();
        tokio::time::sleep(time).await;
        stop.store(true, Ordering::Relaxed);
        let mut latencies: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
        let seconds = started.elapsed().as_secs_f64();
        latencies.sort_unstable();
        Speed {
            rate: latencies.len() as f64 / seconds,
            p99_ms: latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e3,
        }
    }
}

async fn write_until(
    store: EventStore,
    streams: Arc<AtomicU64>,
    turn: Option<Arc<Mutex<()>>>,
    stop: Arc<AtomicBool>,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    loop {
        let stream = stream_name("w", streams.fetch_add(1, Ordering::Relaxed));
        for revision in 0..EVENTS_PER_STREAM {
            if stop.load(Ordering::Relaxed) {
                return latencies;
            }
            let asked = Instant::now();
            let _turn = match &turn {
                Some(turn) => Some(turn.lock().await),
                None => None,
            };
            store.append(append(vec![write(&stream, revision, 1)])).await.unwrap();
            latencies.push(asked.elapsed());
        }
    }
}

/// Appends `events` events quickly and returns their rate.
pub(crate) async fn fill(store: &EventStore, events: u64) -> f64 {
    let started = Instant::now();
    let appends = events.div_ceil(STREAMS_PER_LOAD * EVENTS_PER_STREAM);
    let loaders = stream::iter(0..appends).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let names = (0..STREAMS_PER_LOAD).map(|k| stream_name("l", n * STREAMS_PER_LOAD + k));
            let writes = names.map(|name| write(&name, 0, EVENTS_PER_STREAM)).collect();
            store.append(append(writes)).await.unwrap();
        })
    });
    loaders
        .buffer_unordered(LOADERS)
        .for_each(async |loaded| loaded.unwrap())
        .await;
    events as f64 / started.elapsed().as_secs_f64()
}

/// Appends one event to a stream of its own.
pub(crate) async fn fill_one(store: &EventStore) -> Position {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let stream = stream_name("o", NEXT.fetch_add(1, Ordering::Relaxed));
    store.append(append(vec![write(&stream, 0, 1)])).await.unwrap().last
}

pub(crate) fn last_event() -> Append {
    let mut last = append(vec![write(&stream_name("last", 0), 0, 1)]);
    last.writes[0].events[0].name = LAST.to_owned();
    last
}

/// Keys are spread as random ids would be.
pub(crate) fn stream_name(kind: &str, number: u64) -> String {
    format!("app-{:016x}{kind}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn write(stream: &str, after: u64, events: u64) -> Write {
    Write {
        stream: stream.parse().unwrap(),
        expected: Revision::new(after),
        events: (0..events).map(|_| event()).collect(),
    }
}

fn event() -> NewEvent {
    NewEvent {
        id: fresh_id(),
        name: "VersionSubmitted".to_owned(),
        schema: 1,
        data: data(),
    }
}

fn append(writes: Vec<Write>) -> Append {
    let context = Context {
        actor: "account-0198c0de-0000-7000-8000-000000000001".to_owned(),
        command: Some(CommandKey {
            id: fresh_id(),
            request: [7; 32],
        }),
        correlation_id: fresh_id(),
        causation_id: None,
    };
    Append {
        writes,
        guards: Vec::new(),
        context,
    }
}

/// What an event of a submission says, in 600 bytes.
fn data() -> Value {
    let mut data = json!({
        "app": "0198c0de-0000-7000-8000-000000000002",
        "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "listing": "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "stages": ["review", "release"],
        "version": "12.0.0",
        "words": "",
    });
    let missing = DATA_BYTES - data.to_string().len();
    data["words"] = json!("chart ".repeat(missing / 6 + 1)[..missing]);
    data
}

/// Like UUIDs of version 7: later ones are larger.
fn fresh_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(
        (number << 16) | 0x7000,
        0x8000_0000_0000_0000 | number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2,
    )
}
