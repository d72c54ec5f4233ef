//! Who may do what, in memory: folded from the log like a view, and published together with the view's position.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal, Roles},
    account::{Account, Scope},
    decider::Decider,
    digest::Digest,
    ids::{AccountId, ProjectId, TokenId, WorkspaceId},
    names::RoleName,
    permission::Permission,
    role::{BuiltInRole, Role, RoleKey},
};
use rusqlite::Connection;

use crate::{accounts, tenancy};

/// Accounts, tokens, grants and roles as of one position of the log.
#[derive(Debug, Default)]
pub struct Access {
    tokens: HashMap<Digest, (TokenHolder, Option<DateTime<Utc>>)>,
    holders: HashMap<AccountId, Holder>,
    roles: Roles,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHolder {
    pub account: AccountId,
    pub token: TokenId,
}

#[derive(Debug)]
struct Holder {
    principal: Principal,
    relied_on: Vec<(String, u64)>,
}

impl Access {
    /// Whom the token with this hash of its secret speaks for; nobody if it was revoked or has expired by `now`.
    #[must_use]
    pub fn by_token_secret(&self, secret: &Digest, now: DateTime<Utc>) -> Option<TokenHolder> {
        let (holder, expires) = self.tokens.get(secret)?;
        expires.is_none_or(|expires| now < expires).then_some(*holder)
    }

    /// The account with what its grants allow now; `None` if there is no such account.
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
        Ok(Self {
            holders: accounts::all_accounts(conn)?.into_iter().map(holder).collect(),
            tokens: accounts::valid_tokens(conn)?.iter().map(holder_of).collect(),
            roles,
        })
    }
}

fn holder_of(token: &accounts::Token) -> (Digest, (TokenHolder, Option<DateTime<Utc>>)) {
    (
        token.secret,
        (
            TokenHolder {
                account: token.account,
                token: token.id,
            },
            token.expires,
        ),
    )
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
