//! What can be asked of an account, and why it may be refused.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Scope;
use crate::{
    decider::{Reject, RejectionKind},
    digest::{Digest, Sealed},
    ids::{AccountId, SessionId, TokenId},
    names::RoleName,
    permission::Permission,
    role::{Misplaced, PLATFORM_ADMIN},
};

/// Tokens of one account that are valid at once.
pub const TOKENS_MAX: usize = 100;

/// Roles that one account may hold. With its tokens they fit into the one append that erases it.
pub const ROLES_MAX: usize = 800;

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
        name: Option<Sealed>,
        permissions: Option<BTreeSet<Permission>>,
        expires: Option<DateTime<Utc>>,
    },
    RevokeToken {
        token: TokenId,
    },
    SetPassword {
        password: Sealed,
        /// The password that was shown to be known; `None` if nothing was: by whoever may reset it.
        shown: Option<Sealed>,
        keeps: Option<SessionId>,
    },
    LinkIdentity {
        identity: Digest,
    },
    Block {
        /// Whether nobody else could administrate accounts afterwards.
        is_last_administrator: bool,
    },
    Unblock,
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
    #[error("this account is blocked")]
    Blocked,
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
    #[error("a token that is narrowed to no permission would open nothing; name at least one")]
    AllowsNothing,
    #[error("this account has {TOKENS_MAX} tokens, and no more are allowed; revoke one first")]
    TooManyTokens,
    #[error("this account holds {ROLES_MAX} roles, and no more are allowed; revoke one first")]
    TooManyRoles,
    /// Somebody set it between the look at it and this.
    #[error("the password was changed meanwhile")]
    PasswordMoved,
    /// What somebody showed to sign in is not what opens the account now.
    #[error("this does not open the account any more")]
    NotProven,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Erased => "ACCOUNT_ERASED",
            Self::Blocked => "ACCOUNT_BLOCKED",
            Self::LastAdministrator => "LAST_ADMINISTRATOR",
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "ACCOUNT_EXISTS",
            Self::Misplaced(_) => "ROLE_LEVEL",
            Self::Expired { .. } => "TOKEN_EXPIRED",
            Self::AllowsNothing => "TOKEN_ALLOWS_NOTHING",
            Self::TooManyTokens => "TOO_MANY_TOKENS",
            Self::TooManyRoles => "TOO_MANY_ROLES",
            Self::PasswordMoved => "PASSWORD_MOVED",
            Self::NotProven => "SIGN_IN_FAILED",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists
            | Self::Erased
            | Self::Blocked
            | Self::LastAdministrator
            | Self::TooManyTokens
            | Self::TooManyRoles
            | Self::PasswordMoved
            | Self::NotProven => RejectionKind::Conflict,
            Self::Misplaced(_) | Self::Expired { .. } | Self::AllowsNothing => RejectionKind::Invalid,
        }
    }
}
