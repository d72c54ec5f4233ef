//! The server's own secret, and what it is used for: keyed hashes that mean nothing without it.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use domain::{digest::Digest, names::AccountName};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 256 random bits that never leave this process and its key file.
#[derive(Clone)]
pub struct ServerKey(Zeroizing<[u8; 32]>);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key file {} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the key file {} must hold 64 hexadecimal digits", path.display())]
    Malformed { path: PathBuf },
    #[error("the key file {} may be read by others (mode {mode:o}); make it 600", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the system has no random numbers")]
    Random(#[source] getrandom::Error),
}

/// What a keyed hash is for. Hashes of the same bytes for two purposes are unrelated.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Request,
    AccountName,
    Upload,
}

impl ServerKey {
    /// Reads the key file, or makes it with mode 600.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the file is readable by others, is not a key, or cannot be used.
    pub fn at(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        match fs::metadata(path) {
            Ok(metadata) => {
                let mode = metadata.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(KeyError::Exposed {
                        path: path.to_owned(),
                        mode,
                    });
                }
                let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
                let mut key = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim(), key.as_mut_slice())
                    .map_err(|_| KeyError::Malformed { path: path.to_owned() })?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(io(error)),
        }
    }

    fn create(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(KeyError::Random)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        let text = Zeroizing::new(hex::encode(key.as_slice()));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        Ok(Self(key))
    }

    /// Tells a repeated request from another one under the same command id.
    #[must_use]
    pub fn of_request(&self, canonical: &[u8]) -> [u8; 32] {
        self.keyed_hash(Purpose::Request, canonical)
    }

    /// What the log calls an account, where a name must be unique but not readable.
    #[must_use]
    pub fn of_account_name(&self, name: &AccountName) -> Digest {
        Digest::from_bytes(self.keyed_hash(Purpose::AccountName, name.as_str().as_bytes()))
    }

    /// Seals an upload id against forgery.
    #[must_use]
    pub fn of_upload(&self, ticket: &[u8]) -> [u8; 32] {
        self.keyed_hash(Purpose::Upload, ticket)
    }

    /// Whether `mac` seals `ticket`; takes the same time wherever they differ.
    #[must_use]
    pub fn seals_upload(&self, ticket: &[u8], mac: &[u8]) -> bool {
        self.start(Purpose::Upload, ticket).verify_slice(mac).is_ok()
    }

    fn keyed_hash(&self, purpose: Purpose, bytes: &[u8]) -> [u8; 32] {
        self.start(purpose, bytes).finalize().into_bytes().into()
    }

    fn start(&self, purpose: Purpose, bytes: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a key up to the hash's block with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(self.0.as_slice());
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        mac.update(&[purpose as u8]);
        mac.update(bytes);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let made = ServerKey::at(&path).unwrap().of_request(b"x");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ServerKey::at(&path).unwrap().of_request(b"x"), made);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        fs::write(&path, "00".repeat(32)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            ServerKey::at(&path),
            Err(KeyError::Exposed { mode: 0o644, .. })
        ));
    }

    #[test]
    fn hashes_for_two_purposes_are_unrelated() {
        let folder = tempfile::tempdir().unwrap();
        let key = ServerKey::at(&folder.path().join("server.key")).unwrap();
        assert_ne!(key.of_request(b"isv"), key.of_upload(b"isv"));
        assert!(key.seals_upload(b"ticket", &key.of_upload(b"ticket")));
        assert!(!key.seals_upload(b"ticket2", &key.of_upload(b"ticket")));
    }
}
