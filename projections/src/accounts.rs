//! Accounts with their grants, the roles that were defined, and invitations to them.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    access::{Principal, Roles},
    account::{Event, Scope},
    digest::Sealed,
    ids::{AccountId, WorkspaceId},
    invitation,
    names::RoleName,
    permission::Permission,
    role::{self, RoleKey},
};
use rusqlite::{Connection, Transaction};

pub use crate::moment::Mark;
use crate::{
    error::ViewError,
    fact::Fact,
    lookup::{self, Lookup},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sessions,
    sql::{self, Columns, Json, values},
    tokens,
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE account (
    id         BLOB NOT NULL PRIMARY KEY,
    created    INTEGER NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    erased     INTEGER,
    blocked    INTEGER,
    password   INTEGER
) WITHOUT ROWID;
CREATE TABLE granted (
    account BLOB NOT NULL,
    role    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (account, role, scope)
) WITHOUT ROWID;
CREATE INDEX granted_in_scope ON granted (scope);
CREATE TABLE role (
    key         TEXT NOT NULL PRIMARY KEY,
    workspace   BLOB,
    name        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    permissions TEXT NOT NULL,
    retired     INTEGER
) WITHOUT ROWID;
CREATE INDEX role_of_workspace ON role (workspace, name);
CREATE TABLE invitation (
    invited TEXT NOT NULL,
    role    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    by      BLOB,
    since   INTEGER NOT NULL,
    PRIMARY KEY (invited, role, scope)
) WITHOUT ROWID;
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: Sealed,
    /// The position it was created at.
    pub created: u64,
    pub created_at: DateTime<Utc>,
    /// How many events its stream has.
    pub revision: u64,
    /// The position at which the person behind it was erased: the name opens no more.
    pub erased: Option<u64>,
    /// The position at which it was blocked, while it is.
    pub blocked: Option<u64>,
    /// The position at which its password was set.
    pub password: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
    /// The position it was granted at.
    pub since: u64,
}

/// Whether anything opens an account, and how many events its stream has.
pub(crate) struct Standing {
    pub(crate) id: AccountId,
    pub(crate) revision: u64,
    /// It is blocked, or was erased.
    pub(crate) is_shut: bool,
}

/// A role that somebody defined, for the platform or for one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub key: RoleKey,
    /// How many events its stream has.
    pub revision: u64,
    /// None once it is retired.
    pub permissions: BTreeSet<Permission>,
    /// The position it was retired at.
    pub retired: Option<u64>,
}

/// A role that is offered to whoever has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub role: RoleName,
    pub scope: Scope,
    /// Who offered it; `None` is Charthouse itself.
    pub by: Option<AccountId>,
    /// The position it was offered at.
    pub since: u64,
}

const ACCOUNT: &str = "SELECT created, id, name, created, created_at, revision, erased, blocked, password FROM account";

pub fn account(conn: &Connection, id: AccountId) -> Result<Option<Account>, ViewError> {
    let keyed = |c: &mut Columns<'_, '_>| KeyKind::Position.keyed(c, &Account::read);
    Ok(sql::first(conn, &format!("{ACCOUNT} WHERE id = ?"), values![id], keyed)?.map(|keyed| keyed.row))
}

impl Lookup for AccountId {
    type Row = Account;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, Account>, ViewError> {
        let keyed = |c: &mut Columns<'_, '_>| Ok(KeyKind::Position.keyed(c, &Account::read)?.row);
        lookup::by_id(conn, &format!("{ACCOUNT} WHERE id"), ids, keyed, |account| account.id)
    }
}

/// All accounts, the newest first.
pub fn accounts(conn: &Connection, page: &PageRequest) -> Result<Page<Account>, ViewError> {
    let list = List {
        select: ACCOUNT,
        column: "created",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, Conditions::default(), page, Account::read)
}

/// The accounts whose people were erased.
pub fn erased(conn: &Connection) -> Result<Vec<AccountId>, ViewError> {
    let sql = "SELECT id FROM account WHERE erased IS NOT NULL ORDER BY erased";
    Ok(sql::rows(conn, sql, vec![], sql::value)?)
}

/// What an account was granted.
pub fn grants(conn: &Connection, account: AccountId) -> Result<Vec<Granted>, ViewError> {
    let sql = "SELECT account, role, scope, since FROM granted WHERE account = ? ORDER BY since";
    Ok(sql::rows(conn, sql, values![account], Granted::read)?)
}

/// Who was granted something at exactly this scope, the longest first: the members of a workspace, say.
pub fn granted_in(conn: &Connection, scope: Scope, page: &PageRequest) -> Result<Page<Granted>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("scope = ?", values![Json(&scope)]);
    let list = List {
        select: "SELECT since, account, role, scope, since FROM granted",
        column: "since",
        kind: KeyKind::Position,
        order: Order::Ascending,
    };
    list.page(conn, conditions, page, Granted::read)
}

const ROLE: &str = "SELECT workspace, name, revision, permissions, retired FROM role";

/// The roles that were defined for the platform, or for one workspace, by name; without those that are retired.
pub fn roles(conn: &Connection, workspace: Option<WorkspaceId>) -> Result<Vec<Role>, ViewError> {
    let sql = format!("{ROLE} WHERE workspace IS ? AND retired IS NULL ORDER BY name");
    Ok(sql::rows(conn, &sql, values![workspace], Role::read)?)
}

/// A role that was defined, also if it is retired.
pub fn role(conn: &Connection, key: &RoleKey) -> Result<Option<Role>, ViewError> {
    let sql = format!("{ROLE} WHERE key = ?");
    Ok(sql::first(conn, &sql, values![key.stream_key()], Role::read)?)
}

/// What is offered to whoever has a name, by the key of the name's stream, the newest first.
pub fn invitations(conn: &Connection, invited: &str) -> Result<Vec<Invitation>, ViewError> {
    let sql = "SELECT role, scope, by, since FROM invitation WHERE invited = ? ORDER BY since DESC";
    let invitation = |c: &mut Columns<'_, '_>| {
        Ok(Invitation {
            role: c.take()?,
            scope: c.json()?,
            by: c.take()?,
            since: c.take()?,
        })
    };
    Ok(sql::rows(conn, sql, values![invited], invitation)?)
}

/// The names of those of `accounts` that exist.
pub fn names(
    conn: &Connection,
    accounts: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<(AccountId, Sealed)>, ViewError> {
    let mut names = vec![];
    for account in accounts {
        let name = sql::first(
            conn,
            "SELECT name FROM account WHERE id = ?",
            values![account],
            sql::value,
        )?;
        names.extend(name.map(|name| (account, name)));
    }
    Ok(names)
}

/// Those of an account's roles that allow something on the platform.
pub(crate) fn roles_allowing(
    conn: &Connection,
    account: AccountId,
    permission: Permission,
) -> Result<Vec<RoleName>, ViewError> {
    let sql = "SELECT account, role, scope, since FROM granted WHERE account = ? AND scope = ? ORDER BY role";
    let granted = sql::rows(conn, sql, values![account, Json(&Scope::Platform {})], Granted::read)?;
    let mut roles = Roles::default();
    for Granted { role, .. } in &granted {
        let key = RoleKey {
            workspace: None,
            name: role.clone(),
        };
        let defined = self::role(conn, &key)?;
        roles.custom.extend(defined.map(|defined| (key, defined.permissions)));
    }
    let granted = granted.into_iter().map(|granted| (granted.role, granted.scope));
    let principal = Principal::resolve(account, granted, &roles);
    let allowing = principal.grants.into_iter();
    Ok(allowing
        .filter(|grant| grant.permissions.contains(&permission))
        .map(|grant| grant.role)
        .collect())
}

/// Those that can act, with their revisions.
const STANDING: &str = "SELECT id, revision, erased IS NOT NULL OR blocked IS NOT NULL FROM account";

/// How all accounts are now.
pub(crate) fn standings(conn: &Connection) -> rusqlite::Result<Vec<Standing>> {
    sql::rows(conn, STANDING, vec![], Standing::read)
}

/// How an account is now.
pub(crate) fn standing(conn: &Connection, account: AccountId) -> rusqlite::Result<Option<Standing>> {
    let sql = format!("{STANDING} WHERE id = ?");
    sql::first(conn, &sql, values![account], Standing::read)
}

pub(crate) fn all_grants(conn: &Connection) -> rusqlite::Result<Vec<Granted>> {
    sql::rows(
        conn,
        "SELECT account, role, scope, since FROM granted",
        vec![],
        Granted::read,
    )
}

pub(crate) fn all_roles(conn: &Connection) -> rusqlite::Result<Vec<Role>> {
    sql::rows(conn, ROLE, vec![], Role::read)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let account: AccountId = fact.subject()?;
    match event {
        Event::AccountCreated { name } => {
            let values = values![account, fact.position, fact.stamp.at, fact.revision, *name];
            sql::execute(
                tx,
                "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)",
                values,
            )?;
        }
        Event::RoleGranted { role, scope } => {
            let values = values![account, *role, Json(scope), fact.position];
            sql::execute(tx, "INSERT OR REPLACE INTO granted VALUES (?, ?, ?, ?)", values)?;
        }
        Event::RoleRevoked { role, scope } => {
            let values = values![account, *role, Json(scope)];
            sql::execute(
                tx,
                "DELETE FROM granted WHERE account = ? AND role = ? AND scope = ?",
                values,
            )?;
        }
        Event::TokenIssued { .. } | Event::TokenRevoked { .. } | Event::IdentityLinked { .. } => {}
        Event::PasswordSet { .. } => {
            let values = values![fact.position, account];
            sql::execute(tx, "UPDATE account SET password = ? WHERE id = ?", values)?;
        }
        Event::AccountBlocked {} => {
            let values = values![fact.position, account];
            sql::execute(tx, "UPDATE account SET blocked = ? WHERE id = ?", values)?;
        }
        Event::AccountUnblocked {} => {
            sql::execute(tx, "UPDATE account SET blocked = NULL WHERE id = ?", values![account])?;
        }
        Event::SubjectErased { .. } => {
            let values = values![fact.position, account];
            sql::execute(tx, "UPDATE account SET erased = ? WHERE id = ?", values)?;
        }
    }
    tokens::apply(tx, fact, account, event)?;
    sessions::apply_account(tx, account, event)?;
    sql::execute(
        tx,
        "UPDATE account SET revision = ? WHERE id = ?",
        values![fact.revision, account],
    )?;
    Ok(())
}

pub(crate) fn apply_role(tx: &Transaction<'_>, fact: &Fact, event: &role::Event) -> Result<(), ViewError> {
    let (role, workspace, permissions, retired) = match event {
        role::Event::RoleDefined {
            role,
            workspace,
            permissions,
        } => (role, workspace, permissions.clone(), None),
        role::Event::RoleRetired { role, workspace } => (role, workspace, BTreeSet::new(), Some(fact.position)),
    };
    let key = fact.stream.key();
    let values = values![key, *workspace, *role, fact.revision, Json(&permissions), retired];
    sql::execute(tx, "INSERT OR REPLACE INTO role VALUES (?, ?, ?, ?, ?, ?)", values)?;
    Ok(())
}

pub(crate) fn apply_invitation(tx: &Transaction<'_>, fact: &Fact, event: &invitation::Event) -> Result<(), ViewError> {
    let invited = fact.stream.key();
    match event {
        invitation::Event::MemberInvited { role, scope } => {
            let values = values![invited, *role, Json(scope), fact.stamp.by.account(), fact.position];
            sql::execute(tx, "INSERT OR REPLACE INTO invitation VALUES (?, ?, ?, ?, ?)", values)?;
        }
        invitation::Event::InvitationAccepted { role, scope }
        | invitation::Event::InvitationWithdrawn { role, scope } => {
            let sql = "DELETE FROM invitation WHERE invited = ? AND role = ? AND scope = ?";
            sql::execute(tx, sql, values![invited, *role, Json(scope)])?;
        }
        invitation::Event::InvitationsWithdrawn {} => {
            sql::execute(tx, "DELETE FROM invitation WHERE invited = ?", values![invited])?;
        }
    }
    Ok(())
}

impl Standing {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            revision: columns.take()?,
            is_shut: columns.take()?,
        })
    }
}

impl Role {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: RoleKey {
                workspace: columns.take()?,
                name: columns.take()?,
            },
            revision: columns.take()?,
            permissions: columns.json()?,
            retired: columns.take()?,
        })
    }
}

impl Account {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            name: columns.take()?,
            created: columns.take()?,
            created_at: columns.take()?,
            revision: columns.take()?,
            erased: columns.take()?,
            blocked: columns.take()?,
            password: columns.take()?,
        })
    }
}

impl Granted {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            account: columns.take()?,
            role: columns.take()?,
            scope: columns.json()?,
            since: columns.take()?,
        })
    }
}
