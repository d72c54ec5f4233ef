//! How fast a log is proved and verified, beside what the disk and bare hashing do in the same run.
//!
//! `cargo bench -p charthouse-eventstore --bench evidence` prints a table and adds to `target/bench/results.json`. Data lie
//! in `TMPDIR`. An argument sets the number of events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

#[path = "../log/disk.rs"]
mod disk;
#[path = "../log/figures.rs"]
mod figures;
#[path = "../log/logs.rs"]
#[expect(dead_code, reason = "nothing is compared with plain appends")]
mod logs;
#[path = "../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "the logs are in files")]
mod postgres_server;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use eventstore::transparency::{Published, entries, merkle, verify_log, verify_tiles};
use eventstore::{EventStore, Key, Position};
use figures::{Figures, median};
use logs::Database;

/// Events of the log, unless an argument says otherwise.
const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 5;
const PROOFS: u64 = 5_000;
const CHECKPOINTS: usize = 20;
/// Spreads positions over the log; odd, so that none comes twice too soon.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

fn main() {
    let events = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(EVENTS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let started = Instant::now();
    let mut figures = Figures::default();
    runtime.block_on(async {
        figures.add("disk.flushes_per_s", disk::flushes_per_second());
        let place = Database::Sqlite.fresh().await;
        let store = place.open().await;
        logs::fill(&store, events).await;
        let size = store.head().await.unwrap().size;
        let folder = tempfile::tempdir().unwrap();
        let published = open(&store, folder.path());
        let begun = Instant::now();
        published.publish().await.unwrap();
        figures.add("publish.leaves_per_s", size as f64 / begun.elapsed().as_secs_f64());
        verify(&published, size, &mut figures);
        verify_database(&store, &published, size, &mut figures).await;
        prove(&store, &published, size, &mut figures).await;
        lag(&store, &published, &mut figures).await;
        store.close().await;
    });
    figures.write();
    println!("measured in {} s", started.elapsed().as_secs());
}

fn open(store: &EventStore, folder: &Path) -> Published {
    let key = Key::from_hex(&"07".repeat(32)).unwrap();
    Published::open(store, folder, folder.join("high-water"), &key).unwrap()
}

/// All tiles with all leaves; beside it, the hashes of the same leaves and nothing else.
fn verify(published: &Published, size: u64, figures: &mut Figures) {
    let mut rates: [Vec<f64>; 2] = Default::default();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        hash_leaves(published, size);
        rates[0].push(size as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let verified = verify_tiles(published.folder(), published.keys(), None, |_, _| {}).unwrap();
        assert_eq!(verified.leaves, size);
        rates[1].push(size as f64 / begun.elapsed().as_secs_f64());
    }
    let [hashed, verified] = rates.map(median);
    figures.add("verify.hashed_only_per_s", hashed);
    figures.add("verify.leaves_per_s", verified);
}

fn hash_leaves(published: &Published, size: u64) {
    use eventstore::transparency::{Tile, TileKind};
    let tiles = (0..).map_while(|index| Tile::of_tree(TileKind::Entries, index, size));
    for tile in tiles {
        let bundle = published.folder().tile(tile).unwrap();
        for leaf in entries(&bundle).unwrap() {
            black_box(merkle::leaf_hash(leaf));
        }
    }
}

async fn verify_database(store: &EventStore, published: &Published, size: u64, figures: &mut Figures) {
    let since = published.checkpoint().unwrap();
    let begun = Instant::now();
    let verified = verify_log(store, published.keys(), Some(&since), |_, _| {})
        .await
        .unwrap();
    assert_eq!(verified.leaves, size);
    figures.add("verify.log.leaves_per_s", size as f64 / begun.elapsed().as_secs_f64());
}

/// From the position to the checked proof file, with nothing kept from the proof before.
async fn prove(store: &EventStore, published: &Published, size: u64, figures: &mut Figures) {
    let mut times = Vec::new();
    for number in 0..PROOFS {
        let position = Position::new(number.wrapping_mul(STRIDE) % size);
        let begun = Instant::now();
        let event = store.read(position, 1).await.unwrap().remove(0);
        black_box(published.prove(&event).await.unwrap());
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    figures.add("prove.p50_ms", quantile(&mut times, 50));
    figures.add("prove.p99_ms", quantile(&mut times, 99));
}

/// From the acknowledgement of an event to a durable checkpoint that covers it, each as soon as the one before is signed:
/// so the least time between two checkpoints is in it.
async fn lag(store: &EventStore, published: &Published, figures: &mut Figures) {
    let publishing = tokio::spawn(published.clone().run());
    let mut times = Vec::new();
    for _ in 0..CHECKPOINTS {
        let appended = logs::fill_one(store).await;
        let begun = Instant::now();
        published.covering(appended).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    publishing.abort();
    figures.add("checkpoint.lag_ms", quantile(&mut times, 99));
}

fn quantile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * percent / 100]
}
