//! The server that is measured, asked over HTTP.

use std::{path::Path, process::Command, time::Duration};

use crate::process::Process;

pub(crate) struct Server {
    pub(crate) process: Process,
    token: &'static str,
    http: reqwest::Client,
}

impl Server {
    /// Returns once its views show the whole log.
    pub(crate) fn start(data: &Path, token: &'static str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_charthouse"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Self {
            process: Process::start(&mut command),
            token,
            http: reqwest::Client::new(),
        }
    }

    /// Returns once a checkpoint says that so many events and more are published.
    pub(crate) async fn published(&self, events: u64) {
        let url = format!("http://{}/log/checkpoint", self.process.address);
        loop {
            let answer = self.http.get(&url).send().await.unwrap().text().await.unwrap();
            let size = answer.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
            if size.is_some_and(|size| size >= events) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Takes a whole export, and answers how many rows it has.
    pub(crate) async fn export(&self, file: &str) -> u64 {
        let url = format!("http://{}/exports/decisions.{file}", self.process.address);
        let mut answer = self.http.get(url).bearer_auth(self.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let mut lines = 0;
        while let Some(chunk) = answer.chunk().await.unwrap() {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        lines - u64::from(file.starts_with("csv"))
    }
}
