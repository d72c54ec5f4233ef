//! The server's own secret, and what it is used for: keyed hashes that mean nothing without it.

use std::path::Path;

use domain::{digest::Digest, names::AccountName};
use eventstore::{Key, KeyError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// It never leaves this process and its key file.
#[derive(Clone)]
pub struct ServerKey(Key);

/// What a keyed hash is for. Hashes of the same bytes for two purposes are unrelated.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Request,
    AccountName,
    Upload,
    Identity,
    OidcCookies,
}

impl ServerKey {
    /// The key in the file at `path`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// As [`Key::from_file`].
    pub fn at(path: &Path) -> Result<Self, KeyError> {
        Key::from_file(path).map(Self)
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

    /// What the log calls somebody that an `OpenID` provider vouches for.
    #[must_use]
    pub fn of_identity(&self, issuer: &str, subject: &str) -> Digest {
        // No issuer holds a zero byte, so no two pairs are spelled alike.
        let pair = [issuer.as_bytes(), subject.as_bytes()].join(&0);
        Digest::from_bytes(self.keyed_hash(Purpose::Identity, &pair))
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

    /// The key of the cookies that tell of sign-ins under way.
    #[must_use]
    pub fn for_oidc_cookies(&self) -> [u8; 32] {
        self.keyed_hash(Purpose::OidcCookies, b"")
    }

    fn keyed_hash(&self, purpose: Purpose, bytes: &[u8]) -> [u8; 32] {
        self.start(purpose, bytes).finalize().into_bytes().into()
    }

    fn start(&self, purpose: Purpose, bytes: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a key up to the hash's block with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(self.0.bytes());
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
    fn hashes_for_two_purposes_are_unrelated() {
        let folder = tempfile::tempdir().unwrap();
        let key = ServerKey::at(&folder.path().join("server.key")).unwrap();
        assert_ne!(key.of_request(b"isv"), key.of_upload(b"isv"));
        assert!(key.seals_upload(b"ticket", &key.of_upload(b"ticket")));
        assert!(!key.seals_upload(b"ticket2", &key.of_upload(b"ticket")));
    }
}
