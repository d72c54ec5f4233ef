//! Clients that ask one thing after the other, on a connection of their own each.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::fill::TOKEN;

/// Speaks as little HTTP as it can, so that what is measured is the server.
pub(crate) struct Client {
    connection: BufReader<TcpStream>,
    host: String,
    line: String,
    pub(crate) answer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Self {
        let connection = TcpStream::connect(address).await.unwrap();
        connection.set_nodelay(true).unwrap();
        Self {
            connection: BufReader::with_capacity(64 << 10, connection),
            host: address.to_owned(),
            line: String::new(),
            answer: vec![],
        }
    }

    /// Sends a GraphQL request; its answer has to hold `expected`.
    pub(crate) async fn ask(&mut self, body: &str, expected: &str) {
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
             accept: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let request = [head.as_bytes(), body.as_bytes()].concat();
        self.connection.get_mut().write_all(&request).await.unwrap();
        let mut length = 0;
        loop {
            self.line.clear();
            self.connection.read_line(&mut self.line).await.unwrap();
            match self.line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap();
                }
                _ if self.line == "\r\n" => break,
                _ => {}
            }
        }
        self.answer.resize(length, 0);
        self.connection.read_exact(&mut self.answer).await.unwrap();
        let answer = self.text();
        assert!(answer.contains(expected), "{body} was answered {answer:.1000}");
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.answer).unwrap()
    }
}

/// What was asked in a while.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) asked: usize,
    latencies: Vec<Duration>,
}

impl Measured {
    /// The time that so much of what was asked took at most, in milliseconds.
    pub(crate) fn percentile_ms(mut self, share: f64) -> f64 {
        self.latencies.sort_unstable();
        let place = (self.latencies.len() as f64 * share) as usize;
        let latency = self.latencies.get(place.min(self.latencies.len() - 1));
        latency.copied().unwrap_or_default().as_secs_f64() * 1_000.0
    }
}

/// So many clients at once, each asking again as soon as it is answered.
pub(crate) async fn closed_loop<F, A>(address: &str, clients: usize, lasting: Duration, ask: F) -> Measured
where
    F: Fn(Client, usize, u64) -> A + Clone + Send + 'static,
    A: Future<Output = Client> + Send,
{
    let connected = join_all((0..clients).map(|_| Client::connect(address))).await;
    let started = Instant::now();
    let asking = connected.into_iter().enumerate().map(|(n, mut client)| {
        let ask = ask.clone();
        tokio::spawn(async move {
            let mut latencies = vec![];
            for round in 0.. {
                let begun = Instant::now();
                if begun - started > lasting && round % 2 == 0 {
                    break;
                }
                client = ask(client, n, round).await;
                latencies.push(begun.elapsed());
            }
            latencies
        })
    });
    let latencies: Vec<_> = join_all(asking).await.into_iter().flat_map(Result::unwrap).collect();
    Measured {
        rate: latencies.len() as f64 / started.elapsed().as_secs_f64(),
        asked: latencies.len(),
        latencies,
    }
}
