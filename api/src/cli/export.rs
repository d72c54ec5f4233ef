//! `charthouse export`: review decisions from the data folder, without the server's API.
//!
//! The log says that it happened, as for every export: the server that runs on the folder records it, or without one,
//! this process. What is written is read from the folder itself.

use std::{
    error::Error,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use domain::{
    export::{Format, Selection},
    names::WorkspaceName,
};
use eventstore::{Blobs, EventStore, Key, Mode, transparency::Published};
use futures_util::{StreamExt as _, pin_mut};
use projections::ViewReader;
use serde_json::json;
use tokio::{
    fs::File,
    io::{AsyncWrite, AsyncWriteExt as _},
};

use crate::{
    admin::{AdminAnswer, AdminError, AdminRequest, ask},
    config::{DataFolder, Limits},
    content::Content,
    exports::{Export as Recorded, Parameters, Source},
    master_keys::MasterKeys,
    services::Services,
    vault::Vault,
};

/// A server publishes what it recorded within a second.
const PUBLISHED_LOOK_INTERVAL: Duration = Duration::from_millis(100);
const PUBLISHED_LOOKS_MAX: u32 = 100;

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    data: DataFolder,
    /// What to write: a table, one JSON object per line, a batch of `CloudEvents`, or a bundle to be verified
    #[arg(long, value_enum, default_value_t = FormatArgument::Csv)]
    format: FormatArgument,
    /// Only decisions of this date or time, or later, such as 2026-03-01 or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only decisions before this date or time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only decisions about apps of this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<WorkspaceName>,
    /// Only decisions about this app
    #[arg(long, value_name = "ID")]
    app: Option<String>,
    /// Only this decision
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// File to write; standard output if not given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print what was written as JSON
    #[arg(long, requires = "output")]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArgument {
    Csv,
    Jsonl,
    Cloudevents,
    Zip,
}

impl Export {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let selection = Selection::try_from(Parameters {
            app: self.app,
            workspace: None,
            decision: self.decision,
            from: self.from,
            until: self.until,
        })?;
        let record = AdminRequest::RecordExport {
            format: self.format.into(),
            selection,
            workspace: self.workspace,
        };
        let output = self.output.as_deref();
        let (export, bytes) = match ask(&self.data.admin_socket(), &record).await? {
            Some(answer) => {
                let export = recorded(answer)?;
                let source = beside_the_server(&self.data, export.position).await?;
                let bytes = write(&source, &export, output).await?;
                source.log.close().await;
                (export, bytes)
            }
            None => {
                let services = Services::open(self.data, Limits::from_environment()).await?;
                let export = recorded(record.carry_out(&services).await)?;
                services.transparency.publish().await?;
                let bytes = write(&services.evidence(), &export, output).await?;
                services.close().await;
                (export, bytes)
            }
        };
        if let Some(output) = output {
            tell(&export, bytes, output, self.json);
        }
        Ok(())
    }
}

fn recorded(answer: Result<AdminAnswer, AdminError>) -> Result<Recorded, Box<dyn Error>> {
    let told = answer?.export;
    Ok(told.ok_or("the server does not know exports; it is of an older release")?)
}

/// What the folder holds, for reading only: the server goes on writing, and publishes what was recorded at `position`.
async fn beside_the_server(data: &DataFolder, position: u64) -> Result<Source, Box<dyn Error>> {
    let log = EventStore::open(&data.log_url(), Mode::ReadOnly).await?;
    let transparency = published(data, &log, position).await?;
    let master = MasterKeys::find(data.master_key())?.ring()?;
    Ok(Source {
        views: ViewReader::open(&data.views(), &log).await?,
        vault: Vault::new(eventstore::Vault::open(&log, master).await?),
        content: Content::new(Blobs::open(&data.blobs())?, log.clone()),
        transparency,
        log,
    })
}

async fn published(data: &DataFolder, log: &EventStore, position: u64) -> Result<Published, Box<dyn Error>> {
    let key = Key::from_file(&data.keys().join("checkpoint.key"))?;
    let covers = |published: &Published| {
        let last = published.checkpoint();
        last.is_ok_and(|last| last.checkpoint().size > position)
    };
    for _ in 0..PUBLISHED_LOOKS_MAX {
        let published = Published::open(log, &data.published(), data.high_water(), &key)?;
        if covers(&published) {
            return Ok(published);
        }
        tokio::time::sleep(PUBLISHED_LOOK_INTERVAL).await;
    }
    Err("the server records, and does not publish what it recorded; its log says why".into())
}

/// Writes the export and answers how many bytes it has. A file is there under its name only once it is whole.
async fn write(source: &Source, export: &Recorded, output: Option<&Path>) -> Result<u64, Box<dyn Error>> {
    let Some(output) = output else {
        return copy(source, export, tokio::io::stdout(), false).await;
    };
    let mut part = output.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", output.display());
    let mut file = File::create(&part).await.map_err(failed)?;
    let copied = copy(source, export, &mut file, std::io::stderr().is_terminal()).await;
    if copied.is_err() {
        let _ = tokio::fs::remove_file(&part).await;
        return copied;
    }
    file.sync_all().await.map_err(failed)?;
    tokio::fs::rename(&part, output).await.map_err(failed)?;
    copied
}

async fn copy(
    source: &Source,
    export: &Recorded,
    mut to: impl AsyncWrite + Unpin,
    shows_progress: bool,
) -> Result<u64, Box<dyn Error>> {
    let stream = source.stream(export.clone());
    pin_mut!(stream);
    let mut bytes = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        to.write_all(&chunk).await?;
        bytes += chunk.len() as u64;
        if shows_progress {
            eprint!("\r{} decisions, {} KiB written ", export.prepared.count, bytes / 1024);
        }
    }
    to.flush().await?;
    if shows_progress {
        eprint!("\r\x1b[2K");
    }
    Ok(bytes)
}

fn tell(recorded: &Recorded, bytes: u64, output: &Path, json: bool) {
    let export = &recorded.prepared;
    let file = output.display().to_string();
    if json {
        let told = json!({
            "export": export.export,
            "file": file,
            "format": export.format,
            "selection": export.selection,
            "decisions": export.count,
            "logSize": export.size,
            "position": recorded.position,
            "bytes": bytes,
        });
        println!("{told}");
    } else {
        println!(
            "{} decisions as of log size {} are in {file} ({bytes} bytes)",
            export.count, export.size
        );
    }
}

impl From<FormatArgument> for Format {
    fn from(argument: FormatArgument) -> Self {
        match argument {
            FormatArgument::Csv => Self::Csv,
            FormatArgument::Jsonl => Self::Jsonl,
            FormatArgument::Cloudevents => Self::Cloudevents,
            FormatArgument::Zip => Self::Zip,
        }
    }
}
