//! How fast the log is, beside what the disk and a bare transaction do in the same run.
//!
//! `cargo bench -p charthouse-eventstore --bench log` prints a table and writes `target/bench/results.json`.
//! Data lie in `TMPDIR`, and the PostgreSQL server that is started inherits the environment, so the whole can
//! be run on another disk or with a preloaded library. A number sets the size of the full log; `sqlite` or `postgres`
//! measures only that database.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

mod disk;
mod figures;
#[expect(dead_code, reason = "evidence appends one event at a time")]
mod logs;
mod measure;
mod plain;
#[path = "../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "measurements harm no server")]
mod postgres_server;

use std::time::{Duration, Instant};

use eventstore::EventStore;
use figures::{Figures, median};
use futures_util::future::join_all;
use logs::{Database, Load, Place};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events of the full log, unless an argument says otherwise.
const FULL_EVENTS: u64 = 5_000_000;
const REPLAYED_EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(1);
const MANY: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full_events = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(FULL_EVENTS);
    let named = |database: &Database| arguments.iter().any(|argument| argument == database.name());
    let mut databases = vec![Database::Sqlite, Database::Postgres];
    if databases.iter().any(named) {
        databases.retain(named);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let started = Instant::now();
    let mut figures = Figures::default();
    runtime.block_on(async {
        figures.add("disk.flushes_per_s", disk::flushes_per_second());
        let mut skipped = 0;
        for database in &databases {
            appends(*database, &mut figures).await;
            skipped += feed(*database).await;
        }
        figures.add("feed.skipped", skipped as f64);
        let filled = databases.into_iter().map(|database| Full::of(database, full_events));
        for full in join_all(filled).await {
            full.measure(full_events, &mut figures).await;
        }
    });
    figures.write();
    println!("measured in {} s", started.elapsed().as_secs());
}

/// The rates on fresh logs. Every round measures all of them, so that they share what neighbours do to the machine.
async fn appends(database: Database, figures: &mut Figures) {
    let place = database.fresh().await;
    let store = place.open().await;
    let mut load = Load::new(&store);
    let mut plain = plain::Plain::open(database).await;
    let mut rates: [Vec<f64>; 5] = Default::default();
    for _ in 0..ROUNDS {
        let (again, rate) = plain.rate(ROUND).await;
        plain = again;
        rates[0].push(rate);
        rates[1].push(load.appends(1, ROUND).await.rate);
        rates[2].push(load.appends_one_by_one(MANY, ROUND).await.rate);
        let many = load.appends(MANY, ROUND).await;
        rates[3].push(many.rate);
        rates[4].push(many.p99_ms);
    }
    let name = database.name();
    let [plain, one, one_by_one, many, p99] = rates.map(median);
    figures.add(&format!("append.{name}.plain.1"), plain);
    figures.add(&format!("append.{name}.1"), one);
    figures.add(&format!("append.{name}.64.one_by_one"), one_by_one);
    figures.add(&format!("append.{name}.64"), many);
    figures.add(&format!("append.{name}.64.p99_ms"), p99);
    store.close().await;
}

/// How many events a reader that follows 32 writers never gets to see.
async fn feed(database: Database) -> u64 {
    let place = database.fresh().await;
    let store = place.open().await;
    let reader = tokio::spawn(measure::tail(store.clone()));
    Load::new(&store).appends(32, 2 * ROUND).await;
    let appended = store.head().await.unwrap().size;
    store.append(logs::last_event()).await.unwrap();
    let seen = reader.await.unwrap();
    store.close().await;
    appended - seen
}

/// A log with very many events.
struct Full {
    database: Database,
    _place: Place,
    store: EventStore,
    load: f64,
}

impl Full {
    async fn of(database: Database, events: u64) -> Self {
        let place = database.fresh().await;
        let store = place.open().await;
        let load = logs::fill(&store, events).await;
        place.analyze().await;
        Self {
            database,
            _place: place,
            store,
            load,
        }
    }

    async fn measure(self, events: u64, figures: &mut Figures) {
        let name = self.database.name();
        figures.add(&format!("load.{name}"), self.load);
        figures.add(&format!("replay.{name}"), replay(&self.store, events).await);

        let empty = self.database.fresh().await;
        let beside = empty.open().await;
        let (mut on_full, mut on_empty) = (Load::new(&self.store), Load::new(&beside));
        // What was just loaded has to be out of the way first.
        on_full.appends(MANY, 2 * ROUND).await;
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let empty = on_empty.appends(MANY, ROUND).await.rate;
            ratios.push(on_full.appends(MANY, ROUND).await.rate / empty);
        }
        figures.add(&format!("append.{name}.full"), median(ratios));
        self.store.close().await;
        beside.close().await;
    }
}

async fn replay(store: &EventStore, events: u64) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..3 {
        rates.push(measure::replay(store, events.min(REPLAYED_EVENTS)).await);
    }
    median(rates)
}
