//! Finding out whether a log was altered, and what was done to it. Nothing here needs the process that wrote it.

mod log;
mod tiles;

use std::io;
use std::path::PathBuf;

pub use self::log::verify_log;
pub use self::tiles::verify_tiles;
use super::checkpoint::{Checkpoint, MalformedCheckpoint, SignedCheckpoint, UntrustedCheckpoint};
use super::merkle::{Frontier, Hash};
use super::prover::ProveError;
use super::tile::Tile;
use crate::event::Envelope;
use crate::store::ReadError;

/// What was found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub origin: String,
    /// How many events the log has.
    pub size: u64,
    pub root: Hash,
    /// How many leaves were there and hashed; 0 if only hashes are published.
    pub leaves: u64,
    /// Size of the remembered checkpoint that the log goes on from.
    pub since: Option<u64>,
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the checkpoint is not believed")]
    Untrusted(#[source] UntrustedCheckpoint),
    /// Log and remembered checkpoint are not of one log and epoch.
    #[error("the log is {found}, and the remembered checkpoint is of {remembered}")]
    Origin { found: String, remembered: String },
    #[error("the event at position {position} was altered")]
    AlteredLeaf { position: u64 },
    /// A hash that is kept beside the leaf, while the leaf is right.
    #[error("the hash stored for the event at position {position} was altered")]
    AlteredHash { position: u64 },
    #[error("{tile} was altered")]
    AlteredTile { tile: Tile },
    #[error("an event is missing, added or out of order at position {position}")]
    Misplaced { position: u64 },
    #[error("{tile} is missing")]
    MissingTile { tile: Tile },
    /// The end was cut off.
    #[error("the log has {found} events, and it had {remembered}")]
    Truncated { remembered: u64, found: u64 },
    /// Consistent in itself, and not what was signed or remembered.
    #[error("the first {size} events are not those that were signed")]
    Rewritten { size: u64 },
    /// An old checkpoint is shown, while the log is longer.
    #[error("the checkpoint is of {found} events, and a newer one of {remembered} was seen")]
    Stale { remembered: u64, found: u64 },
    #[error("{} could not be read", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("there is no checkpoint in {}", path.display())]
    NoCheckpoint { path: PathBuf },
    #[error("{} does not hold a checkpoint", path.display())]
    Malformed {
        path: PathBuf,
        #[source]
        source: MalformedCheckpoint,
    },
    #[error("the log could not be read")]
    Unreadable(#[from] ReadError),
}

/// Grows with the leaves, and compares on the way with what is remembered.
struct Growing<'a> {
    frontier: Frontier,
    since: Option<&'a Checkpoint>,
    /// Whether the remembered root was met.
    has_since: bool,
}

impl<'a> Growing<'a> {
    fn new(since: Option<&'a SignedCheckpoint>) -> Self {
        let mut growing = Self {
            frontier: Frontier::default(),
            since: since.map(SignedCheckpoint::checkpoint),
            has_since: false,
        };
        growing.compare();
        growing
    }

    fn append(&mut self, leaf_hash: Hash) {
        self.frontier.append(leaf_hash);
        self.compare();
    }

    /// Adds the leaves of a full tile whose own hash is known.
    fn append_tile(&mut self, hashes: &[Hash], tile: Hash) {
        let (from, to) = (self.frontier.size(), self.frontier.size() + hashes.len() as u64);
        let is_met_within = self.since.is_some_and(|since| from < since.size && since.size < to);
        if is_met_within {
            hashes.iter().for_each(|hash| self.append(*hash));
        } else {
            self.frontier.append_subtree(hashes.len().ilog2(), tile);
            self.compare();
        }
    }

    fn compare(&mut self) {
        if let Some(since) = self.since
            && since.size == self.frontier.size()
        {
            self.has_since = since.root == self.frontier.root();
        }
    }

    /// # Errors
    ///
    /// If what is remembered is not the beginning of what was seen.
    fn check_since(&self) -> Result<Option<u64>, Fault> {
        match self.since {
            None => Ok(None),
            Some(since) if since.size > self.frontier.size() => Err(Fault::Truncated {
                remembered: since.size,
                found: self.frontier.size(),
            }),
            Some(since) if !self.has_since => Err(Fault::Rewritten { size: since.size }),
            Some(since) => Ok(Some(since.size)),
        }
    }
}

/// Whether a leaf says itself that it belongs elsewhere.
fn is_misplaced(leaf: &[u8], position: u64) -> bool {
    Envelope::parse(leaf).is_ok_and(|envelope| envelope.position != position.to_string())
}

impl From<ProveError> for Fault {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::OutOfTree(out) => Self::Truncated {
                remembered: out.asked,
                found: out.size,
            },
            ProveError::Tile { tile, source } => unread(tile, source),
            ProveError::TileLength { tile, .. } => Self::AlteredTile { tile },
        }
    }
}

fn unread(tile: Tile, source: io::Error) -> Fault {
    if source.kind() == io::ErrorKind::NotFound {
        Fault::MissingTile { tile }
    } else {
        Fault::Io {
            path: tile.to_string().into(),
            source,
        }
    }
}
