//! The key that wraps all keys of the vault. It lives outside the database.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::key::{Key, KeyError};

/// Whoever loses it loses everything in the vault.
#[derive(Debug, Clone)]
pub struct MasterKey(Key);

/// The master key that wraps new keys, and those that still open what they once wrapped.
#[derive(Debug, Clone)]
pub struct Keyring {
    pub current: MasterKey,
    pub retired: Vec<MasterKey>,
}

impl From<MasterKey> for Keyring {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            retired: Vec::new(),
        }
    }
}

impl Keyring {
    /// The key of this id.
    pub(crate) fn find(&self, id: &[u8]) -> Option<&MasterKey> {
        std::iter::once(&self.current)
            .chain(&self.retired)
            .find(|key| key.id() == id)
    }
}

impl MasterKey {
    /// The key in the file at `path`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// As [`Key::from_file`].
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        Key::from_file(path).map(Self)
    }

    /// The key written as 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// As [`Key::from_hex`].
    pub fn from_hex(digits: &str) -> Result<Self, KeyError> {
        Key::from_hex(digits).map(Self)
    }

    /// Names the key without giving it away: kept beside what it wraps.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        let hash = Sha256::new()
            .chain_update("charthouse master key id\0")
            .chain_update(self.bytes())
            .finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }
}
