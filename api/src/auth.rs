//! Who asks: by a bearer token or by the cookie of a session, and what that opens now.

pub mod attempts;
pub mod cookie;
mod last_use;
pub mod oidc;
pub mod passwords;
mod refusals;
pub mod sign_in;

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{access::Principal, digest::Digest, ids::AccountId, refusal::Reason};
use projections::{
    Views,
    access::{Key, Shut},
};
use zeroize::Zeroizing;

pub use self::refusals::Refusals;
use self::{attempts::Attempts, last_use::LastUse, passwords::Passwords};
use crate::{clock, config::Limits, content::from_store, services::Services};

/// How often it is asked whether what a lasting connection was opened by still opens anything.
pub const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What every token starts with, so that scanners recognise one that leaked.
const PREFIX: &str = "charthouse_";

/// A new bearer token: the prefix and 256 random bits. Shown once; the log keeps its hash.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn new_token() -> Result<Zeroizing<String>, getrandom::Error> {
    Ok(Zeroizing::new(format!("{PREFIX}{}", new_secret()?.as_str())))
}

/// 256 random bits as text. The log keeps its hash.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn new_secret() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice())))
}

/// What the log knows a token or a session by.
#[must_use]
pub fn secret_of(token: &str) -> Digest {
    from_store(eventstore::Digest::of(token.as_bytes()))
}

/// What a client shows of itself: nothing, a token, or a session's cookie, kept by its hash. What it opens is looked up
/// whenever it is used, so that a connection outlives neither its token nor the rights behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    Absent,
    /// An `Authorization` header that nobody understands. It opens nothing, also where a cookie would.
    Unreadable,
    Token(Digest),
    Session(Digest),
}

/// Who asks, with the rights of the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    Anonymous,
    Account(Arc<Principal>, Key),
}

/// What was shown opens nothing. The caller is told no more; the rest is for auditors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    /// The token is unknown, revoked or expired, or the header is not understood.
    #[error("the token is not valid")]
    Token(Shut),
    #[error("the session is over; sign in again")]
    Session(Shut),
}

impl InvalidCredentials {
    const fn reason(self) -> (Option<AccountId>, Reason) {
        match self {
            Self::Token(Shut::Unknown) => (None, Reason::UnknownToken),
            Self::Token(Shut::Expired(account)) => (Some(account), Reason::ExpiredToken),
            Self::Session(Shut::Unknown) => (None, Reason::UnknownSession),
            Self::Session(Shut::Expired(account)) => (Some(account), Reason::ExpiredSession),
            Self::Token(Shut::Blocked(account)) | Self::Session(Shut::Blocked(account)) => {
                (Some(account), Reason::Blocked)
            }
        }
    }
}

/// What signing in takes beside the log. Clones share it.
#[derive(Clone)]
pub struct Auth {
    pub passwords: Arc<Passwords>,
    pub attempts: Arc<Attempts>,
    pub refusals: Refusals,
    pub last_use: LastUse,
}

impl Auth {
    /// # Errors
    ///
    /// [`passwords::HashFailed`] if passwords cannot be hashed here.
    pub fn new(limits: &Limits) -> Result<Self, passwords::HashFailed> {
        Ok(Self {
            passwords: Arc::new(Passwords::new()?),
            attempts: Arc::new(Attempts::new(
                limits.sign_in_attempts_max,
                limits.sign_in_peer_attempts_max,
            )),
            refusals: Refusals::default(),
            last_use: LastUse::default(),
        })
    }
}

impl Credentials {
    /// Reads `Authorization: Bearer <token>`, or `Basic` with the token as password, as Helm sends it; without that
    /// header the cookie of a session. Whether it opens anything is not looked up.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(AUTHORIZATION) {
            Some(header) => header.to_str().map_or(Self::Unreadable, Self::from_header),
            None => Self::of_cookie(headers),
        }
    }

    /// Reads the cookie of a session.
    #[must_use]
    pub fn of_cookie(headers: &HeaderMap) -> Self {
        cookie::session(headers).map_or(Self::Absent, |secret| Self::Session(secret_of(secret)))
    }

    /// Reads the value of an `Authorization` header.
    #[must_use]
    pub fn from_header(header: &str) -> Self {
        token(header).map_or(Self::Unreadable, |token| Self::Token(secret_of(&token)))
    }

    /// Whom it speaks for now, and what may be done with it now.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`] if there is a token or a session, and it opens nothing (any more).
    pub fn sender(self, views: &Views) -> Result<Sender, InvalidCredentials> {
        let (access, now) = (views.access(), clock::now());
        let (holder, invalid): (_, fn(Shut) -> InvalidCredentials) = match self {
            Self::Absent => return Ok(Sender::Anonymous),
            Self::Unreadable => return Err(InvalidCredentials::Token(Shut::Unknown)),
            Self::Token(secret) => (access.by_token_secret(&secret, now), InvalidCredentials::Token),
            Self::Session(secret) => (access.by_session_secret(&secret, now), InvalidCredentials::Session),
        };
        let key = holder.map_err(invalid)?.key;
        let principal = access.opened_by(key, now).ok_or(invalid(Shut::Unknown))?;
        Ok(Sender::Account(principal, key))
    }

    /// The same at a door: what opens nothing is recorded for auditors, and of a token, that it was used.
    ///
    /// # Errors
    ///
    /// As [`Credentials::sender`].
    pub fn admitted(self, services: &Services) -> Result<Sender, InvalidCredentials> {
        let sender = self.sender(&services.views);
        match &sender {
            Ok(Sender::Account(_, Key::Token(token))) => services.auth.last_use.note(*token, clock::now()),
            Ok(Sender::Account(_, Key::Session(_)) | Sender::Anonymous) => {}
            Err(invalid) => {
                let (account, reason) = invalid.reason();
                services.auth.refusals.note(account, reason);
            }
        }
        sender
    }
}

impl Sender {
    /// Who sends a request with these headers.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`] if there is a token or a session, and it does not open anything.
    pub fn of(headers: &HeaderMap, services: &Services) -> Result<Self, InvalidCredentials> {
        Credentials::of(headers).admitted(services)
    }
}

fn token(header: &str) -> Option<Zeroizing<String>> {
    let (scheme, credentials) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Zeroizing::new(credentials.trim().to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = Zeroizing::new(STANDARD.decode(credentials.trim()).ok()?);
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        return Some(Zeroizing::new(password.to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header::COOKIE};

    use super::*;

    #[test]
    fn a_token_comes_as_bearer_or_as_helms_password() {
        assert_eq!(token("Bearer abc").unwrap().as_str(), "abc");
        assert_eq!(token("bearer abc").unwrap().as_str(), "abc");
        let basic = format!("Basic {}", STANDARD.encode("anybody:abc"));
        assert_eq!(token(&basic).unwrap().as_str(), "abc");
        for other in ["abc", "Digest abc", "Basic ???", ""] {
            assert_eq!(token(other), None, "{other}");
        }
    }

    #[test]
    fn credentials_hold_the_hash_of_a_token_and_not_the_token() {
        let shown = Credentials::from_header("Bearer abc");
        assert_eq!(shown, Credentials::Token(secret_of("abc")));
        assert_eq!(Credentials::of(&HeaderMap::new()), Credentials::Absent);
    }

    #[test]
    fn a_header_that_is_not_understood_is_not_as_if_there_were_none() {
        assert_eq!(Credentials::from_header("abc"), Credentials::Unreadable);
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "__Host-charthouse-session=secret".parse().unwrap());
        assert_eq!(Credentials::of(&headers), Credentials::Session(secret_of("secret")));
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap());
        assert_eq!(Credentials::of(&headers), Credentials::Unreadable);
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert!(one.starts_with(PREFIX) && one.len() == PREFIX.len() + 43);
        assert_ne!(one, other);
    }
}
