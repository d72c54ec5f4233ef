//! Sessions that are open: a row is gone with its session. Those whose time is over go when their account signs in again.

use chrono::{DateTime, Utc};
use domain::{
    account,
    digest::Digest,
    ids::{AccountId, SessionId},
    session::{Event, Method},
};
use rusqlite::{Connection, Transaction};

use crate::{
    error::ViewError,
    fact::Fact,
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE session (
    id      BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL,
    secret  BLOB NOT NULL,
    method  TEXT NOT NULL,
    opened  INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_of_account ON session (account, opened);
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    /// The SHA-256 of the secret.
    pub secret: Digest,
    pub method: Method,
    /// The position it was opened at.
    pub opened: u64,
    pub opened_at: DateTime<Utc>,
    pub expires: DateTime<Utc>,
}

const SESSION: &str = "SELECT id, account, secret, method, opened, opened_at, expires FROM session";

/// The sessions of an account that are not over by `now`, the newest first.
pub fn sessions(conn: &Connection, account: AccountId, now: DateTime<Utc>) -> Result<Vec<Session>, ViewError> {
    let sql = format!("{SESSION} WHERE account = ? AND expires > ? ORDER BY opened DESC");
    Ok(sql::rows(conn, &sql, values![account, now], Session::read)?)
}

/// A session that was not closed.
pub fn session(conn: &Connection, id: SessionId) -> Result<Option<Session>, ViewError> {
    let sql = format!("{SESSION} WHERE id = ?");
    Ok(sql::first(conn, &sql, values![id], Session::read)?)
}

pub(crate) fn all(conn: &Connection) -> rusqlite::Result<Vec<Session>> {
    sql::rows(conn, &format!("{SESSION} ORDER BY opened"), vec![], Session::read)
}

pub(crate) fn of(conn: &Connection, account: AccountId) -> rusqlite::Result<Vec<Session>> {
    let sql = format!("{SESSION} WHERE account = ? ORDER BY opened");
    sql::rows(conn, &sql, values![account], Session::read)
}

pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &Event) -> Result<(), ViewError> {
    let id: SessionId = fact.subject()?;
    match event {
        Event::SessionOpened {
            account,
            secret,
            method,
            expires,
        } => {
            let sql = "DELETE FROM session WHERE account = ? AND expires <= ?";
            sql::execute(tx, sql, values![*account, fact.stamp.at])?;
            let (at, method) = (fact.stamp.at, Json(method));
            let values = values![id, *account, *secret, method, fact.position, at, *expires];
            sql::execute(
                tx,
                "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )?;
        }
        Event::SessionClosed {} => {
            sql::execute(tx, "DELETE FROM session WHERE id = ?", values![id])?;
        }
    }
    Ok(())
}

/// What happens to an account may end its sessions.
pub(crate) fn apply_account(tx: &Transaction<'_>, account: AccountId, event: &account::Event) -> Result<(), ViewError> {
    match event {
        account::Event::PasswordSet { keeps, .. } => {
            let sql = "DELETE FROM session WHERE account = ? AND id IS NOT ?";
            sql::execute(tx, sql, values![account, *keeps])?;
        }
        account::Event::AccountBlocked {} | account::Event::SubjectErased { .. } => {
            sql::execute(tx, "DELETE FROM session WHERE account = ?", values![account])?;
        }
        account::Event::AccountCreated { .. }
        | account::Event::RoleGranted { .. }
        | account::Event::RoleRevoked { .. }
        | account::Event::TokenIssued { .. }
        | account::Event::TokenRevoked { .. }
        | account::Event::IdentityLinked { .. }
        | account::Event::AccountUnblocked {} => {}
    }
    Ok(())
}

impl Session {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: columns.take()?,
            account: columns.take()?,
            secret: columns.take()?,
            method: columns.json()?,
            opened: columns.take()?,
            opened_at: columns.take()?,
            expires: columns.take()?,
        })
    }
}
