//! What it costs to ask whether somebody may, as a share of what the command costs; and what it costs that rights change.
//!
//! `cargo bench -p charthouse-api --bench authorize` prints a table and adds its figures to `target/bench/results.json`. A
//! number sets how many accounts there are. Data lie in `TMPDIR`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot be made ends the run"
)]

mod asked;
#[path = "../../../eventstore/benches/log/disk.rs"]
mod disk;
#[path = "../../../eventstore/benches/log/figures.rs"]
mod figures;
#[path = "../support/filler.rs"]
#[expect(dead_code, reason = "nothing is uploaded")]
mod filler;
mod given;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "memory is not measured")]
mod process;

use std::path::Path;

use domain::account::Scope;
use figures::{Figures, median};
use filler::Filler;
use futures_util::{StreamExt as _, stream};
use given::Commander;

/// Accounts, unless an argument says otherwise.
const ACCOUNTS: u128 = 10_000;
const FEW_ACCOUNTS: u128 = 10;
/// Accounts that are written at once.
const AT_ONCE: usize = 64;
const TOKEN: &str = "charthouse_benchmark";
/// The account that commands: the first one.
const ADMINISTRATOR: u128 = 1;
const ROUNDS: usize = 300;

fn main() {
    let arguments = std::env::args();
    let accounts = arguments.filter_map(|argument| argument.parse().ok()).next();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(accounts.unwrap_or(ACCOUNTS)));
}

async fn measure(accounts: u128) {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (folder.path().join("few"), folder.path().join("many"));
    fill(&few, FEW_ACCOUNTS).await;
    fill(&many, accounts).await;
    let mut figures = Figures::default();
    figures.add("disk.flushes_per_s", disk::flushes_per_second());

    let (mut among_few, mut among_many) = (Commander::start(&few).await, Commander::start(&many).await);
    let (mut commands, mut changes) = (vec![], [vec![], vec![]]);
    for _ in 0..ROUNDS {
        commands.push(among_many.edits().await);
        changes[0].push(among_few.changes_rights().await);
        changes[1].push(among_many.changes_rights().await);
    }
    among_few.stop();
    among_many.stop();

    let command_us = median(commands);
    let asked_us = asked::rights(&many).await;
    let guarded_us = asked::guards(&folder.path().join("guards.db")).await;
    figures.add("authorize.command_us", command_us);
    figures.add("authorize.asked_us", asked_us);
    figures.add("authorize.guarded_us", guarded_us);
    figures.add("authorize.share", (asked_us + guarded_us) / command_us);
    let [few, many] = changes.map(median);
    figures.add("rights.few.change_us", few);
    figures.add("rights.many.change_us", many);
    figures.add("rights.growth", many / few);
    figures.write();
}

/// Accounts that hold a role each, the first one that of an administrator.
async fn fill(data: &Path, accounts: u128) {
    let filler = Filler::open(data).await;
    filler
        .account(ADMINISTRATOR, &[("platform-admin", Scope::Platform {})], Some(TOKEN))
        .await;
    let others = stream::iter(2..=accounts).map(|n| {
        let filler = &filler;
        async move {
            let token = format!("{TOKEN}_{n}");
            let grants = [("platform-regular", Scope::Platform {})];
            filler.account(n, &grants, Some(&token)).await;
        }
    });
    others.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    filler.close().await;
}
