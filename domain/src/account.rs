//! Accounts: who can sign in, by what, holding which roles where.

mod command;
mod event;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::{
    command::{Command, ROLES_MAX, Rejection, TOKENS_MAX},
    event::Event,
};
use crate::{
    decider::{Decider, Stamp},
    digest::{Digest, Sealed},
    ids::{ProjectId, TokenId, WorkspaceId},
    names::RoleName,
    permission::Level,
    role::{PLATFORM_ADMIN, belongs},
};

/// Where a role is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "level", rename_all = "lowercase")]
pub enum Scope {
    Platform {},
    Workspace { workspace: WorkspaceId },
    Project { project: ProjectId },
}

impl Scope {
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Platform {} => Level::Platform,
            Self::Workspace { .. } => Level::Workspace,
            Self::Project { .. } => Level::Project,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: Sealed,
    /// Whether the person behind it was erased: nobody signs in with it any more.
    pub erased: bool,
    /// Whether nothing opens it until it is unblocked.
    pub blocked: bool,
    pub grants: BTreeSet<(RoleName, Scope)>,
    pub tokens: BTreeMap<TokenId, Token>,
    /// What the vault has the hash of.
    pub password: Option<Sealed>,
    /// Keyed hashes of what `OpenID` providers call whoever this is.
    pub identities: BTreeSet<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub secret: Digest,
    pub expires: Option<DateTime<Utc>>,
}

/// What somebody showed to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// They knew this password.
    Password(Sealed),
    /// A provider vouched for this identity.
    Identity(Digest),
}

impl Decider for Account {
    const CATEGORY: &'static str = "account";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, stamp: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(account) = state else {
            let Command::Create { name } = command else {
                return Err(Rejection::NotFound);
            };
            return Ok(vec![Event::AccountCreated { name }]);
        };
        match command {
            Command::Erase { .. } if account.erased => Ok(vec![]),
            _ if account.erased => Err(Rejection::Erased),
            Command::Create { .. } => Err(Rejection::Exists),
            Command::Erase {
                is_last_administrator: true,
                ..
            }
            | Command::Block {
                is_last_administrator: true,
            } => Err(Rejection::LastAdministrator),
            Command::Erase { subject, .. } => Ok(account.erasure(subject, stamp.at)),
            Command::Block { .. } if account.blocked => Ok(vec![]),
            Command::Block { .. } => Ok(vec![Event::AccountBlocked {}]),
            Command::Unblock if account.blocked => Ok(vec![Event::AccountUnblocked {}]),
            Command::Unblock => Ok(vec![]),
            Command::Grant {
                role,
                permissions,
                scope,
            } => {
                belongs(&role, &permissions, scope.level()).map_err(Rejection::Misplaced)?;
                if account.grants.contains(&(role.clone(), scope)) {
                    return Ok(vec![]);
                }
                if account.grants.len() >= ROLES_MAX {
                    return Err(Rejection::TooManyRoles);
                }
                Ok(vec![Event::RoleGranted { role, scope }])
            }
            Command::Revoke { role, scope, another } if account.grants.contains(&(role.clone(), scope)) => {
                if role.as_str() == PLATFORM_ADMIN && another.is_none() {
                    return Err(Rejection::LastAdministrator);
                }
                Ok(vec![Event::RoleRevoked { role, scope }])
            }
            Command::RevokeToken { token } if account.tokens.contains_key(&token) => {
                Ok(vec![Event::TokenRevoked { token }])
            }
            Command::Revoke { .. } | Command::RevokeToken { .. } => Ok(vec![]),
            Command::IssueToken {
                token,
                secret,
                name,
                permissions,
                expires,
            } => {
                account.may_issue(permissions.as_ref().is_some_and(BTreeSet::is_empty), expires, stamp.at)?;
                Ok(vec![Event::TokenIssued {
                    token,
                    secret,
                    name,
                    permissions,
                    expires,
                }])
            }
            Command::SetPassword { shown: Some(shown), .. } if account.password.as_ref() != Some(&shown) => {
                Err(Rejection::PasswordMoved)
            }
            Command::SetPassword { password, keeps, .. } => Ok(vec![Event::PasswordSet { password, keeps }]),
            Command::LinkIdentity { identity } if account.identities.contains(&identity) => Ok(vec![]),
            Command::LinkIdentity { identity } => Ok(vec![Event::IdentityLinked { identity }]),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::AccountCreated { name } = event {
            return Some(Self::named(name.clone()));
        }
        let mut account = state?;
        match event {
            Event::AccountCreated { .. } => {}
            Event::RoleGranted { role, scope } => {
                account.grants.insert((role.clone(), *scope));
            }
            Event::RoleRevoked { role, scope } => {
                account.grants.remove(&(role.clone(), *scope));
            }
            Event::TokenIssued {
                token, secret, expires, ..
            } => {
                let (secret, expires) = (*secret, *expires);
                account.tokens.insert(*token, Token { secret, expires });
            }
            Event::TokenRevoked { token } => {
                account.tokens.remove(token);
            }
            Event::PasswordSet { password, .. } => account.password = Some(password.clone()),
            Event::IdentityLinked { identity } => {
                account.identities.insert(*identity);
            }
            Event::AccountBlocked {} => account.blocked = true,
            Event::AccountUnblocked {} => account.blocked = false,
            Event::SubjectErased { .. } => {
                account.erased = true;
                account.password = None;
                account.identities.clear();
            }
        }
        Some(account)
    }
}

impl Account {
    const fn named(name: Sealed) -> Self {
        Self {
            name,
            erased: false,
            blocked: false,
            grants: BTreeSet::new(),
            tokens: BTreeMap::new(),
            password: None,
            identities: BTreeSet::new(),
        }
    }

    /// Whether `proof` opens the account as it is now.
    ///
    /// # Errors
    ///
    /// [`Rejection::Erased`], [`Rejection::Blocked`], or [`Rejection::NotProven`] for what opened it before, or never.
    pub fn admits(&self, proof: &Proof) -> Result<(), Rejection> {
        let opens = match proof {
            Proof::Password(shown) => self.password.as_ref() == Some(shown),
            Proof::Identity(identity) => self.identities.contains(identity),
        };
        match (self.erased, self.blocked, opens) {
            (true, ..) => Err(Rejection::Erased),
            (_, true, _) => Err(Rejection::Blocked),
            (false, false, false) => Err(Rejection::NotProven),
            (false, false, true) => Ok(()),
        }
    }

    /// Whether nothing was ever given to anybody to open it: whoever it was made for has not come yet.
    #[must_use]
    pub fn is_unclaimed(&self) -> bool {
        self.password.is_none() && self.identities.is_empty() && self.tokens.is_empty() && !self.erased && !self.blocked
    }

    fn may_issue(
        &self,
        allows_nothing: bool,
        expires: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), Rejection> {
        if let Some(expires) = expires.filter(|expires| *expires <= now) {
            return Err(Rejection::Expired { expires, now });
        }
        if allows_nothing {
            return Err(Rejection::AllowsNothing);
        }
        if self.valid_tokens(now).count() >= TOKENS_MAX {
            return Err(Rejection::TooManyTokens);
        }
        Ok(())
    }

    /// The tokens that open it, unless they were revoked.
    fn valid_tokens(&self, now: DateTime<Utc>) -> impl Iterator<Item = TokenId> {
        let valid = move |token: &&Token| token.expires.is_none_or(|expires| now < expires);
        self.tokens
            .iter()
            .filter(move |(_, token)| valid(token))
            .map(|(id, _)| *id)
    }

    /// Whoever is erased holds no role and no token any more, and the history says so. What is over by itself is not
    /// named: it is not bounded, and what is said at once is.
    fn erasure(&self, subject: String, now: DateTime<Utc>) -> Vec<Event> {
        let roles = self.grants.iter().cloned();
        let revoked = roles.map(|(role, scope)| Event::RoleRevoked { role, scope });
        let tokens = self.valid_tokens(now).map(|token| Event::TokenRevoked { token });
        let erased = std::iter::once(Event::SubjectErased { subject });
        revoked.chain(tokens).chain(erased).collect()
    }
}
