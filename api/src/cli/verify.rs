//! `charthouse verify`: whether a log was altered, and what was done to it. It needs no server and no network, and
//! believes nothing but the keys it is given.

mod bundle;
mod keys;
mod log;
mod progress;
mod proof;
mod tiles;
mod verdict;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::verdict::{Finding, Report};

/// What can be found, as in docs/evidence.md.
const EXIT_CODES: &str = "Exit codes:
   0  verified
  10  bad-signature      no trusted key signed it
  11  wrong-origin       of another log, or of another epoch of it
  12  altered-leaf       an event's bytes were changed
  13  missing-leaf       an event is missing, added or out of order
  14  altered-hash       a tile or a hash was changed
  15  truncated-log      the end is missing
  16  rewritten-history  not what was signed or remembered
  17  other-proof        the proof of another event
  18  unreadable         a file is missing, or not what it should be
  19  stale-checkpoint   older than one that was seen before";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Verify {
    /// Print the verdict as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An export of review decisions: a bundle as charthouse export --format zip writes it
    Bundle(bundle::Bundle),
    /// One event, by the file that proves it
    Proof(proof::Proof),
    /// A log published as tiles: a folder with checkpoint and tile/
    Tiles(tiles::Tiles),
    /// A log in its database, running or copied
    Log(log::Log),
}

impl Verify {
    pub async fn run(self) -> ExitCode {
        let outcome = match self.what {
            What::Bundle(bundle) => bundle.run(),
            What::Proof(proof) => proof.run(),
            What::Tiles(tiles) => tiles.run(),
            What::Log(log) => log.run().await,
        };
        let code = outcome
            .as_ref()
            .map_or_else(|finding| finding.verdict.exit_code(), |_| 0);
        if self.json {
            println!("{}", as_json(&outcome));
        } else {
            println!("{}", as_words(&outcome));
        }
        ExitCode::from(code)
    }
}

fn as_words(outcome: &Result<Report, Finding>) -> String {
    match outcome {
        Ok(report) => format!("verified: {}", report.words),
        Err(finding) => format!("NOT VERIFIED ({}): {}", finding.verdict.name(), finding.words),
    }
}

fn as_json(outcome: &Result<Report, Finding>) -> serde_json::Value {
    let (name, code, words, facts) = match outcome {
        Ok(report) => ("verified", 0, &report.words, report.facts.clone()),
        Err(finding) => {
            let verdict = finding.verdict;
            (
                verdict.name(),
                verdict.exit_code(),
                &finding.words,
                serde_json::Map::new(),
            )
        }
    };
    let mut json = facts;
    json.insert("verdict".to_owned(), name.into());
    json.insert("exitCode".to_owned(), code.into());
    json.insert("message".to_owned(), words.as_str().into());
    json.into()
}
