//! What a process has cost so far.

use std::{process::Command, thread, time::Duration};

use crate::process::Process;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Whoever uses less than this part of a processor has nothing to do.
const IDLE_SHARE: u32 = 20;

impl Process {
    /// Processor time of all its threads, its own and what the system did for it.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // The name of the program may hold spaces; what follows it does not.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks: u64 = [11, 12].iter().map(|n| fields[*n].parse::<u64>().unwrap()).sum();
        Duration::from_secs_f64(ticks as f64 / ticks_per_second())
    }

    /// Waits until it has done what it does by itself when it starts.
    pub(crate) fn settle(&self) {
        let mut before = self.cpu();
        loop {
            thread::sleep(LOOK_INTERVAL);
            let now = self.cpu();
            if now - before < LOOK_INTERVAL / IDLE_SHARE {
                return;
            }
            before = now;
        }
    }
}

fn ticks_per_second() -> f64 {
    let said = Command::new("getconf").arg("CLK_TCK").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
}
