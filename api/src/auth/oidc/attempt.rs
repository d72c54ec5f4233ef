//! A sign-in that was begun, as its browser's cookie has it: sealed, so that nobody reads or alters it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce, aead::Aead as _};
use chrono::{DateTime, Utc};
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use serde::{Deserialize, Serialize};

use crate::{clock, keys::ServerKey};

/// The name of its cookie.
pub const COOKIE: &str = "__Host-charthouse-oidc";
/// How long somebody may stay with the provider.
pub const LIFETIME: Duration = Duration::from_secs(600);

const NONCE_BYTES: usize = 24;

/// What must come back, and what proves that this browser began.
#[derive(Serialize, Deserialize)]
pub struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    expires: Option<DateTime<Utc>>,
}

impl Attempt {
    #[must_use]
    pub fn new(state: &CsrfToken, nonce: &Nonce, verifier: &PkceCodeVerifier) -> Self {
        Self {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            expires: clock::after(LIFETIME),
        }
    }

    /// The value of the cookie; `None` if the system has no random numbers.
    #[must_use]
    pub fn sealed(&self, key: &ServerKey) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let text = serde_json::to_vec(self).ok()?;
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), text.as_slice()).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// What the cookie says, if this server sealed it, not long ago, and `state` came back with it.
    #[must_use]
    pub fn opened(cookie: &str, key: &ServerKey, state: &str, now: DateTime<Utc>) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let text = cipher(key).decrypt(&XNonce::from(nonce), sealed).ok()?;
        let attempt: Self = serde_json::from_slice(&text).ok()?;
        let is_in_time = attempt.expires.is_some_and(|expires| now < expires);
        // Whoever can try states has the cookie already, so the time that this takes tells nobody anything.
        (is_in_time && attempt.state == state).then_some(attempt)
    }

    pub(super) fn nonce(&self) -> Nonce {
        Nonce::new(self.nonce.clone())
    }

    pub(super) fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.verifier.clone())
    }
}

fn cipher(key: &ServerKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.for_oidc_cookies().into())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn key(folder: &tempfile::TempDir, name: &str) -> ServerKey {
        ServerKey::at(&folder.path().join(name)).unwrap()
    }

    #[test]
    fn only_the_browser_that_began_ends_it_and_only_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let key_here = key(&folder, "server.key");
        let (state, nonce) = (CsrfToken::new("state".to_owned()), Nonce::new("nonce".to_owned()));
        let attempt = Attempt::new(&state, &nonce, &PkceCodeVerifier::new("verifier".repeat(8)));
        let cookie = attempt.sealed(&key_here).unwrap();
        let now = clock::now();
        let opened = Attempt::opened(&cookie, &key_here, "state", now).unwrap();
        assert_eq!(
            (opened.nonce.as_str(), opened.verifier),
            ("nonce", "verifier".repeat(8))
        );

        let is_refused = |cookie: &str, key: &ServerKey, state, now| Attempt::opened(cookie, key, state, now).is_none();
        assert!(is_refused(&cookie, &key_here, "another state", now));
        assert!(is_refused(&cookie, &key_here, "", now));
        assert!(is_refused(&cookie, &key(&folder, "other.key"), "state", now));
        assert!(is_refused(&cookie, &key_here, "state", now + TimeDelta::minutes(11)));
        assert!(is_refused("", &key_here, "state", now));
        for at in [0, 30, cookie.len() - 1] {
            let mut altered = cookie.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(is_refused(&altered, &key_here, "state", now), "{at}");
        }
    }
}
