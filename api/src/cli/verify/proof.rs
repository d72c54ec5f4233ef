//! One event, by the file that proves it.

use std::path::PathBuf;

use clap::Args;
use eventstore::transparency::{ProofFile, VerifierKey};
use serde_json::{Map, Value};

use super::{
    keys::{Keys, read_text},
    verdict::{Finding, Report, Verdict},
};

#[derive(Debug, Args)]
pub struct Proof {
    /// The .tlog-proof file, which holds the event
    file: PathBuf,
    #[command(flatten)]
    keys: Keys,
    /// The position that is to be proved; whichever the file is about if not given
    #[arg(long)]
    position: Option<u64>,
}

impl Proof {
    pub fn run(&self) -> Result<Report, Finding> {
        let keys = self.keys.read()?;
        let file: ProofFile = read_text(&self.file)?
            .parse()
            .map_err(|error| Finding::unreadable(&self.file, &error))?;
        let report = check(&file, &keys)?;
        match self.position {
            Some(wanted) if wanted != file.index => Err(Finding {
                verdict: Verdict::OtherProof,
                words: format!("the file proves the event at position {}, not at {wanted}", file.index),
            }),
            _ => Ok(report),
        }
    }
}

/// Makes sure that a file proves its event to whoever trusts `keys`.
pub fn check(file: &ProofFile, keys: &[VerifierKey]) -> Result<Report, Finding> {
    file.verify(keys)?;
    let head = file.checkpoint.checkpoint();
    let mut facts = Map::new();
    facts.insert("origin".to_owned(), head.origin.as_str().into());
    facts.insert("size".to_owned(), head.size.into());
    facts.insert("position".to_owned(), file.index.into());
    let event: Value = serde_json::from_slice(&file.leaf).unwrap_or_default();
    let name = event["type"].as_str().unwrap_or("an event of unknown type").to_owned();
    let time = event["time"]
        .as_str()
        .map(|time| format!(" of {time}"))
        .unwrap_or_default();
    let words = format!(
        "{name}{time} stands at position {} of {}, whose {} events are signed",
        file.index, head.origin, head.size
    );
    facts.insert("event".to_owned(), event);
    Ok(Report { words, facts })
}
