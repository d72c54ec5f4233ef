//! `charthouse backup` and `charthouse restore`.

use std::{
    error::Error,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::json;

use crate::{
    backup::{self, Manifest},
    config::DataFolder,
};

/// How often progress is shown.
const SHOW_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub struct Backup {
    /// Folder of the backup; one that is there is brought up to date
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    data: DataFolder,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// Folder of the backup
    #[arg(value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    data: DataFolder,
    /// The file high-water of the data folder that was lost: it tells what is missing. Without it a new epoch begins
    #[arg(long, value_name = "FILE")]
    high_water: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Ends with a failure if blobs were damaged: the backup is made, and cannot be whole.
    pub async fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let made = backup::back_up(&self.data, &self.to, &mut Progress::new().teller()).await?;
        let (
            Manifest {
                log, blobs, damaged, ..
            },
            copied,
        ) = (&made.manifest, made.blobs_copied);
        if self.json {
            let answer = json!({
                "backup": self.to, "logId": log.log_id, "epoch": log.epoch, "size": log.size, "root": log.root,
                "blobs": blobs.len(), "blobsCopied": copied, "damaged": damaged,
            });
            println!("{answer}");
        } else {
            println!(
                "{} holds {} events and {} blobs, {copied} of them new",
                self.to.display(),
                log.size,
                blobs.len()
            );
            println!("log {} epoch {} root {}", log.log_id, log.epoch, log.root);
            println!("{}", made.manifest.keys);
        }
        for digest in damaged {
            eprintln!("the blob {digest} is damaged, and is not in the backup");
        }
        Ok(if damaged.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Restore {
    pub async fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let high_water = self.high_water.as_deref();
        let restored = backup::restore(&self.from, &self.data, high_water, &mut Progress::new().teller()).await?;
        let Manifest { log, blobs, made, .. } = &restored;
        let folder = self.data.path().display();
        if self.json {
            let answer = json!({
                "data": self.data.path(), "logId": log.log_id, "epoch": log.epoch, "size": log.size, "root": log.root,
                "blobs": blobs.len(), "made": made,
            });
            println!("{answer}");
            return Ok(ExitCode::SUCCESS);
        }
        println!(
            "{folder} holds {} events and {} blobs, as of {made}; every hash was checked",
            log.size,
            blobs.len()
        );
        println!("log {} epoch {} root {}", log.log_id, log.epoch, log.root);
        if high_water.is_none() {
            println!("nobody knows what came after, so a new epoch begins at the first start");
        }
        println!("put the keys, with the erasure list, into {folder}/keys before that");
        Ok(ExitCode::SUCCESS)
    }
}

/// One line on a terminal; nothing where a script reads.
struct Progress {
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            shown: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    fn teller(mut self) -> impl FnMut(&str, u64, u64) + Send {
        move |what, done, of| self.show(what, done, of)
    }

    fn show(&mut self, what: &str, done: u64, of: u64) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= SHOW_INTERVAL);
        if !self.is_terminal || !is_due {
            return;
        }
        self.shown = Some(Instant::now());
        let mut terminal = io::stderr();
        // A terminal that is gone needs no progress.
        let _ = match of {
            0 => write!(terminal, "\r\x1b[K{what}"),
            of => write!(terminal, "\r\x1b[K{what}: {done} of {of}"),
        };
        let _ = terminal.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
