//! Who may do what, in memory: folded from the log like a view, and published together with the view's position.
//!
//! What was published is never changed, so that whoever asks sees one moment; the next moment shares with it all that
//! stayed as it was. What happens to one account costs as much among ten thousand as among ten.

mod load;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal, Roles},
    account::Scope,
    decider::Decider,
    digest::Digest,
    ids::{AccountId, ProjectId, SessionId, TokenId, WorkspaceId},
    names::RoleName,
    permission::Permission,
    role::RoleKey,
    session::Session,
};
use rpds::HashTrieMapSync;

/// Accounts, tokens, grants and roles as of one position of the log.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Access {
    /// By the hashes of their secrets.
    secrets: HashTrieMapSync<Digest, Key>,
    keys: HashTrieMapSync<Key, AccountId>,
    holders: HashTrieMapSync<AccountId, Arc<Holder>>,
    defined: Arc<Defined>,
}

/// What the names of roles mean, and how far their streams have come.
#[derive(Debug, Default, PartialEq, Eq)]
struct Defined {
    roles: Roles,
    revisions: BTreeMap<RoleKey, u64>,
}

/// What opens an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    Token(TokenId),
    Session(SessionId),
}

/// Whom a key speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHolder {
    pub account: AccountId,
    pub key: Key,
}

/// Why a secret opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// It was never given to anybody, or was taken back.
    Unknown,
    Expired(AccountId),
    /// The account is blocked, or was erased.
    Blocked(AccountId),
}

#[derive(Debug, PartialEq, Eq)]
struct Opening {
    key: Key,
    secret: Digest,
    expires: Option<DateTime<Utc>>,
    /// All that it allows; `None` if it is not narrowed.
    permissions: Option<BTreeSet<Permission>>,
}

/// An account, with all that would open it.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    /// `None` while nothing opens it: it is blocked, or was erased.
    principal: Option<Arc<Principal>>,
    relied_on: Vec<(String, u64)>,
    openings: Vec<Opening>,
}

impl Access {
    /// Whom the token with this hash of its secret speaks for.
    ///
    /// # Errors
    ///
    /// [`Shut`] if it was revoked, has expired by `now`, or nothing opens its account.
    pub fn by_token_secret(&self, secret: &Digest, now: DateTime<Utc>) -> Result<KeyHolder, Shut> {
        match self.secrets.get(secret) {
            Some(key @ Key::Token(_)) => self.holder_of(*key, now),
            Some(Key::Session(_)) | None => Err(Shut::Unknown),
        }
    }

    /// Whom the session with this hash of its secret speaks for.
    ///
    /// # Errors
    ///
    /// [`Shut`] if it was closed, is over by `now`, or nothing opens its account.
    pub fn by_session_secret(&self, secret: &Digest, now: DateTime<Utc>) -> Result<KeyHolder, Shut> {
        match self.secrets.get(secret) {
            Some(key @ Key::Session(_)) => self.holder_of(*key, now),
            Some(Key::Token(_)) | None => Err(Shut::Unknown),
        }
    }

    fn holder_of(&self, key: Key, now: DateTime<Utc>) -> Result<KeyHolder, Shut> {
        let (account, holder, opening) = self.opening(key).ok_or(Shut::Unknown)?;
        if opening.expires.is_some_and(|expires| expires <= now) {
            return Err(Shut::Expired(account));
        }
        match holder.principal {
            Some(_) => Ok(KeyHolder { account, key }),
            None => Err(Shut::Blocked(account)),
        }
    }

    fn opening(&self, key: Key) -> Option<(AccountId, &Holder, &Opening)> {
        let account = *self.keys.get(&key)?;
        let holder = self.holders.get(&account)?;
        let opening = holder.openings.iter().find(|opening| opening.key == key)?;
        Some((account, holder, opening))
    }

    /// What may be done with a key, and for whom: what its account may, if it is not narrowed. `None` if it opens nothing
    /// (any more).
    #[must_use]
    pub fn opened_by(&self, key: Key, now: DateTime<Utc>) -> Option<Arc<Principal>> {
        self.holder_of(key, now).ok()?;
        let (_, holder, opening) = self.opening(key)?;
        let principal = holder.principal.as_ref()?;
        Some(match &opening.permissions {
            Some(permissions) => Arc::new(Principal::clone(principal).narrowed(permissions)),
            None => Arc::clone(principal),
        })
    }

    /// The account with what its grants allow now; `None` if there is no such account, or it is blocked.
    #[must_use]
    pub fn principal(&self, account: AccountId) -> Option<Arc<Principal>> {
        self.open(account).cloned()
    }

    fn open(&self, account: AccountId) -> Option<&Arc<Principal>> {
        self.holders.get(&account)?.principal.as_ref()
    }

    /// Whether an account, if there is one, may do this on the platform.
    #[must_use]
    pub fn may(&self, account: AccountId, permission: Permission) -> bool {
        let principal = self.open(account);
        principal.is_some_and(|principal| principal.may(permission, Place::Platform))
    }

    /// The streams that say what [`Access::principal`] answers, with their revisions here: the account's own, and those
    /// of the custom roles it was granted. A command that guards them is refused if a revocation lands first.
    #[must_use]
    pub fn relied_on(&self, account: AccountId) -> Vec<(String, u64)> {
        let holder = self.holders.get(&account);
        let holder = holder.filter(|holder| holder.principal.is_some());
        holder.map(|holder| holder.relied_on.clone()).unwrap_or_default()
    }

    /// What [`Access::opened_by`] relies on beyond that: a session that is closed first refuses what was asked by it, too.
    /// A token is in the account's own stream.
    #[must_use]
    pub fn key_relied_on(&self, key: Key) -> Option<(String, u64)> {
        match key {
            Key::Token(_) => None,
            // It is open as long as nothing followed its opening.
            Key::Session(session) => Some((format!("{}-{session}", Session::CATEGORY), 1)),
        }
    }

    /// The workspace a project belongs to.
    #[must_use]
    pub fn project_workspace(&self, project: ProjectId) -> Option<WorkspaceId> {
        self.defined.roles.workspaces.get(&project).copied()
    }

    /// The accounts that hold a role in exactly this place, in no order.
    pub fn holders(&self, role: &RoleName, scope: Scope) -> impl Iterator<Item = AccountId> {
        let holds = move |principal: &&Principal| {
            let mut grants = principal.grants.iter();
            grants.any(|grant| grant.role == *role && grant.scope == scope)
        };
        let open = self.holders.values().filter_map(|holder| holder.principal.as_deref());
        open.filter(holds).map(|principal| principal.account)
    }
}
