//! A log in its database, running or copied. It is opened for reading only.

use std::path::Path;

use clap::Args;
use eventstore::{EventStore, Mode, transparency::verify_log};

use super::{
    keys::{Since, read},
    progress::Progress,
    verdict::{Finding, Report, Verdict},
};

#[derive(Debug, Args)]
pub struct Log {
    /// A data folder, a file log.db, or postgres://…
    log: String,
    /// A key to trust: name+id+base64, or a file with one on each line; needed with --since
    #[arg(long = "key", value_name = "KEY|FILE")]
    keys: Vec<String>,
    #[command(flatten)]
    since: Since,
}

impl Log {
    pub async fn run(self) -> Result<Report, Finding> {
        let keys = if self.since.is_given() {
            read(&self.keys)?
        } else {
            Vec::new()
        };
        let since = self.since.read()?;
        let store = EventStore::open(&url(&self.log), Mode::ReadOnly).await;
        let store = store.map_err(|error| Verdict::Unreadable.because(&error))?;
        let mut progress = Progress::begin();
        let verified = verify_log(&store, &keys, since.as_ref(), |done, of| progress.tell(done, of)).await;
        progress.end();
        store.close().await;
        Ok(verified?.into())
    }
}

fn url(log: &str) -> String {
    let path = Path::new(log);
    if log.contains("://") {
        log.to_owned()
    } else if path.is_dir() {
        format!("sqlite://{}", path.join("log.db").display())
    } else {
        format!("sqlite://{log}")
    }
}
