//! How fast a log becomes views, and how fast a running server answers and obeys over HTTP, beside a handler that does the
//! same reads without GraphQL.
//!
//! `cargo bench -p charthouse-api --bench queries` prints a table and adds its figures to `target/bench/results.json`. Two
//! numbers set how many apps there are, and how many versions an app has that has very many. Data lie in `TMPDIR`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

mod ask;
mod bare;
mod client;
mod commands;
mod cpu;
#[path = "../../../eventstore/benches/log/disk.rs"]
mod disk;
#[path = "../../../eventstore/benches/log/figures.rs"]
mod figures;
mod fill;
#[path = "../support/filler.rs"]
mod filler;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "memory is watched all the time")]
mod process;
mod project;
mod reads;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use figures::Figures;
use fill::Size;
use process::Process;
use tokio::runtime::Builder;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Unless arguments say otherwise: ten versions for each app, and 64 apps with 500.
const SIZE: Size = Size {
    apps: 10_000,
    long: 500,
};
/// Makes this program the handler that is compared with.
const BARE: &str = "--bare";
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = Builder::new_multi_thread().enable_all().build().unwrap();
    match &arguments[..] {
        [first, data, ..] if first == BARE => threads.block_on(bare::serve(PathBuf::from(data))),
        _ => {
            let (folder, size) = (tempfile::tempdir().unwrap(), size(&arguments));
            let data = folder.path().join("data");
            threads.block_on(filled(&data, size));
            drop(threads);
            // One thread asks for all clients: what it takes of the processors, the server lacks.
            let asking = Builder::new_current_thread().enable_all().build().unwrap();
            asking.block_on(measure(&data, size));
        }
    }
}

fn size(arguments: &[String]) -> Size {
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse().ok());
    Size {
        apps: numbers.next().map_or(SIZE.apps, |apps: u64| u128::from(apps)),
        long: numbers.next().map_or(SIZE.long, |long| u32::try_from(long).unwrap()),
    }
}

async fn filled(data: &Path, size: Size) {
    let started = Instant::now();
    fill::store(data, size).await;
    println!("{} apps are there after {} s", size.apps, started.elapsed().as_secs());
}

async fn measure(data: &Path, size: Size) {
    let started = Instant::now();
    let mut figures = Figures::default();
    // The server that is measured finds them.
    project::rates(data, &mut figures).await;
    let server = serve(data);
    // What it found is published beside the answers; a server that runs has long done that.
    server.settle();
    println!("their views are there after {} s", started.elapsed().as_secs());
    let bare = Process::start(Command::new(std::env::current_exe().unwrap()).arg(BARE).arg(data));

    figures.add("disk.flushes_per_s", disk::flushes_per_second());
    let memory = server.watch_memory();
    reads::store(&server, &bare, &mut figures).await;
    bare.stop();
    reads::past(&server, &mut figures).await;
    commands::rates(&server, size, &mut figures).await;
    commands::lag(&server, size, &mut figures).await;
    figures.add("rss.mb", memory.stop() as f64 / MIB);
    figures.write();
    server.stop();
}

fn serve(data: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charthouse"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    Process::start(&mut command)
}
