//! `charthouse rebuild`: the views computed again from the log, beside those in use; or only compared with them.

use std::{
    error::Error,
    io::{self, IsTerminal as _},
    path::Path,
    process::ExitCode,
};

use clap::Args;
use projections::rebuild::{self, Comparison, Step, TableDifferences};
use serde_json::{Value, json};

use super::{
    offline::{Offline, tell},
    table::{line, shown},
};
use crate::{
    admin::{AdminRequest, ask},
    config::DataFolder,
};

/// The views are not what the log says.
const DIFFERENT: u8 = 3;

#[derive(Debug, Args)]
pub struct Rebuild {
    #[command(flatten)]
    data: DataFolder,
    /// Change nothing: compare the views in use with the log, row for row. Status 3 if they differ
    #[arg(long)]
    check: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Rebuild {
    pub async fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let offline = Offline::open(&self.data).await?;
        match self.check {
            true => self.compare(&offline).await,
            false => self.build(&offline).await,
        }
    }

    async fn build(&self, offline: &Offline) -> Result<ExitCode, Box<dyn Error>> {
        let is_terminal = std::io::stderr().is_terminal();
        let told = |step| match step {
            Step::Applied { events, of } if is_terminal => tell(events, of),
            Step::Applied { .. } | Step::Built | Step::Named => {}
        };
        let file = rebuild::build(&self.data.views(), &offline.log, &offline.blobs, told).await;
        end_telling();
        let file = file?;
        // A server that runs on the folder goes over to it now; otherwise the next one starts with it.
        let answer = ask(&self.data.admin_socket(), &AdminRequest::AdoptViews)
            .await?
            .transpose()?;
        let is_used = answer.is_some();
        let name = file_name(&file);
        if self.json {
            line!("{}", json!({ "file": name, "inUse": is_used }));
            return Ok(ExitCode::SUCCESS);
        }
        match answer {
            Some(answer) => line!("{name} was built. {}", answer.message),
            None => line!("{name} was built. No server is running here; the next one starts with it"),
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn compare(&self, offline: &Offline) -> Result<ExitCode, Box<dyn Error>> {
        let Some(live) = rebuild::in_use(&self.data.views(), &offline.log).await? else {
            return Err(
                "there are no views that this program made of this log; they are built at the next start".into(),
            );
        };
        let is_terminal = std::io::stderr().is_terminal();
        let scratch = offline.scratch.path().join("check.db");
        let told = |events, of| {
            if is_terminal {
                tell(events, of);
            }
        };
        let compared = rebuild::compare(&live, &scratch, &offline.log, &offline.blobs, told).await;
        end_telling();
        let compared = compared?;
        match self.json {
            true => line!("{}", to_json(&live, &compared)),
            false => print(&live, &compared)?,
        }
        Ok(match compared.tables.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(DIFFERENT),
        })
    }
}

fn end_telling() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn print(live: &Path, compared: &Comparison) -> io::Result<()> {
    let Comparison { events, rows, tables } = compared;
    let name = file_name(live);
    if tables.is_empty() {
        line!("{name} is what the log says: {rows} rows after {events} events");
        return Ok(());
    }
    line!("{name} is NOT what the log says after {events} events:");
    for TableDifferences { table, count, first } in tables {
        line!("{table}: {count} of its rows differ");
        for difference in first {
            line!("  {}", shown(&difference.key));
            let side = |row: &Option<String>| row.as_deref().map_or("no such row".to_owned(), shown);
            line!("    in use:  {}", side(&difference.live));
            line!("    the log: {}", side(&difference.rebuilt));
        }
    }
    line!("charthouse rebuild builds them anew");
    Ok(())
}

fn to_json(live: &Path, compared: &Comparison) -> Value {
    let differences = compared.tables.iter().map(|table| {
        let rows = table
            .first
            .iter()
            .map(|difference| json!({ "key": difference.key, "inUse": difference.live, "log": difference.rebuilt }));
        json!({ "table": table.table, "count": table.count, "first": rows.collect::<Vec<_>>() })
    });
    json!({
        "file": file_name(live),
        "events": compared.events,
        "rows": compared.rows,
        "differences": differences.collect::<Vec<_>>(),
    })
}
