//! Accounts with their tokens and grants, and the roles that administrators defined.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    access::Principal,
    account::{Event, Scope},
    digest::{Digest, Sealed},
    ids::{AccountId, TokenId},
    names::RoleName,
    permission::Permission,
    role,
};
use rusqlite::{Connection, Transaction};

pub use crate::moment::Mark;
use crate::{
    error::ViewError,
    fact::Fact,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE account (
    id         BLOB NOT NULL PRIMARY KEY,
    created    INTEGER NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    erased     INTEGER
) WITHOUT ROWID;
CREATE TABLE granted (
    account BLOB NOT NULL,
    role    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (account, role, scope)
) WITHOUT ROWID;
CREATE INDEX granted_in_scope ON granted (scope);
CREATE TABLE token (
    id      BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL,
    secret  BLOB NOT NULL,
    expires INTEGER,
    issued  INTEGER NOT NULL,
    revoked INTEGER
) WITHOUT ROWID;
CREATE INDEX token_of_account ON token (account);
CREATE TABLE role (
    name        TEXT NOT NULL PRIMARY KEY,
    revision    INTEGER NOT NULL,
    permissions TEXT NOT NULL
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
    /// The position it was granted at.
    pub since: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub account: AccountId,
    /// The SHA-256 of the secret.
    pub secret: Digest,
    pub expires: Option<DateTime<Utc>>,
    /// The position it was issued at.
    pub issued: u64,
    /// The position it was revoked at.
    pub revoked: Option<u64>,
}

/// A role that an administrator defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub name: RoleName,
    /// How many events its stream has.
    pub revision: u64,
    pub permissions: BTreeSet<Permission>,
}

const ACCOUNT: &str = "SELECT created, id, name, created, created_at, revision, erased FROM account";

pub fn account(conn: &Connection, id: AccountId) -> Result<Option<Account>, ViewError> {
    let keyed = |c: &mut Columns<'_, '_>| KeyKind::Position.keyed(c, &Account::read);
    Ok(sql::first(conn, &format!("{ACCOUNT} WHERE id = ?"), values![id], keyed)?.map(|keyed| keyed.row))
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

/// Who was granted something at exactly this scope: the members of a workspace, say.
pub fn granted_in(conn: &Connection, scope: Scope) -> Result<Vec<Granted>, ViewError> {
    let sql = "SELECT account, role, scope, since FROM granted WHERE scope = ? ORDER BY since";
    Ok(sql::rows(conn, sql, values![Json(&scope)], Granted::read)?)
}

/// The tokens of an account, the newest first, with those that expired or were revoked.
pub fn tokens(conn: &Connection, account: AccountId) -> Result<Vec<Token>, ViewError> {
    let sql = "SELECT id, account, secret, expires, issued, revoked FROM token WHERE account = ? ORDER BY issued DESC";
    Ok(sql::rows(conn, sql, values![account], Token::read)?)
}

/// The roles that administrators defined, by name.
pub fn roles(conn: &Connection) -> Result<Vec<Role>, ViewError> {
    Ok(all_roles(conn)?)
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
) -> rusqlite::Result<Vec<RoleName>> {
    let sql = "SELECT account, role, scope, since FROM granted WHERE account = ? AND scope = ? ORDER BY role";
    let granted = sql::rows(conn, sql, values![account, Json(&Scope::Platform {})], Granted::read)?;
    let mut custom = BTreeMap::new();
    for Granted { role, .. } in &granted {
        let permissions = sql::first(
            conn,
            "SELECT permissions FROM role WHERE name = ?",
            values![*role],
            sql::json,
        )?;
        custom.extend(permissions.map(|permissions| (role.clone(), permissions)));
    }
    let granted = granted.into_iter().map(|granted| (granted.role, granted.scope));
    let principal = Principal::resolve(account, granted, &custom);
    let allowing = principal.grants.into_iter();
    Ok(allowing
        .filter(|grant| grant.permissions.contains(&permission))
        .map(|grant| grant.role)
        .collect())
}

/// Those that can act, with their revisions.
pub(crate) fn all_accounts(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, u64)>> {
    sql::rows(
        conn,
        "SELECT id, revision FROM account WHERE erased IS NULL",
        vec![],
        |c| Ok((c.take()?, c.take()?)),
    )
}

pub(crate) fn all_grants(conn: &Connection) -> rusqlite::Result<Vec<Granted>> {
    sql::rows(
        conn,
        "SELECT account, role, scope, since FROM granted",
        vec![],
        Granted::read,
    )
}

pub(crate) fn valid_tokens(conn: &Connection) -> rusqlite::Result<Vec<Token>> {
    let sql = "SELECT id, account, secret, expires, issued, revoked FROM token WHERE revoked IS NULL";
    sql::rows(conn, sql, vec![], Token::read)
}

pub(crate) fn all_roles(conn: &Connection) -> rusqlite::Result<Vec<Role>> {
    let role = |c: &mut Columns<'_, '_>| {
        Ok(Role {
            name: c.take()?,
            revision: c.take()?,
            permissions: c.json()?,
        })
    };
    sql::rows(
        conn,
        "SELECT name, revision, permissions FROM role ORDER BY name",
        vec![],
        role,
    )
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let account: AccountId = fact.subject()?;
    match event {
        Event::AccountCreated { name } => {
            let values = values![account, fact.position, fact.stamp.at, fact.revision, *name];
            sql::execute(
                tx,
                "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, NULL)",
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
        Event::TokenIssued { token, secret, expires } => {
            let values = values![*token, account, *secret, *expires, fact.position];
            sql::execute(tx, "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, NULL)", values)?;
        }
        Event::TokenRevoked { token } => {
            let values = values![fact.position, *token, account];
            sql::execute(tx, "UPDATE token SET revoked = ? WHERE id = ? AND account = ?", values)?;
        }
        Event::SubjectErased { .. } => {
            let values = values![fact.position, account];
            sql::execute(tx, "UPDATE account SET erased = ? WHERE id = ?", values)?;
        }
    }
    sql::execute(
        tx,
        "UPDATE account SET revision = ? WHERE id = ?",
        values![fact.revision, account],
    )?;
    Ok(())
}

pub(crate) fn apply_role(tx: &Transaction<'_>, fact: &Fact, event: &role::Event) -> Result<(), ViewError> {
    let role::Event::RoleDefined { role, permissions } = event;
    let values = values![*role, fact.revision, Json(permissions)];
    sql::execute(tx, "INSERT OR REPLACE INTO role VALUES (?, ?, ?)", values)?;
    Ok(())
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

impl Token {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            account: columns.take()?,
            secret: columns.take()?,
            expires: columns.take()?,
            issued: columns.take()?,
            revoked: columns.take()?,
        })
    }
}
