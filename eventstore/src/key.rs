//! Secret keys, each in a file of its own for its owner only.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::folders;

/// 256 random bits, written as 64 hexadecimal digits.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file {} may be read by others (mode {mode:03o}); make it 600", path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("a key is 64 hexadecimal digits")]
    Malformed,
    #[error("key file {} does not hold 64 hexadecimal digits", path.display())]
    MalformedFile { path: PathBuf },
    #[error("key file {} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the system has no random numbers for a key")]
    Random(#[source] getrandom::Error),
}

impl Key {
    /// Reads the key from `path`; if there is no such file, draws a key and keeps it there, for its owner only.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if others may read the file, or it does not hold a key.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        match File::open(path) {
            Ok(file) => Self::read(file, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; 32]);
                getrandom::fill(bytes.as_mut()).map_err(KeyError::Random)?;
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
    /// [`KeyError::Malformed`] if it is anything else.
    pub fn from_hex(digits: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits.trim(), bytes.as_mut()).map_err(|_| KeyError::Malformed)?;
        Ok(Self(bytes))
    }

    fn read(mut file: File, path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::ReadableByOthers {
                path: path.to_owned(),
                mode,
            });
        }
        let mut digits = Zeroizing::new(String::with_capacity(128));
        file.read_to_string(&mut digits).map_err(io)?;
        Self::from_hex(&digits).map_err(|_| KeyError::MalformedFile { path: path.to_owned() })
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Durable before the key is used for anything.
fn create(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()?;
    folders::sync_entry(path)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_file_is_made_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let drawn = Key::from_file(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Key::from_file(&path).unwrap().bytes(), drawn.bytes());
    }

    #[test]
    fn a_key_file_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        Key::from_file(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Key::from_file(&path);
        assert!(matches!(refused, Err(KeyError::ReadableByOthers { mode: 0o640, .. })));
    }

    #[test]
    fn a_file_that_holds_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create(&path, b"secret").unwrap();
        let refused = Key::from_file(&path);
        assert!(matches!(refused, Err(KeyError::MalformedFile { path: named }) if named == path));
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(Key::from_hex(&"0f".repeat(32)).unwrap().bytes(), &[0x0f; 32]);
        for text in ["", "0f", &"0g".repeat(32), &"0f".repeat(33)] {
            assert!(matches!(Key::from_hex(text), Err(KeyError::Malformed)), "{text}");
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", Key::from_hex(&"0f".repeat(32)).unwrap()), "Key");
    }
}
