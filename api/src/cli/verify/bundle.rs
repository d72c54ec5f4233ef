//! An export bundle: every statement, every proof, and that none is missing.
//!
//! Three things have to agree: what the statements say and who signed them, what the log says by its proofs, and the
//! population that the log says was exported.

mod contents;
mod population;
mod statement;

use std::{collections::BTreeSet, path::PathBuf};

use clap::Args;
use eventstore::transparency::{ProofFile, SignedCheckpoint, VerifierKey};
use serde_json::{Map, Value};

use self::{contents::Contents, population::Rows, statement::Statement};
use super::{
    keys::Keys,
    verdict::{Finding, Report, Verdict},
};
use crate::exports::bundle::{self, CHECKPOINT, DECISION_EXPORT, EXPORT_PROOF, MANIFEST, POPULATION, REVIEW_DECISION};

#[derive(Debug, Args)]
pub struct Bundle {
    /// The zip file
    file: PathBuf,
    #[command(flatten)]
    keys: Keys,
}

impl Bundle {
    pub fn run(&self) -> Result<Report, Finding> {
        let keys = self.keys.read()?;
        let mut check = Check {
            contents: Contents::open(&self.file)?,
            keys,
        };
        check.run()
    }
}

struct Check {
    contents: Contents,
    keys: Vec<VerifierKey>,
}

/// What the log says of the export.
struct Recorded {
    position: u64,
    count: u64,
}

impl Check {
    fn run(&mut self) -> Result<Report, Finding> {
        let checkpoint: SignedCheckpoint = self.contents.parsed(CHECKPOINT)?;
        checkpoint.verify(&self.keys)?;
        let recorded = self.export(&checkpoint)?;
        self.manifest(&checkpoint, &recorded)?;
        let mut decisions = BTreeSet::new();
        let rows = Rows::of(self.contents.open_file(POPULATION)?).collect::<Result<Vec<_>, _>>()?;
        for row in rows {
            self.decision(row.position, &row.id, &checkpoint)?;
            decisions.insert(row.position);
        }
        if decisions.len() as u64 != recorded.count {
            let words = format!(
                "the log says that {} decisions were exported, and the bundle holds {}",
                recorded.count,
                decisions.len()
            );
            return Err(Verdict::MissingDecision.says(words));
        }
        self.nothing_else(&decisions)?;
        Ok(report(&checkpoint, &recorded, &decisions))
    }

    /// The event that recorded the export.
    fn export(&mut self, checkpoint: &SignedCheckpoint) -> Result<Recorded, Finding> {
        let (position, event) = self.proven(EXPORT_PROOF, checkpoint)?;
        let count = event["data"]["count"].as_str().and_then(|count| count.parse().ok());
        match (event["type"].as_str(), event["data"]["format"].as_str(), count) {
            (Some("DecisionsExported"), Some("zip"), Some(count)) => Ok(Recorded { position, count }),
            _ => Err(Verdict::OtherProof.says(format!(
                "{EXPORT_PROOF} proves another event than the export of a bundle"
            ))),
        }
    }

    /// The files that do not vouch for themselves.
    fn manifest(&mut self, checkpoint: &SignedCheckpoint, recorded: &Recorded) -> Result<(), Finding> {
        let manifest = self.statement(MANIFEST, DECISION_EXPORT, checkpoint)?;
        manifest.agrees(&["predicate", "position"], &recorded.position.to_string())?;
        let named = manifest.subjects()?;
        for (name, sha256) in &named {
            if self.contents.sha256(name)? != *sha256 {
                return Err(Verdict::AlteredStatement.says(format!("{name} is not the file that was signed")));
            }
        }
        let is_known = |name: &String| name.contains('/') || name == MANIFEST || named.contains_key(name);
        match self.contents.names().iter().find(|name| !is_known(name)) {
            Some(name) => Err(Verdict::DamagedBundle.says(format!("{name} does not belong to the bundle"))),
            None => Ok(()),
        }
    }

    fn decision(&mut self, position: u64, id: &str, checkpoint: &SignedCheckpoint) -> Result<(), Finding> {
        let (statement, proof) = (bundle::statement_path(position), bundle::proof_path(position));
        if !self.contents.has(&statement) || !self.contents.has(&proof) {
            let words = format!("decision {id} at position {position} is in the population, and not in the bundle");
            return Err(Verdict::MissingDecision.says(words));
        }
        let (proven, event) = self.proven(&proof, checkpoint)?;
        if proven != position {
            return Err(Verdict::OtherProof.says(format!("{proof} proves the event at position {proven}")));
        }
        let statement = self.statement(&statement, REVIEW_DECISION, checkpoint)?;
        statement.agrees(&["predicate", "id"], id)?;
        statement.is_about(&event)
    }

    /// An event of the log, by its proof, which has to lead to the bundle's own checkpoint.
    fn proven(&mut self, name: &str, checkpoint: &SignedCheckpoint) -> Result<(u64, Value), Finding> {
        let proof: ProofFile = self.contents.parsed(name)?;
        proof.verify(&self.keys).map_err(|fault| in_file(name, fault.into()))?;
        if proof.checkpoint.checkpoint() != checkpoint.checkpoint() {
            let words = format!("{name} leads to another checkpoint than the bundle's");
            return Err(Verdict::OtherProof.says(words));
        }
        let event = serde_json::from_slice(&proof.leaf);
        let event = event.map_err(|error| in_file(name, Verdict::AlteredLeaf.because(&error)))?;
        Ok((proof.index, event))
    }

    fn statement(&mut self, name: &str, predicate: &str, checkpoint: &SignedCheckpoint) -> Result<Statement, Finding> {
        let statement = Statement::read(name, &self.contents.text(name)?, &self.keys)?;
        statement.agrees(&["predicateType"], predicate)?;
        statement.agrees(&["predicate", "log", "origin"], &checkpoint.checkpoint().origin)?;
        Ok(statement)
    }

    fn nothing_else(&self, decisions: &BTreeSet<u64>) -> Result<(), Finding> {
        let paths = |position: &u64| [bundle::statement_path(*position), bundle::proof_path(*position)];
        let expected: BTreeSet<_> = decisions.iter().flat_map(paths).collect();
        let mut names = self.contents.names().iter();
        match names.find(|name| name.contains('/') && !expected.contains(*name)) {
            Some(name) => Err(Verdict::DamagedBundle.says(format!("{name} is not in the population"))),
            None => Ok(()),
        }
    }
}

fn report(checkpoint: &SignedCheckpoint, recorded: &Recorded, decisions: &BTreeSet<u64>) -> Report {
    let head = checkpoint.checkpoint();
    let ends = match (decisions.first(), decisions.last()) {
        (Some(first), Some(last)) => format!(", from position {first} to {last},"),
        _ => String::new(),
    };
    let words = format!(
        "all {} decisions{ends} are signed and stand in {}, whose {} events are signed; the export is recorded at position {}",
        recorded.count, head.origin, head.size, recorded.position
    );
    let mut facts = Map::new();
    facts.insert("origin".to_owned(), head.origin.as_str().into());
    facts.insert("size".to_owned(), head.size.into());
    facts.insert("decisions".to_owned(), recorded.count.into());
    facts.insert("export".to_owned(), recorded.position.into());
    Report { words, facts }
}

fn in_file(name: &str, finding: Finding) -> Finding {
    let Finding { verdict, words } = finding;
    verdict.says(format!("{name}: {words}"))
}
