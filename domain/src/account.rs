//! Accounts: who can sign in, with which tokens, holding which roles where.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::{Digest, Sealed},
    ids::{AccountId, ProjectId, TokenId, WorkspaceId},
    names::RoleName,
    permission::{Level, Permission},
    role::{Misplaced, PLATFORM_ADMIN, belongs},
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

/// The facts of an account's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    AccountCreated {
        name: Sealed,
    },
    RoleGranted {
        role: RoleName,
        scope: Scope,
    },
    RoleRevoked {
        role: RoleName,
        scope: Scope,
    },
    /// The log knows a token by the SHA-256 of its secret, which is 256 random bits.
    TokenIssued {
        token: TokenId,
        secret: Digest,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<DateTime<Utc>>,
    },
    TokenRevoked {
        token: TokenId,
    },
    /// The key that opens whatever is sealed for `subject` is destroyed, and there is never another.
    SubjectErased {
        subject: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: Sealed,
    /// Whether the person behind it was erased: nobody signs in with it any more.
    pub erased: bool,
    pub grants: BTreeSet<(RoleName, Scope)>,
    pub tokens: BTreeMap<TokenId, Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub secret: Digest,
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create {
        name: Sealed,
    },
    /// `permissions` are those the role holds now.
    Grant {
        role: RoleName,
        permissions: BTreeSet<Permission>,
        scope: Scope,
    },
    /// `another` holds the same role in the same place; it matters only where somebody always has to.
    Revoke {
        role: RoleName,
        scope: Scope,
        another: Option<AccountId>,
    },
    IssueToken {
        token: TokenId,
        secret: Digest,
        expires: Option<DateTime<Utc>>,
    },
    RevokeToken {
        token: TokenId,
    },
    Erase {
        /// What the account's data is sealed for.
        subject: String,
        /// Whether nobody else could administrate accounts afterwards.
        is_last_administrator: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("this account was erased")]
    Erased,
    #[error("nobody else is {PLATFORM_ADMIN}; make another administrator first")]
    LastAdministrator,
    #[error("this account does not exist")]
    NotFound,
    #[error("this account exists already")]
    Exists,
    #[error("{0}")]
    Misplaced(Misplaced),
    #[error("a token that expires at {expires} would never be valid: it is {now}")]
    Expired { expires: DateTime<Utc>, now: DateTime<Utc> },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Erased => "ACCOUNT_ERASED",
            Self::LastAdministrator => "LAST_ADMINISTRATOR",
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "ACCOUNT_EXISTS",
            Self::Misplaced(_) => "ROLE_LEVEL",
            Self::Expired { .. } => "TOKEN_EXPIRED",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists | Self::Erased | Self::LastAdministrator => RejectionKind::Conflict,
            Self::Misplaced(_) | Self::Expired { .. } => RejectionKind::Invalid,
        }
    }
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
            } => Err(Rejection::LastAdministrator),
            Command::Erase { subject, .. } => Ok(account.erasure(subject)),
            Command::Grant {
                role,
                permissions,
                scope,
            } => {
                belongs(&role, &permissions, scope.level()).map_err(Rejection::Misplaced)?;
                if account.grants.contains(&(role.clone(), scope)) {
                    return Ok(vec![]);
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
                expires: Some(expires), ..
            } if expires <= stamp.at => Err(Rejection::Expired { expires, now: stamp.at }),
            Command::IssueToken { token, secret, expires } => Ok(vec![Event::TokenIssued { token, secret, expires }]),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::AccountCreated { name } = event {
            return Some(Self {
                name: name.clone(),
                erased: false,
                grants: BTreeSet::new(),
                tokens: BTreeMap::new(),
            });
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
            Event::TokenIssued { token, secret, expires } => {
                account.tokens.insert(
                    *token,
                    Token {
                        secret: *secret,
                        expires: *expires,
                    },
                );
            }
            Event::TokenRevoked { token } => {
                account.tokens.remove(token);
            }
            Event::SubjectErased { .. } => account.erased = true,
        }
        Some(account)
    }
}

impl Account {
    /// Whoever is erased holds no role and no token any more, and the history says so.
    fn erasure(&self, subject: String) -> Vec<Event> {
        let roles = self.grants.iter().cloned();
        let revoked = roles.map(|(role, scope)| Event::RoleRevoked { role, scope });
        let tokens = self.tokens.keys().map(|token| Event::TokenRevoked { token: *token });
        let erased = std::iter::once(Event::SubjectErased { subject });
        revoked.chain(tokens).chain(erased).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::spec::{given, noon};

    fn name() -> Sealed {
        Sealed {
            subject: "account-1".to_owned(),
            digest: Digest::from_bytes([7; 32]),
        }
    }

    fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    fn created() -> Event {
        Event::AccountCreated { name: name() }
    }

    fn token() -> TokenId {
        TokenId::from_uuid(Uuid::from_u128(5))
    }

    #[test]
    fn an_account_is_created_once() {
        given::<Account>([])
            .when(Command::Create { name: name() })
            .then([created()]);
        given::<Account>([created()])
            .when(Command::Create { name: name() })
            .then_rejected(&Rejection::Exists);
    }

    #[test]
    fn nothing_can_be_done_to_an_account_that_does_not_exist() {
        given::<Account>([])
            .when(Command::RevokeToken { token: token() })
            .then_rejected(&Rejection::NotFound);
    }

    #[test]
    fn granting_twice_records_one_grant_and_revoking_takes_it_back() {
        let grant = || Command::Grant {
            role: role("auditor"),
            permissions: BTreeSet::new(),
            scope: Scope::Platform {},
        };
        let granted = Event::RoleGranted {
            role: role("auditor"),
            scope: Scope::Platform {},
        };
        let revoked = Event::RoleRevoked {
            role: role("auditor"),
            scope: Scope::Platform {},
        };
        let revoke = || Command::Revoke {
            role: role("auditor"),
            scope: Scope::Platform {},
            another: None,
        };
        given::<Account>([created()]).when(grant()).then([granted.clone()]);
        given::<Account>([created(), granted.clone()]).when(grant()).then([]);
        given::<Account>([created(), granted.clone()])
            .when(revoke())
            .then([revoked.clone()]);
        given::<Account>([created(), granted, revoked]).when(revoke()).then([]);
    }

    #[test]
    fn a_workspace_role_cannot_be_granted_on_the_platform() {
        given::<Account>([created()])
            .when(Command::Grant {
                role: role("workspace-admin"),
                permissions: BTreeSet::new(),
                scope: Scope::Platform {},
            })
            .then_rejected(&Rejection::Misplaced(Misplaced::Level {
                role: role("workspace-admin"),
                expected: Level::Workspace,
                found: Level::Platform,
            }));
    }

    #[test]
    fn the_last_administrator_of_the_platform_stays() {
        let granted = Event::RoleGranted {
            role: role(PLATFORM_ADMIN),
            scope: Scope::Platform {},
        };
        let administrator = given::<Account>([created(), granted]);
        let revoke = |another| Command::Revoke {
            role: role(PLATFORM_ADMIN),
            scope: Scope::Platform {},
            another,
        };
        administrator
            .clone()
            .when(revoke(None))
            .then_rejected(&Rejection::LastAdministrator);
        administrator
            .when(revoke(Some(crate::spec::somebody())))
            .then([Event::RoleRevoked {
                role: role(PLATFORM_ADMIN),
                scope: Scope::Platform {},
            }]);
    }

    #[test]
    fn a_token_that_is_already_over_is_refused() {
        let secret = Digest::from_bytes([1; 32]);
        let over = noon() - TimeDelta::seconds(1);
        given::<Account>([created()])
            .when(Command::IssueToken {
                token: token(),
                secret,
                expires: Some(over),
            })
            .then_rejected(&Rejection::Expired {
                expires: over,
                now: noon(),
            });
    }

    fn erase() -> Command {
        Command::Erase {
            subject: "account-1".to_owned(),
            is_last_administrator: false,
        }
    }

    fn erased() -> Event {
        Event::SubjectErased {
            subject: "account-1".to_owned(),
        }
    }

    #[test]
    fn whoever_is_erased_loses_every_role_and_every_token_first() {
        let (role, scope) = (role("auditor"), Scope::Platform {});
        let granted = Event::RoleGranted {
            role: role.clone(),
            scope,
        };
        let issued = Event::TokenIssued {
            token: token(),
            secret: Digest::from_bytes([1; 32]),
            expires: None,
        };
        given::<Account>([created(), granted, issued]).when(erase()).then([
            Event::RoleRevoked { role, scope },
            Event::TokenRevoked { token: token() },
            erased(),
        ]);
    }

    #[test]
    fn erasing_twice_records_one_erasure_and_nothing_else_follows() {
        given::<Account>([created(), erased()]).when(erase()).then([]);
        given::<Account>([created(), erased()])
            .when(Command::Create { name: name() })
            .then_rejected(&Rejection::Erased);
        given::<Account>([created(), erased()])
            .when(Command::Grant {
                role: role("auditor"),
                permissions: BTreeSet::new(),
                scope: Scope::Platform {},
            })
            .then_rejected(&Rejection::Erased);
    }

    #[test]
    fn the_last_administrator_is_not_erased() {
        let last = Command::Erase {
            subject: "account-1".to_owned(),
            is_last_administrator: true,
        };
        given::<Account>([created()])
            .when(last)
            .then_rejected(&Rejection::LastAdministrator);
    }

    #[test]
    fn a_revoked_token_is_forgotten() {
        let secret = Digest::from_bytes([1; 32]);
        let issued = Event::TokenIssued {
            token: token(),
            secret,
            expires: None,
        };
        given::<Account>([created(), issued.clone()])
            .when(Command::RevokeToken { token: token() })
            .then([Event::TokenRevoked { token: token() }]);
        let state = given::<Account>([created(), issued, Event::TokenRevoked { token: token() }]).state();
        assert!(state.unwrap().tokens.is_empty());
    }
}
