//! What a process has cost so far.

use std::{process::Command, time::Duration};

use crate::process::Process;

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
}

fn ticks_per_second() -> f64 {
    let said = Command::new("getconf").arg("CLK_TCK").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
}
