//! What the verifier trusts, and what it remembers.

use std::path::{Path, PathBuf};

use clap::Args;
use eventstore::transparency::{SignedCheckpoint, VerifierKey};

use super::verdict::{Finding, Verdict};

#[derive(Debug, Args)]
pub struct Keys {
    /// A key to trust: name+id+base64, or a file with one on each line; may be given more than once
    #[arg(long = "key", value_name = "KEY|FILE", required = true)]
    keys: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Since {
    /// A checkpoint that was seen and kept: the log must go on from it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

impl Keys {
    pub fn read(&self) -> Result<Vec<VerifierKey>, Finding> {
        read(&self.keys)
    }
}

/// Keys as they are given on the command line.
pub fn read(given: &[String]) -> Result<Vec<VerifierKey>, Finding> {
    let mut trusted = Vec::new();
    for text in given {
        if let Ok(key) = text.parse() {
            trusted.push(key);
            continue;
        }
        let path = Path::new(text);
        for line in read_text(path)?.lines().filter(|line| !line.trim().is_empty()) {
            trusted.push(line.trim().parse().map_err(|error| Finding::unreadable(path, &error))?);
        }
    }
    if trusted.is_empty() {
        let words = "no key is trusted: give one with --key".to_owned();
        return Err(Finding {
            verdict: Verdict::Unreadable,
            words,
        });
    }
    Ok(trusted)
}

impl Since {
    pub fn read(&self) -> Result<Option<SignedCheckpoint>, Finding> {
        let Some(path) = &self.since else { return Ok(None) };
        let checkpoint = read_text(path)?.parse();
        checkpoint.map(Some).map_err(|error| Finding::unreadable(path, &error))
    }

    pub fn is_given(&self) -> bool {
        self.since.is_some()
    }
}

pub fn read_text(path: &Path) -> Result<String, Finding> {
    std::fs::read_to_string(path).map_err(|error| Finding::unreadable(path, &error))
}
