//! The server that is measured: another process, asked over HTTP.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use std::io::{BufRead as _, BufReader};

const LOOK_INTERVAL: Duration = Duration::from_millis(2);

pub(crate) struct Server {
    process: Child,
    url: String,
    token: &'static str,
    http: reqwest::Client,
}

/// The most memory that a process was seen to use.
pub(crate) struct Peak {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<u64>,
}

impl Server {
    /// Returns once its views show the whole log.
    pub(crate) async fn start(data: &Path, token: &'static str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_charthouse"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let address = first.split_once("http://").and_then(|(_, rest)| rest.split_once('/'));
        let (address, _) = address.unwrap_or_else(|| panic!("it did not start: {first}"));
        Self {
            process,
            url: format!("http://{address}"),
            token,
            http: reqwest::Client::new(),
        }
    }

    /// Takes a whole export, and answers how many rows it has.
    pub(crate) async fn export(&self, file: &str) -> u64 {
        let url = format!("{}/exports/decisions.{file}", self.url);
        let mut answer = self.http.get(url).bearer_auth(self.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let mut lines = 0;
        while let Some(chunk) = answer.chunk().await.unwrap() {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        lines - u64::from(file.starts_with("csv"))
    }

    /// What it uses now, in bytes, without what is mapped from files and can be dropped at any time.
    pub(crate) fn memory(&self) -> u64 {
        memory_of(self.process.id())
    }

    pub(crate) fn watch_memory(&self) -> Peak {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, process) = (Arc::clone(&stop), self.process.id());
        let watching = thread::spawn(move || {
            let mut peak = 0;
            while !stopped.load(Ordering::Relaxed) {
                peak = peak.max(memory_of(process));
                thread::sleep(LOOK_INTERVAL);
            }
            peak
        });
        Peak { stop, watching }
    }

    pub(crate) async fn stop(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Peak {
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}

fn memory_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
    };
    (field("RssAnon:") + field("RssShmem:")) * 1024
}
