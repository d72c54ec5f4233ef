//! What can be found, each with a name and an exit code of its own.

use std::{error::Error, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::transparency::{Fault, ProofFault, TileKind, UntrustedCheckpoint, Verified};
use serde_json::{Map, Value, json};

use crate::causes::with_causes;

/// Why something is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not signed with a trusted key, or the signature is wrong.
    BadSignature,
    /// Of another log, or of another epoch of it.
    WrongOrigin,
    /// An event's bytes are not those that were recorded.
    AlteredLeaf,
    /// An event is missing, added or out of order.
    MissingLeaf,
    /// A hash or a tile is missing or not the right one; the events may be.
    AlteredHash,
    /// The end of the log is missing.
    TruncatedLog,
    /// Consistent in itself, and not what was signed before.
    RewrittenHistory,
    /// Right, and about another event.
    OtherProof,
    /// It is not what it should be, or cannot be read.
    Unreadable,
    /// An older checkpoint is shown than was seen before.
    StaleCheckpoint,
    /// What a bundle says is not what was signed, or not what the log says.
    AlteredStatement,
    /// A file of a bundle is missing, broken or one too many.
    DamagedBundle,
    /// A bundle holds fewer decisions than the log says were exported.
    MissingDecision,
}

/// A verdict, and what was found where.
#[derive(Debug)]
pub struct Finding {
    pub verdict: Verdict,
    pub words: String,
}

/// What was verified, for people and for scripts.
#[derive(Debug)]
pub struct Report {
    pub words: String,
    pub facts: Map<String, Value>,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::WrongOrigin => "wrong-origin",
            Self::AlteredLeaf => "altered-leaf",
            Self::MissingLeaf => "missing-leaf",
            Self::AlteredHash => "altered-hash",
            Self::TruncatedLog => "truncated-log",
            Self::RewrittenHistory => "rewritten-history",
            Self::OtherProof => "other-proof",
            Self::Unreadable => "unreadable",
            Self::StaleCheckpoint => "stale-checkpoint",
            Self::AlteredStatement => "altered-statement",
            Self::DamagedBundle => "damaged-bundle",
            Self::MissingDecision => "missing-decision",
        }
    }

    /// 1 and 2 are left to failures of the program and of its command line.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::BadSignature => 10,
            Self::WrongOrigin => 11,
            Self::AlteredLeaf => 12,
            Self::MissingLeaf => 13,
            Self::AlteredHash => 14,
            Self::TruncatedLog => 15,
            Self::RewrittenHistory => 16,
            Self::OtherProof => 17,
            Self::Unreadable => 18,
            Self::StaleCheckpoint => 19,
            Self::AlteredStatement => 20,
            Self::DamagedBundle => 21,
            Self::MissingDecision => 22,
        }
    }

    /// With the words of an error and its causes.
    pub fn because(self, error: &dyn Error) -> Finding {
        Finding {
            verdict: self,
            words: with_causes(error),
        }
    }
}

impl Verdict {
    pub fn says(self, words: impl Into<String>) -> Finding {
        Finding {
            verdict: self,
            words: words.into(),
        }
    }
}

impl Finding {
    pub fn unreadable(path: &Path, error: &dyn Error) -> Self {
        let Self { verdict, words } = Verdict::Unreadable.because(error);
        let words = format!("{} could not be used: {words}", path.display());
        Self { verdict, words }
    }
}

fn untrusted(error: &UntrustedCheckpoint) -> Verdict {
    match error {
        UntrustedCheckpoint::Origin { .. } => Verdict::WrongOrigin,
        UntrustedCheckpoint::Signature(_) => Verdict::BadSignature,
    }
}

impl From<UntrustedCheckpoint> for Finding {
    fn from(error: UntrustedCheckpoint) -> Self {
        untrusted(&error).because(&error)
    }
}

impl From<ProofFault> for Finding {
    fn from(fault: ProofFault) -> Self {
        let verdict = match &fault {
            ProofFault::Checkpoint(error) => untrusted(error),
            ProofFault::Proof(_) => Verdict::AlteredLeaf,
            ProofFault::Misplaced { .. } => Verdict::OtherProof,
        };
        verdict.because(&fault)
    }
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        let verdict = match &fault {
            Fault::Untrusted(error) => untrusted(error),
            Fault::Origin { .. } => Verdict::WrongOrigin,
            Fault::AlteredLeaf { .. } => Verdict::AlteredLeaf,
            Fault::Misplaced { .. } => Verdict::MissingLeaf,
            Fault::MissingTile { tile } if tile.kind == TileKind::Entries => Verdict::MissingLeaf,
            Fault::AlteredHash { .. } | Fault::AlteredTile { .. } | Fault::MissingTile { .. } => Verdict::AlteredHash,
            Fault::Truncated { .. } => Verdict::TruncatedLog,
            Fault::Rewritten { .. } => Verdict::RewrittenHistory,
            Fault::Stale { .. } => Verdict::StaleCheckpoint,
            Fault::Io { .. } | Fault::NoCheckpoint { .. } | Fault::Malformed { .. } | Fault::Unreadable(_) => {
                Verdict::Unreadable
            }
        };
        verdict.because(&fault)
    }
}

impl From<Verified> for Report {
    fn from(verified: Verified) -> Self {
        let Verified {
            origin,
            size,
            root,
            leaves,
            since,
        } = verified;
        let hashed = match leaves {
            0 => "only their hashes are published and were checked".to_owned(),
            leaves => format!("{leaves} were hashed"),
        };
        let since_words = match since {
            Some(since) => format!("; the log goes on from the {since} events that are remembered"),
            None => {
                "; nothing is remembered of it, so a log that was rewritten as a whole would go unnoticed".to_owned()
            }
        };
        let mut facts = Map::new();
        facts.insert("origin".to_owned(), origin.as_str().into());
        facts.insert("size".to_owned(), size.into());
        facts.insert("root".to_owned(), STANDARD.encode(root).into());
        facts.insert("leaves".to_owned(), leaves.into());
        facts.insert("since".to_owned(), json!(since));
        Self {
            words: format!("{origin} has {size} events, {hashed}{since_words}"),
            facts,
        }
    }
}
