//! A `charthouse serve` process, and the ways it may end.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};

use crate::program;

/// How long anything may take before a test gives up; far more than it needs.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Where a server can be reached. It changes when the server starts again, also for those who know it already.
#[derive(Debug, Clone, Default)]
pub struct Address(Arc<RwLock<String>>);

impl Address {
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, url: &str) {
        url.clone_into(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

pub struct Server {
    data: PathBuf,
    options: Vec<String>,
    address: Address,
    running: Option<Running>,
}

struct Running {
    process: Child,
    /// Kept open until somebody hangs up: a program that cannot print is not the one to be tested.
    output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Running {
    async fn signal(&self, signal: &str) {
        let process = self.process.id().expect("it has not been waited for").to_string();
        let told = tokio::process::Command::new("kill").args([signal, &process]).status();
        assert!(told.await.is_ok_and(|status| status.success()), "kill {signal} works");
    }
}

impl Server {
    /// Starts a server on a data folder, and waits until it is ready. It is killed when this is dropped.
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// With more options for `charthouse serve`.
    pub async fn start_with(data: &Path, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self {
            data: data.to_owned(),
            options,
            address: Address::default(),
            running: None,
        };
        server.start_again().await;
        server
    }

    /// Starts it on the same folder, after it ended.
    ///
    /// # Panics
    ///
    /// If it is not ready in time.
    pub async fn start_again(&mut self) {
        let errors = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("the server's errors can be kept");
        // What a killed server leaves there goes with the test's own folder.
        let scratch = self.data.with_extension("tmp");
        std::fs::create_dir_all(&scratch).expect("the temporary folder can be written");
        let mut process = program::command()
            .env("TMPDIR", scratch)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&self.data)
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the program can be run");
        let output = process.stdout.take().expect("its output is piped");
        let mut output = BufReader::new(output).lines();
        let first = tokio::time::timeout(PATIENCE, output.next_line()).await;
        let first = first
            .ok()
            .and_then(Result::ok)
            .flatten()
            .unwrap_or_else(|| panic!("it did not start: {}", self.errors()));
        let address = first.split_once("http://").and_then(|(_, rest)| rest.split_once('/'));
        let (address, _) = address.unwrap_or_else(|| panic!("its first line does not say where it listens: {first}"));
        self.address.set(&format!("http://{address}"));
        let output = Some(output);
        self.running = Some(Running { process, output });
        self.ready().await;
    }

    /// Starts it again with one more option, which counts instead of what was said before.
    pub async fn start_again_with(&mut self, option: &str, value: &str) {
        if let Some(at) = self.options.iter().position(|known| known == option) {
            self.options.drain(at..at + 2);
        }
        self.options.extend([option.to_owned(), value.to_owned()]);
        self.start_again().await;
    }

    async fn ready(&self) {
        let started = Instant::now();
        let client = reqwest::Client::new();
        loop {
            let answer = client.get(self.address.url("/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "it is not ready: {}", self.errors());
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    #[must_use]
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Ends it as a power failure would: `kill -9`.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub async fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.process.kill().await.expect("a child can be killed");
    }

    /// Ends it as an administrator would, by SIGTERM, and waits for its end.
    ///
    /// # Panics
    ///
    /// If it does not run, or does not end in time.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("it runs");
        running.signal("-TERM").await;
        // Read to the end: it says that it stops.
        if let Some(mut output) = running.output {
            while let Ok(Some(_)) = output.next_line().await {}
        }
        let ended = tokio::time::timeout(PATIENCE, running.process.wait()).await;
        ended
            .expect("it ends when it is told to")
            .expect("a child can be waited for")
    }

    /// Nobody reads any more what it says.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn hang_up(&mut self) {
        self.running.as_mut().expect("it runs").output = None;
    }

    /// Halts it where it is, as a suspended machine does. What it has started goes on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub async fn freeze(&self) {
        self.running.as_ref().expect("it runs").signal("-STOP").await;
    }

    /// Lets it go on after [`Server::freeze`].
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub async fn thaw(&self) {
        self.running.as_ref().expect("it runs").signal("-CONT").await;
    }

    /// How much memory it has of its own, in bytes: without what is mapped from files.
    ///
    /// # Panics
    ///
    /// If it does not run.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let running = self.running.as_ref().and_then(|running| running.process.id());
        let status = format!("/proc/{}/status", running.expect("it runs"));
        let status = std::fs::read_to_string(status).expect("a process can be looked at");
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = own.and_then(|own| own.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("the system says how much memory a process has") * 1024
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("stderr")
    }
}
