//! Who asks: bearer tokens, and what they stand for.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{access::Principal, digest::Digest};
use projections::Views;
use zeroize::Zeroizing;

use crate::{clock, content::from_store};

/// What every token starts with, so that scanners recognise one that leaked.
const PREFIX: &str = "charthouse_";

/// A new bearer token: the prefix and 256 random bits. Shown once; the log keeps its hash.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn new_token() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())?;
    Ok(Zeroizing::new(format!(
        "{PREFIX}{}",
        URL_SAFE_NO_PAD.encode(secret.as_slice())
    )))
}

/// What the log knows a token by.
#[must_use]
pub fn secret_of(token: &str) -> Digest {
    from_store(eventstore::Digest::of(token.as_bytes()))
}

/// What a client shows of itself: nothing, or a token, kept by its hash. What it opens is looked up whenever it is used,
/// so that a connection outlives neither its token nor the rights behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    Absent,
    Token(Digest),
}

/// Who asks, with the rights of the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    Anonymous,
    Account(Principal),
}

/// The token is unknown, revoked or expired, or the header is not understood. It is not said which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct InvalidToken;

impl Credentials {
    /// Reads `Authorization: Bearer <token>`, or `Basic` with the token as password, as Helm sends it.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if the header is not understood. Whether the token opens anything is not looked up.
    pub fn of(headers: &HeaderMap) -> Result<Self, InvalidToken> {
        match headers.get(AUTHORIZATION) {
            Some(header) => Self::from_header(header.to_str().map_err(|_| InvalidToken)?),
            None => Ok(Self::Absent),
        }
    }

    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if it is not understood.
    pub fn from_header(header: &str) -> Result<Self, InvalidToken> {
        let token = token(header).ok_or(InvalidToken)?;
        Ok(Self::Token(secret_of(&token)))
    }

    /// Who holds the token now, and what they may do now.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if there is a token, and nobody holds it (any more).
    pub fn sender(self, views: &Views) -> Result<Sender, InvalidToken> {
        let Self::Token(secret) = self else {
            return Ok(Sender::Anonymous);
        };
        let access = views.access();
        let holder = access.by_token_secret(&secret, clock::now()).ok_or(InvalidToken)?;
        access
            .principal(holder.account)
            .map(Sender::Account)
            .ok_or(InvalidToken)
    }
}

impl Sender {
    /// Who sends a request with these headers.
    ///
    /// # Errors
    ///
    /// [`InvalidToken`] if there is a token, and it does not open anything.
    pub fn of(headers: &HeaderMap, views: &Views) -> Result<Self, InvalidToken> {
        Credentials::of(headers)?.sender(views)
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
        let shown = Credentials::from_header("Bearer abc").unwrap();
        assert_eq!(shown, Credentials::Token(secret_of("abc")));
        assert_eq!(Credentials::of(&HeaderMap::new()), Ok(Credentials::Absent));
        assert_eq!(Credentials::from_header("abc"), Err(InvalidToken));
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert!(one.starts_with(PREFIX) && one.len() == PREFIX.len() + 43);
        assert_ne!(one, other);
    }
}
