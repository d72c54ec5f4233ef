//! Another process, which is measured from outside.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

const LOOK_INTERVAL: Duration = Duration::from_millis(2);

pub(crate) struct Process {
    child: Child,
    /// Where it listens: host and port.
    pub(crate) address: String,
}

/// The most memory that a process was seen to use.
pub(crate) struct Peak {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<u64>,
}

impl Process {
    /// Starts a server, and returns once its first line says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let address = first
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once('/').map(|(address, _)| address.to_owned()));
        let address = address.unwrap_or_else(|| panic!("it did not start: {first}"));
        Self { child, address }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it uses now, in bytes, without what is mapped from files and can be dropped at any time.
    pub(crate) fn memory(&self) -> u64 {
        memory_of(self.child.id())
    }

    pub(crate) fn watch_memory(&self) -> Peak {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, process) = (Arc::clone(&stop), self.child.id());
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

    pub(crate) fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
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
    // Files that are mapped are not among it, though the system calls them shared memory where they lie on a memory disk.
    field("RssAnon:") * 1024
}
