//! Who may do what, in memory: folded from the log like a view, and published together with the view's position.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal, Roles},
    account::{Account, Scope},
    decider::Decider,
    digest::Digest,
    ids::{AccountId, ProjectId, SessionId, TokenId, WorkspaceId},
    names::RoleName,
    permission::Permission,
    role::{BuiltInRole, Role, RoleKey},
    session::Session,
};
use rusqlite::Connection;

use crate::{accounts, sessions, tenancy, tokens};

/// Accounts, tokens, grants and roles as of one position of the log.
#[derive(Debug, Default)]
pub struct Access {
    /// By the hashes of their secrets.
    secrets: HashMap<Digest, Key>,
    openings: HashMap<Key, Opening>,
    holders: HashMap<AccountId, Holder>,
    roles: Roles,
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

#[derive(Debug)]
struct Opening {
    account: AccountId,
    expires: Option<DateTime<Utc>>,
    /// All that it allows; `None` if it is not narrowed.
    permissions: Option<BTreeSet<Permission>>,
}

#[derive(Debug)]
struct Holder {
    principal: Principal,
    relied_on: Vec<(String, u64)>,
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
        let opening = self.openings.get(&key).ok_or(Shut::Unknown)?;
        let account = opening.account;
        if opening.expires.is_some_and(|expires| expires <= now) {
            return Err(Shut::Expired(account));
        }
        match self.holders.contains_key(&account) {
            true => Ok(KeyHolder { account, key }),
            false => Err(Shut::Blocked(account)),
        }
    }

    /// What may be done with a key, and for whom: what its account may, if it is not narrowed. `None` if it opens nothing
    /// (any more).
    #[must_use]
    pub fn opened_by(&self, key: Key, now: DateTime<Utc>) -> Option<Principal> {
        let holder = self.holder_of(key, now).ok()?;
        let principal = self.principal(holder.account)?;
        match &self.openings.get(&key)?.permissions {
            Some(permissions) => Some(principal.narrowed(permissions)),
            None => Some(principal),
        }
    }

    /// The account with what its grants allow now; `None` if there is no such account, or it is blocked.
    #[must_use]
    pub fn principal(&self, account: AccountId) -> Option<Principal> {
        self.holders.get(&account).map(|holder| holder.principal.clone())
    }

    /// Whether an account, if there is one, may do this on the platform.
    #[must_use]
    pub fn may(&self, account: AccountId, permission: Permission) -> bool {
        let holder = self.holders.get(&account);
        holder.is_some_and(|holder| holder.principal.may(permission, Place::Platform))
    }

    /// The streams that say what [`Access::principal`] answers, with their revisions here: the account's own, and those
    /// of the custom roles it was granted. A command that guards them is refused if a revocation lands first.
    #[must_use]
    pub fn relied_on(&self, account: AccountId) -> Vec<(String, u64)> {
        self.holders
            .get(&account)
            .map(|holder| holder.relied_on.clone())
            .unwrap_or_default()
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
        self.roles.workspaces.get(&project).copied()
    }

    /// The accounts that hold a role in exactly this place, in no order.
    pub fn holders(&self, role: &RoleName, scope: Scope) -> impl Iterator<Item = AccountId> {
        let holds = move |holder: &&Holder| {
            let mut grants = holder.principal.grants.iter();
            grants.any(|grant| grant.role == *role && grant.scope == scope)
        };
        self.holders
            .values()
            .filter(holds)
            .map(|holder| holder.principal.account)
    }

    pub(crate) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let defined = accounts::all_roles(conn)?;
        let revisions: BTreeMap<_, _> = defined.iter().map(|role| (role.key.clone(), role.revision)).collect();
        let roles = Roles {
            custom: defined.into_iter().map(|role| (role.key, role.permissions)).collect(),
            workspaces: tenancy::project_workspaces(conn)?.into_iter().collect(),
            closed: tenancy::closed_workspaces(conn)?.into_iter().collect(),
        };
        let mut granted: HashMap<_, Vec<_>> = HashMap::new();
        for grant in accounts::all_grants(conn)? {
            granted
                .entry(grant.account)
                .or_default()
                .push((grant.role, grant.scope));
        }
        let holder = |(id, revision)| {
            let grants = granted.remove(&id).unwrap_or_default();
            let custom = grants
                .iter()
                .filter(|(role, _)| BuiltInRole::named(role).is_none())
                .filter_map(|(role, scope)| roles.key(role, *scope));
            let relied_on = relied_on(id, revision, custom.collect(), &revisions);
            let principal = Principal::resolve(id, grants, &roles);
            (id, Holder { principal, relied_on })
        };
        let mut access = Self {
            secrets: HashMap::new(),
            openings: HashMap::new(),
            holders: accounts::all_accounts(conn)?.into_iter().map(holder).collect(),
            roles,
        };
        for token in tokens::unrevoked(conn)? {
            let opening = Opening {
                account: token.account,
                expires: token.expires,
                permissions: token.permissions,
            };
            access.opens(token.secret, Key::Token(token.id), opening);
        }
        for session in sessions::all(conn)? {
            let opening = Opening {
                account: session.account,
                expires: Some(session.expires),
                permissions: None,
            };
            access.opens(session.secret, Key::Session(session.id), opening);
        }
        Ok(access)
    }

    fn opens(&mut self, secret: Digest, key: Key, opening: Opening) {
        self.secrets.insert(secret, key);
        self.openings.insert(key, opening);
    }
}

/// A custom role that nobody defined yet is relied on too: it is at revision 0 until somebody does.
fn relied_on(
    account: AccountId,
    revision: u64,
    custom: BTreeSet<RoleKey>,
    revisions: &BTreeMap<RoleKey, u64>,
) -> Vec<(String, u64)> {
    let own = (format!("{}-{account}", Account::CATEGORY), revision);
    let roles = custom.into_iter().map(|role| {
        let revision = revisions.get(&role).copied().unwrap_or_default();
        (format!("{}-{}", Role::CATEGORY, role.stream_key()), revision)
    });
    std::iter::once(own).chain(roles).collect()
}
