//! The file that proves one leaf to somebody who has nothing else: C2SP `tlog-proof`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::checkpoint::{MalformedCheckpoint, SignedCheckpoint, UntrustedCheckpoint, hash};
use super::merkle::{Hash, leaf_hash};
use super::note::VerifierKey;
use super::proof::{InvalidProof, verify_inclusion};
use crate::event::Envelope;
use crate::leaf::LEAF_BYTES_MAX;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A leaf, its way to the root, and the signed root. It holds this one leaf and tells nothing of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// The leaf's position in the log.
    pub index: u64,
    /// The stored bytes, in the line the format keeps for what the application needs to check the proof.
    pub leaf: Bytes,
    pub proof: Vec<Hash>,
    pub checkpoint: SignedCheckpoint,
}

/// A text that is not a proof file with its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedProofFile {
    #[error("the first line is not {FIRST_LINE:?}")]
    FirstLine,
    #[error("there is no line \"extra\" with a leaf of at most {LEAF_BYTES_MAX} bytes in base64")]
    Leaf,
    #[error("there is no line \"index\" with a position in decimal digits")]
    Index,
    #[error("the proof is not a hash in base64 on every line and an empty line after them")]
    Proof,
    #[error("what follows the proof is not a checkpoint")]
    Checkpoint(#[from] MalformedCheckpoint),
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    #[error(transparent)]
    Checkpoint(#[from] UntrustedCheckpoint),
    /// The leaf, a hash on the way or the index was altered.
    #[error("the leaf and its way do not lead to the signed root")]
    Proof(#[source] InvalidProof),
    /// The leaf says itself that it is another event than the one that is proved.
    #[error("the leaf is event {position} of {log}, and the proof is about another")]
    Misplaced { position: String, log: String },
}

impl ProofFile {
    /// Makes sure that the leaf stands at its position in a log that one of the keys signed.
    ///
    /// # Errors
    ///
    /// [`ProofFault`] says what is wrong.
    pub fn verify(&self, trusted: &[VerifierKey]) -> Result<(), ProofFault> {
        self.checkpoint.verify(trusted)?;
        if let Ok(envelope) = Envelope::parse(&self.leaf)
            && !self.is_at_home(&envelope)
        {
            return Err(ProofFault::Misplaced {
                position: envelope.position.into_owned(),
                log: envelope.source.into_owned(),
            });
        }
        let head = self.checkpoint.checkpoint();
        let verified = verify_inclusion(leaf_hash(&self.leaf), self.index, head.size, &self.proof, &head.root);
        verified.map_err(ProofFault::Proof)
    }

    fn is_at_home(&self, envelope: &Envelope<'_>) -> bool {
        let origin = &self.checkpoint.checkpoint().origin;
        let log = origin.rsplit_once('/').map_or(origin.as_str(), |(log, _)| log);
        envelope.position == self.index.to_string() && envelope.source == log
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "extra {}", STANDARD.encode(&self.leaf))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = MalformedProofFile;

    fn from_str(text: &str) -> Result<Self, MalformedProofFile> {
        let rest = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let (head, checkpoint) = rest
            .ok_or(MalformedProofFile::FirstLine)?
            .split_once("\n\n")
            .ok_or(MalformedProofFile::Proof)?;
        let mut lines = head.split('\n');
        let leaf = lines
            .next()
            .and_then(|line| STANDARD.decode(line.strip_prefix("extra ")?).ok());
        let leaf = leaf
            .filter(|leaf| leaf.len() <= LEAF_BYTES_MAX)
            .ok_or(MalformedProofFile::Leaf)?;
        let digits = lines.next().and_then(|line| line.strip_prefix("index "));
        let index: Option<u64> = digits.and_then(|digits| digits.parse().ok());
        let index = index.filter(|index| digits == Some(index.to_string().as_str()));
        Ok(Self {
            index: index.ok_or(MalformedProofFile::Index)?,
            leaf: leaf.into(),
            proof: lines
                .map(hash)
                .collect::<Option<_>>()
                .ok_or(MalformedProofFile::Proof)?,
            checkpoint: checkpoint.parse()?,
        })
    }
}
