//! How far long work is, for whoever watches a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};

pub struct Progress {
    is_watched: bool,
    percent: u64,
}

impl Progress {
    pub fn begin() -> Self {
        Self {
            is_watched: stderr().is_terminal(),
            percent: 0,
        }
    }

    pub fn tell(&mut self, done: u64, of: u64) {
        let percent = done * 100 / of.max(1);
        if self.is_watched && percent != self.percent {
            self.percent = percent;
            // A terminal that is gone needs no progress.
            let _ = write!(stderr(), "\r{done} of {of} events, {percent} %");
        }
    }

    pub fn end(&self) {
        if self.percent > 0 {
            let _ = writeln!(stderr());
        }
    }
}
