//! Commands, each durable before it is answered, and how soon a query shows what one did.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use domain::version_number::VersionNumber;
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    ask,
    client::{Client, Measured, closed_loop},
    figures::{Figures, median},
    fill::{COMMANDED, Size},
    process::Process,
};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const WARMING: Duration = Duration::from_secs(1);
/// Commands a second while the lag is measured, of so many clients.
const LAG_RATE: u32 = 1_000;
const LAG_CLIENTS: u32 = 50;
const LAG_COMMANDS: u64 = 100;

/// Submits a draft in even rounds, and takes it back in odd ones.
fn mutation(round: u64) -> (&'static str, &'static str) {
    match round % 2 {
        0 => ("submitVersion", "SUBMITTED"),
        _ => ("withdrawVersion", "DRAFT"),
    }
}

async fn give(client: &mut Client, app: u128, version: &VersionNumber, round: u64) {
    let (mutation, stage) = mutation(round);
    let body = ask::command(mutation, app, version);
    client.ask(&body, &format!("{{\"stage\":\"{stage}\"}}")).await;
}

/// On apps with few versions and with very many, in turns; each client has an app of its own.
pub(crate) async fn rates(server: &Process, size: Size, figures: &mut Figures) {
    let (long, short) = (0..COMMANDED, COMMANDED..2 * COMMANDED);
    let (mut rates, mut p99) = ([vec![], vec![]], vec![]);
    for apps in [&short, &long] {
        given(server, size, apps, WARMING).await;
    }
    for _ in 0..ROUNDS {
        let measured = given(server, size, &short, ROUND).await;
        rates[0].push(measured.rate);
        p99.push(measured.percentile_ms(0.99));
        rates[1].push(given(server, size, &long, ROUND).await.rate);
    }
    let [short, long] = rates.map(median);
    figures.add("command.64.rps", short);
    figures.add("command.64.p99_ms", median(p99));
    figures.add("command.long.rps", long);
}

async fn given(server: &Process, size: Size, apps: &Range<u128>, lasting: Duration) -> Measured {
    let (first, clients) = (apps.start, (apps.end - apps.start) as usize);
    closed_loop(
        &server.address,
        clients,
        lasting,
        move |mut client, n, round| async move {
            let app = first + n as u128;
            give(&mut client, app, &size.draft(app), round).await;
            client
        },
    )
    .await
}

/// From the answer to a command until a query has shown what it did.
pub(crate) async fn lag(server: &Process, size: Size, figures: &mut Figures) {
    let clients = (0..LAG_CLIENTS).map(|n| {
        let (address, app) = (server.address.clone(), COMMANDED + u128::from(n));
        tokio::spawn(async move {
            let mut client = Client::connect(&address).await;
            let version = size.draft(app);
            // The clients do not begin all at once.
            tokio::time::sleep(Duration::from_secs(1) / LAG_RATE * n).await;
            let mut ticks = interval(Duration::from_secs(1) * LAG_CLIENTS / LAG_RATE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut lags = vec![];
            for round in 0..LAG_COMMANDS {
                ticks.tick().await;
                give(&mut client, app, &version, round).await;
                let (acknowledged, (_, stage)) = (Instant::now(), mutation(round));
                loop {
                    client.ask(&ask::stage(app, &version), "stage").await;
                    if client.text().contains(stage) {
                        break;
                    }
                }
                lags.push(acknowledged.elapsed().as_secs_f64() * 1_000.0);
            }
            lags
        })
    });
    let mut lags: Vec<f64> = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    lags.sort_by(f64::total_cmp);
    figures.add("lag.p99_ms", lags[lags.len() * 99 / 100]);
}
