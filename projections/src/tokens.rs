//! Tokens: what accounts of machines and of people are opened by, with those that are over.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    account::Event,
    digest::{Digest, Sealed},
    ids::{AccountId, TokenId},
    permission::Permission,
};
use rusqlite::{Connection, Transaction};

use crate::{
    error::ViewError,
    fact::Fact,
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE token (
    id      BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL,
    secret  BLOB NOT NULL,
    name    TEXT,
    permissions TEXT,
    expires INTEGER,
    issued  INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    revoked INTEGER
) WITHOUT ROWID;
CREATE INDEX token_of_account ON token (account);
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub account: AccountId,
    /// The SHA-256 of the secret.
    pub secret: Digest,
    /// What its owner calls it.
    pub name: Option<Sealed>,
    /// All that it allows; `None` for one that is not narrowed.
    pub permissions: Option<BTreeSet<Permission>>,
    pub expires: Option<DateTime<Utc>>,
    /// The position it was issued at.
    pub issued: u64,
    pub issued_at: DateTime<Utc>,
    /// The position it was revoked at.
    pub revoked: Option<u64>,
}

const TOKEN: &str = "SELECT id, account, secret, name, permissions, expires, issued, issued_at, revoked FROM token";

/// The tokens of an account, the newest first, with those that expired or were revoked.
pub fn tokens(conn: &Connection, account: AccountId) -> Result<Vec<Token>, ViewError> {
    let sql = format!("{TOKEN} WHERE account = ? ORDER BY issued DESC");
    Ok(sql::rows(conn, &sql, values![account], Token::read)?)
}

/// A token, also if it is over.
pub fn token(conn: &Connection, id: TokenId) -> Result<Option<Token>, ViewError> {
    let sql = format!("{TOKEN} WHERE id = ?");
    Ok(sql::first(conn, &sql, values![id], Token::read)?)
}

pub(crate) fn unrevoked(conn: &Connection) -> rusqlite::Result<Vec<Token>> {
    let sql = format!("{TOKEN} WHERE revoked IS NULL ORDER BY issued");
    sql::rows(conn, &sql, vec![], Token::read)
}

pub(crate) fn unrevoked_of(conn: &Connection, account: AccountId) -> rusqlite::Result<Vec<Token>> {
    let sql = format!("{TOKEN} WHERE account = ? AND revoked IS NULL ORDER BY issued");
    sql::rows(conn, &sql, values![account], Token::read)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, account: AccountId, event: &Event) -> Result<(), ViewError> {
    match event {
        Event::TokenIssued {
            token,
            secret,
            name,
            permissions,
            expires,
        } => {
            let permissions = permissions.as_ref().map(Json);
            let (position, at) = (fact.position, fact.stamp.at);
            let values = values![*token, account, *secret, *name, permissions, *expires, position, at];
            sql::execute(
                tx,
                "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                values,
            )?;
        }
        Event::TokenRevoked { token } => {
            let values = values![fact.position, *token, account];
            sql::execute(tx, "UPDATE token SET revoked = ? WHERE id = ? AND account = ?", values)?;
        }
        Event::AccountCreated { .. }
        | Event::RoleGranted { .. }
        | Event::RoleRevoked { .. }
        | Event::PasswordSet { .. }
        | Event::IdentityLinked { .. }
        | Event::AccountBlocked {}
        | Event::AccountUnblocked {}
        | Event::SubjectErased { .. } => {}
    }
    Ok(())
}

impl Token {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            account: columns.take()?,
            secret: columns.take()?,
            name: columns.take()?,
            permissions: columns.optional_json()?,
            expires: columns.take()?,
            issued: columns.take()?,
            issued_at: columns.take()?,
            revoked: columns.take()?,
        })
    }
}
