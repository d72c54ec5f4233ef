//! A bundle: a zip file with decisions as signed statements, their proofs, and what it takes to verify them offline.
//!
//! It is written from beginning to end without going back, an entry after the other; what is kept of it is the list of
//! its entries, which is why there is a most of decisions that one may hold. `docs/compliance.md` describes it.

mod archive;
pub mod dsse;
mod html;
mod statement;

use chrono::{DateTime, Utc};
use eventstore::{
    Position,
    transparency::{ProofFile, Prover, SignedCheckpoint},
};
use tokio::task::block_in_place;

use self::archive::Archive;
pub use self::statement::{DECISION_EXPORT, REVIEW_DECISION};
use super::{Export, ExportError, Source, batches::Batches, csv, evidence::Evidence, filter};
use crate::pipe::Pipe;

/// Most decisions of one bundle.
pub const DECISIONS_MAX: u64 = 10_000;

pub const CHECKPOINT: &str = "checkpoint";
pub const KEYS: &str = "vkeys";
pub const KEY_PEM: &str = "key.pem";
pub const EXPORT_PROOF: &str = "export.tlog-proof";
pub const POPULATION: &str = "population.csv";
pub const PAGE: &str = "index.html";
pub const INSTRUCTIONS: &str = "VERIFY.md";
pub const MANIFEST: &str = "manifest.dsse.json";

const VERIFY: &str = include_str!("bundle/VERIFY.md");

/// Where the statement about the decision at `position` is.
#[must_use]
pub fn statement_path(position: u64) -> String {
    format!("decisions/{position:010}.dsse.json")
}

/// Where its proof is, with its leaf.
#[must_use]
pub fn proof_path(position: u64) -> String {
    format!("decisions/{position:010}.tlog-proof")
}

/// Writes the bundle of an export that was recorded.
///
/// # Errors
///
/// [`ExportError`]; what was written so far is no zip file then.
pub async fn write(source: Source, export: Export, pipe: Pipe) -> Result<(), ExportError> {
    let checkpoint = source.transparency.covering(Position::new(export.position)).await?;
    let mut bundle = Bundle {
        prover: source.transparency.prover(&checkpoint),
        archive: Archive::new(pipe),
        checkpoint,
        source,
        export,
    };
    bundle.write().await?;
    // Whoever wanted it may have gone.
    let _ = bundle.archive.finish().await;
    Ok(())
}

struct Bundle {
    source: Source,
    export: Export,
    checkpoint: SignedCheckpoint,
    prover: Prover,
    archive: Archive,
}

/// The first and the last decision of a population: where they stand in the log and when they were made.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ends {
    #[serde(serialize_with = "super::evidence::decimal")]
    pub first_position: u64,
    pub first_at: DateTime<Utc>,
    #[serde(serialize_with = "super::evidence::decimal")]
    pub last_position: u64,
    pub last_at: DateTime<Utc>,
}

impl Bundle {
    async fn write(&mut self) -> Result<(), ExportError> {
        self.archive.file(INSTRUCTIONS, VERIFY.as_bytes()).await?;
        self.keys().await?;
        let proof = self.proof(self.export.position).await?;
        self.archive.file(EXPORT_PROOF, proof.to_string().as_bytes()).await?;
        let ends = self.population().await?;
        self.page(ends).await?;
        self.decisions().await?;
        let manifest = statement::manifest(&self.export, &self.checkpoint, ends, self.archive.hashes()?)?;
        let manifest = dsse::sign(&manifest, self.source.transparency.signer());
        self.archive.file(MANIFEST, manifest.to_string().as_bytes()).await
    }

    async fn keys(&mut self) -> Result<(), ExportError> {
        let transparency = self.source.transparency.clone();
        let keys: String = transparency.keys().iter().map(|key| format!("{key}\n")).collect();
        let pem = dsse::pem(transparency.signer().verifier_key());
        self.archive.file(KEYS, keys.as_bytes()).await?;
        self.archive.file(KEY_PEM, pem.as_bytes()).await?;
        let checkpoint = self.checkpoint.to_string();
        self.archive.file(CHECKPOINT, checkpoint.as_bytes()).await
    }

    async fn population(&mut self) -> Result<Option<Ends>, ExportError> {
        let mut ends: Option<Ends> = None;
        self.archive.start(POPULATION)?;
        csv::header(self.archive.buffer());
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next().await? {
            for evidence in &batch {
                csv::row(evidence, self.archive.buffer());
                let (position, at) = (evidence.position, evidence.decided_at);
                let ends = ends.get_or_insert(Ends {
                    first_position: position,
                    first_at: at,
                    last_position: position,
                    last_at: at,
                });
                (ends.last_position, ends.last_at) = (position, at);
            }
            self.archive.pass_on().await?;
        }
        Ok(ends)
    }

    async fn page(&mut self, ends: Option<Ends>) -> Result<(), ExportError> {
        self.archive.start(PAGE)?;
        html::begin(&self.export, &self.checkpoint, ends, self.archive.buffer());
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next().await? {
            for evidence in &batch {
                html::decision(evidence, self.archive.buffer());
            }
            self.archive.pass_on().await?;
        }
        html::end(self.archive.buffer());
        self.archive.pass_on().await
    }

    async fn decisions(&mut self) -> Result<(), ExportError> {
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next().await? {
            for evidence in &batch {
                self.decision(evidence).await?;
            }
        }
        Ok(())
    }

    async fn decision(&mut self, evidence: &Evidence) -> Result<(), ExportError> {
        let statement = statement::of(evidence, &self.checkpoint)?;
        let envelope = dsse::sign(&statement, self.source.transparency.signer());
        let path = statement_path(evidence.position);
        self.archive.file(&path, envelope.to_string().as_bytes()).await?;
        let proof = self.proof(evidence.position).await?;
        let path = proof_path(evidence.position);
        self.archive.file(&path, proof.to_string().as_bytes()).await
    }

    /// The proof of one event, checked before it is handed on.
    async fn proof(&mut self, position: u64) -> Result<ProofFile, ExportError> {
        let event = self.source.log.read(Position::new(position), 1).await?.pop();
        let event = event.ok_or(ExportError::Missing { position })?;
        // A few small files, most of them in memory already.
        let proof = block_in_place(|| self.prover.inclusion(position))?;
        let file = ProofFile {
            index: position,
            leaf: event.leaf,
            proof,
            checkpoint: self.checkpoint.clone(),
        };
        file.verify(self.source.transparency.keys())
            .map_err(ExportError::Unproven)?;
        Ok(file)
    }

    fn batches(&self) -> Result<Batches, ExportError> {
        let prepared = &self.export.prepared;
        Ok(Batches::read(
            self.source.clone(),
            filter(&prepared.selection)?,
            prepared.size,
        ))
    }
}
