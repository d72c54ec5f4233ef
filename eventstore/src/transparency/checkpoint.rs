//! How much of the log somebody signed: C2SP `tlog-checkpoint`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;
use super::note::{MalformedNote, Note, Signer, UntrustedNote, VerifierKey};

/// The head of a log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, and which epoch of it: `charthouse:<log id>/<epoch>`. Also the name of the keys that sign it.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// A checkpoint with its signatures, which nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// A text that is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCheckpoint {
    #[error("the checkpoint is not a signed note")]
    Note(#[from] MalformedNote),
    #[error("a checkpoint's text is an origin, a size in decimal digits and a root in base64, a line each")]
    Text,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntrustedCheckpoint {
    /// No trusted key is of the log, or of the epoch, that it is about.
    #[error("the checkpoint is of {found}, and the trusted keys are of another log or epoch")]
    Origin { found: String },
    #[error("the checkpoint's signature cannot be trusted")]
    Signature(#[source] UntrustedNote),
}

impl SignedCheckpoint {
    #[must_use]
    pub fn sign(checkpoint: Checkpoint, signer: &Signer) -> Self {
        let note = Note::sign(checkpoint.to_string(), signer);
        Self { checkpoint, note }
    }

    /// What it says, to be believed after [`SignedCheckpoint::verify`].
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Makes sure that it is of the log one of the keys is named after, and signed with that key.
    ///
    /// # Errors
    ///
    /// [`UntrustedCheckpoint`] says which of the two it is not.
    pub fn verify(&self, trusted: &[VerifierKey]) -> Result<(), UntrustedCheckpoint> {
        let found = &self.checkpoint.origin;
        if !trusted.iter().any(|key| key.name() == found) {
            return Err(UntrustedCheckpoint::Origin { found: found.clone() });
        }
        let signed_by = self.note.verify(trusted).map_err(UntrustedCheckpoint::Signature)?;
        if signed_by.name() == found {
            Ok(())
        } else {
            Err(UntrustedCheckpoint::Signature(UntrustedNote::UnknownKey))
        }
    }
}

/// The signed note.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for SignedCheckpoint {
    type Err = MalformedCheckpoint;

    fn from_str(note: &str) -> Result<Self, MalformedCheckpoint> {
        let note: Note = note.parse()?;
        let checkpoint = note.text().parse()?;
        Ok(Self { checkpoint, note })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root } = self;
        write!(f, "{origin}\n{size}\n{}\n", STANDARD.encode(root))
    }
}

/// Lines after the third belong to extensions, and are signed and ignored.
impl FromStr for Checkpoint {
    type Err = MalformedCheckpoint;

    fn from_str(text: &str) -> Result<Self, MalformedCheckpoint> {
        let mut lines = text.split_terminator('\n');
        let (Some(origin), Some(digits), Some(base64)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(MalformedCheckpoint::Text);
        };
        let size: u64 = digits.parse().map_err(|_| MalformedCheckpoint::Text)?;
        let root = hash(base64).ok_or(MalformedCheckpoint::Text)?;
        if origin.is_empty() || size.to_string() != digits || lines.any(str::is_empty) {
            return Err(MalformedCheckpoint::Text);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

/// A hash in base64.
pub(super) fn hash(base64: &str) -> Option<Hash> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}
