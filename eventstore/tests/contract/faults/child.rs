//! A writer in a process of its own: this test program, started again.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use eventstore::{EventStore, Mode, Revision};
use futures_util::future::join_all;

use super::{Acknowledged, acknowledged, pair};
use crate::fixture::stream;

const URL: &str = "CHARTHOUSE_TEST_CHILD_URL";
const NAME: &str = "CHARTHOUSE_TEST_CHILD_NAME";
const TASKS: u64 = 8;

/// The process. It appends for ever, and dies with its handle.
pub(crate) struct Writer {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    pub(crate) fn start(url: &str, name: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "faults::child::appends_for_ever_if_it_is_told_to",
                "--exact",
                "--nocapture",
            ])
            .env(URL, url)
            .env(NAME, name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next thing it was acknowledged; `None` once it is dead and has nothing more to tell.
    pub(crate) fn acknowledged(&mut self) -> Option<Acknowledged> {
        loop {
            let line = self.lines.next()?.unwrap();
            // A line that was cut by death has no end mark.
            if let [_, "acknowledged", position, id, "."] = line.split(' ').collect::<Vec<_>>()[..] {
                return Some((position.parse().unwrap(), id.to_owned()));
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .arg(signal)
            .arg(self.process.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }

    /// `kill -9`, and then what it was acknowledged before.
    pub(crate) fn kill(mut self) -> Vec<Acknowledged> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::iter::from_fn(|| self.acknowledged()).collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_for_ever_if_it_is_told_to() {
    let (Ok(url), Ok(name)) = (std::env::var(URL), std::env::var(NAME)) else {
        return;
    };
    let store = EventStore::open(&url, Mode::Append).await.unwrap();
    join_all((0..TASKS).map(|task| append_for_ever(&store, format!("{name}-{task}")))).await;
}

async fn append_for_ever(store: &EventStore, writer: String) {
    let left = stream(&format!("left-{writer}"));
    let mut revision = store.read_stream(&left, Revision::NONE).await.unwrap().len() as u64;
    loop {
        let (position, id) = acknowledged(&store.append(pair(&writer, revision)).await.unwrap());
        println!("> acknowledged {position} {id} .");
        revision += 1;
    }
}
