//! Queries: the store of now, beside its limit, and the store of then.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    ask,
    client::{Client, Measured, closed_loop},
    figures::{Figures, median},
    process::Process,
};

const CLIENTS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const WARMING: Duration = Duration::from_secs(1);
/// Questions of one client in a row about the past.
const PAST_QUESTIONS: u64 = 400;
/// Spreads positions over the log; odd, so that none comes twice too soon.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rounds alternate, so that both share what neighbours do to the machine.
pub(crate) async fn store(server: &Process, bare: &Process, figures: &mut Figures) {
    let (mut rates, mut costs, mut p99) = ([vec![], vec![]], [vec![], vec![]], vec![]);
    for process in [server, bare] {
        pages(process, WARMING).await;
    }
    for _ in 0..ROUNDS {
        for (n, process) in [server, bare].into_iter().enumerate() {
            let before = process.cpu();
            let measured = pages(process, ROUND).await;
            let cost = (process.cpu() - before).as_secs_f64() / measured.asked as f64;
            rates[n].push(measured.rate);
            costs[n].push(cost * 1e6);
            if n == 0 {
                p99.push(measured.percentile_ms(0.99));
            }
        }
    }
    let ([store, bare], [cost, bare_cost]) = (rates.map(median), costs.map(median));
    figures.add("query.store.rps", store);
    figures.add("query.store.p99_ms", median(p99));
    figures.add("query.bare.rps", bare);
    figures.add("query.store.us", cost);
    figures.add("query.bare.us", bare_cost);
    figures.add("query.overhead_us", cost - bare_cost);
}

async fn pages(process: &Process, lasting: Duration) -> Measured {
    closed_loop(&process.address, CLIENTS, lasting, |mut client, n, round| async move {
        let body = ask::searched_store(round.wrapping_mul(31).wrapping_add(n as u64));
        client.ask(&body, "\"edges\":[{").await;
        client
    })
    .await
}

/// One client asks now and then in turns.
pub(crate) async fn past(server: &Process, figures: &mut Figures) {
    let mut client = Client::connect(&server.address).await;
    let head = head(&mut client).await;
    // Anywhere in the younger half of the log.
    let position = |n: u64| head / 2 + n.wrapping_mul(STRIDE) % (head / 2);
    let mut ratios = vec![];
    for _ in 0..=ROUNDS {
        let (mut now, mut then) = (vec![], vec![]);
        for n in 0..PAST_QUESTIONS {
            now.push(taken(&mut client, &ask::shelf(n, None)).await);
            then.push(taken(&mut client, &ask::shelf(n, Some(position(n)))).await);
        }
        ratios.push(median(then) / median(now));
    }
    // The first round warmed the statements.
    ratios.remove(0);
    figures.add("query.asof.ratio", median(ratios));
    let mut worst: Vec<f64> = vec![];
    for n in 0..PAST_QUESTIONS {
        worst.push(taken(&mut client, &ask::facets(position(n))).await);
        worst.push(taken(&mut client, &ask::queue(position(n))).await);
    }
    worst.sort_by(f64::total_cmp);
    figures.add("query.asof.worst_ms", worst[worst.len() * 99 / 100]);
}

/// How long an answer took, in milliseconds.
async fn taken(client: &mut Client, body: &str) -> f64 {
    let started = Instant::now();
    client.ask(body, "{\"data\":").await;
    started.elapsed().as_secs_f64() * 1_000.0
}

async fn head(client: &mut Client) -> u64 {
    let query = r#"{"query":"{ auditTrail(first: 1) { nodes { position } } }"}"#;
    client.ask(query, "position").await;
    let answer: Value = serde_json::from_str(client.text()).unwrap();
    let position = answer.pointer("/data/auditTrail/nodes/0/position");
    position.and_then(Value::as_str).unwrap().parse().unwrap()
}
