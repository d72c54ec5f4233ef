//! The key that wraps all keys of the vault. It lives outside the database.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::folders;

/// 256 random bits. Whoever loses it loses everything in the vault.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("key file {} may be read by others (mode {mode:03o}); make it 600", path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("a master key is 64 hexadecimal digits")]
    Malformed,
    #[error("key file {} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the system has no random numbers for a key")]
    Random(#[source] getrandom::Error),
}

impl MasterKey {
    /// Reads the key from `path`; if there is no such file, draws a key and keeps it there, for its owner only.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError`] if others may read the file, or it does not hold a key.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source| MasterKeyError::Io {
            path: path.to_owned(),
            source,
        };
        match File::open(path) {
            Ok(file) => Self::read(file, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; 32]);
                getrandom::fill(bytes.as_mut()).map_err(MasterKeyError::Random)?;
                let text = Zeroizing::new(hex::encode(bytes.as_ref()));
                create(path, text.as_bytes()).map_err(io)?;
                Ok(Self(bytes))
            }
            Err(error) => Err(io(error)),
        }
    }

    /// The key written as 64 hexadecimal digits, as an environment variable gives it.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError::Malformed`] if it is anything else.
    pub fn from_hex(digits: &str) -> Result<Self, MasterKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits.trim(), bytes.as_mut()).map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(bytes))
    }

    fn read(mut file: File, path: &Path) -> Result<Self, MasterKeyError> {
        let io = |source| MasterKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::ReadableByOthers {
                path: path.to_owned(),
                mode,
            });
        }
        let mut digits = Zeroizing::new(String::with_capacity(128));
        file.read_to_string(&mut digits).map_err(io)?;
        Self::from_hex(&digits)
    }

    /// Names the key without giving it away: kept beside what it wraps.
    pub(crate) fn id(&self) -> [u8; 8] {
        let hash = Sha256::new()
            .chain_update("charthouse master key id\0")
            .chain_update(self.bytes())
            .finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        id
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Durable before anything is wrapped with the key.
fn create(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()?;
    folders::sync_entry(path)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_file_is_made_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let drawn = MasterKey::from_file(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::from_file(&path).unwrap().bytes(), drawn.bytes());
    }

    #[test]
    fn a_key_file_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        MasterKey::from_file(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = MasterKey::from_file(&path);
        assert!(matches!(
            refused,
            Err(MasterKeyError::ReadableByOthers { mode: 0o640, .. })
        ));
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(MasterKey::from_hex(&"0f".repeat(32)).unwrap().bytes(), &[0x0f; 32]);
        for text in ["", "0f", &"0g".repeat(32), &"0f".repeat(33)] {
            assert!(
                matches!(MasterKey::from_hex(text), Err(MasterKeyError::Malformed)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(
            format!("{:?}", MasterKey::from_hex(&"0f".repeat(32)).unwrap()),
            "MasterKey"
        );
    }
}
