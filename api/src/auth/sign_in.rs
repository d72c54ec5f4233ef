//! Signing in: somebody shows what opens an account, and gets a session.
//!
//! Whoever fails learns nothing by it: a name that nobody has, a wrong password, an account that is blocked or has no
//! password are answered alike, at the same moment.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    account::{Account, Proof},
    digest::Sealed,
    ids::{AccountId, SessionId},
    name::{Claim, Name},
    names::AccountName,
    refusal::Reason,
    session::Method,
};
use eventstore::Position;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{attempts::TooOften, new_secret, passwords::HashFailed, secret_of};
use crate::{
    clock,
    commands::{CommandError, Giver, OpenSession, load},
    ids,
    services::Services,
};

/// When whoever fails is answered: far later than the slowest way to find out that it failed.
const FAILURE_TIME: Duration = Duration::from_millis(500);

/// Somebody who is signed in now.
pub struct SignedIn {
    pub account: AccountId,
    pub session: SessionId,
    /// What the cookie holds; known to nobody else.
    pub secret: Zeroizing<String>,
    pub position: Position,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("{0}")]
    TooOften(TooOften),
    #[error("the name or the password is wrong")]
    Failed,
    #[error("nobody can sign in")]
    Command(#[from] CommandError),
}

impl From<HashFailed> for SignInError {
    fn from(error: HashFailed) -> Self {
        Self::Command(CommandError::internal(error))
    }
}

/// Signs in whoever knows the password of the account that is called `name`.
///
/// # Errors
///
/// [`SignInError::TooOften`] before anything is looked at; [`SignInError::Failed`] half a second after it was called,
/// whatever was wrong. Both are recorded for auditors.
pub async fn with_password(
    services: &Services,
    peer: IpAddr,
    name: &str,
    password: Zeroizing<String>,
) -> Result<SignedIn, SignInError> {
    let started = Instant::now();
    count(services, peer, name)?;
    let found = Found::of(services, name).await?;
    let hash = found.hash(services).await?;
    let is_right = services.auth.passwords.is_right(password, hash).await?;
    match found.judged(is_right) {
        Ok((account, password)) => match open(services, account, Proof::Password(password), Method::Password).await {
            // It was blocked, or its password changed, while this was looked at.
            Err(CommandError::Rejected(_)) => Err(fail(services, started, Some(account), Reason::WrongPassword).await),
            opened => Ok(opened?),
        },
        Err((account, reason)) => Err(fail(services, started, account, reason).await),
    }
}

/// The account's password, if `text` is it. Tries count like those to sign in, so that a session that was stolen does not
/// serve to guess it.
///
/// # Errors
///
/// [`SignInError::TooOften`] before anything is looked at.
pub async fn shown_password(
    services: &Services,
    id: AccountId,
    text: Zeroizing<String>,
) -> Result<Option<Sealed>, SignInError> {
    let Some(account) = load::<Account>(&services.log, id).await? else {
        return Ok(None);
    };
    let name = services.vault.unseal(&account.name).await.map_err(CommandError::from)?;
    let name = name.and_then(|name| std::str::from_utf8(&name).ok()?.parse().ok());
    if let Some(name) = name {
        let counted = services.auth.attempts.on_account(services.key.of_account_name(&name));
        counted.map_err(SignInError::TooOften)?;
    }
    let found = Found(Some((id, account)));
    let hash = found.hash(services).await?;
    let is_right = services.auth.passwords.is_right(text, hash).await?;
    match found.judged(is_right) {
        Ok((_, password)) => Ok(Some(password)),
        Err((account, reason)) => {
            services.auth.refusals.note(account, reason);
            Ok(None)
        }
    }
}

/// Opens a session for whoever has shown what opens the account.
///
/// # Errors
///
/// [`CommandError::Rejected`] if it does not open the account now.
pub async fn open(
    services: &Services,
    account: AccountId,
    proof: Proof,
    method: Method,
) -> Result<SignedIn, CommandError> {
    let secret = new_secret().map_err(CommandError::internal)?;
    let session = SessionId::from_uuid(ids::fresh());
    let open = OpenSession {
        account,
        session,
        secret: secret_of(&secret),
        method,
        expires: expiry(services)?,
        proof,
    };
    let outcome = services.commands.run(Giver::Proven { account }, &open).await?;
    Ok(SignedIn {
        account,
        session,
        secret,
        position: outcome.position,
    })
}

fn expiry(services: &Services) -> Result<DateTime<Utc>, CommandError> {
    clock::after(services.limits.session_lifetime).ok_or_else(|| CommandError::Invalid {
        code: "LIFETIME_TOO_LONG",
        message: "there is no time so far ahead".to_owned(),
        path: vec![],
    })
}

/// Counts the attempt. A name that breaks the rule for names belongs to nobody, and is counted by its sender alone.
fn count(services: &Services, peer: IpAddr, name: &str) -> Result<(), SignInError> {
    let attempts = &services.auth.attempts;
    let name = name.parse().map(|name| services.key.of_account_name(&name));
    let counted = attempts
        .by_peer(peer)
        .and_then(|()| name.map_or(Ok(()), |name| attempts.on_account(name)));
    counted.map_err(|often| {
        services.auth.refusals.note(None, Reason::TooOften);
        SignInError::TooOften(often)
    })
}

async fn fail(services: &Services, started: Instant, account: Option<AccountId>, reason: Reason) -> SignInError {
    services.auth.refusals.note(account, reason);
    tokio::time::sleep_until(started + FAILURE_TIME).await;
    SignInError::Failed
}

/// The account that a name leads to.
struct Found(Option<(AccountId, Account)>);

impl Found {
    async fn of(services: &Services, name: &str) -> Result<Self, CommandError> {
        let Ok(name) = name.parse::<AccountName>() else {
            return Ok(Self(None));
        };
        let claim = Claim::Account(services.key.of_account_name(&name));
        let taken = load::<Name>(&services.log, claim.stream_key()).await?;
        let id: Option<AccountId> = taken.and_then(|name| name.holder.strip_prefix("account-")?.parse().ok());
        let Some(id) = id else { return Ok(Self(None)) };
        let account = load::<Account>(&services.log, id).await?;
        Ok(Self(account.map(|account| (id, account))))
    }

    /// The hash of its password, if it has one that was not erased.
    async fn hash(&self, services: &Services) -> Result<Option<Zeroizing<String>>, CommandError> {
        let password = self.0.as_ref().and_then(|(_, account)| account.password.as_ref());
        let Some(password) = password else { return Ok(None) };
        let hash = services.vault.unseal(password).await?;
        Ok(hash.map(|hash| Zeroizing::new(String::from_utf8_lossy(&hash).into_owned())))
    }

    /// Whose password it was, or why nobody's.
    fn judged(self, is_right: bool) -> Result<(AccountId, Sealed), (Option<AccountId>, Reason)> {
        let Some((id, account)) = self.0 else {
            return Err((None, Reason::UnknownName));
        };
        match account.password {
            _ if account.blocked => Err((Some(id), Reason::Blocked)),
            None => Err((Some(id), Reason::NoPassword)),
            Some(_) if !is_right => Err((Some(id), Reason::WrongPassword)),
            Some(password) => Ok((id, password)),
        }
    }
}
