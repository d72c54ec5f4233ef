//! Sessions, and the record of those that did not come about.

use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    account::{Account, Proof},
    digest::Digest,
    ids::{AccountId, RefusalId, SessionId},
    permission::Permission,
    refusal::{self, Reason, Refusal},
    session::{Command as Do, Method, Session},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work};

/// Opens a session for an account, by what its owner has just shown.
#[derive(Debug, Serialize)]
pub struct OpenSession {
    pub account: AccountId,
    pub session: SessionId,
    pub secret: Digest,
    pub method: Method,
    pub expires: DateTime<Utc>,
    #[serde(skip)]
    pub proof: Proof,
}

impl Command for OpenSession {
    const NAME: &'static str = "OpenSession";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let account = work.load::<Account>(self.account).await?;
        let account = account.ok_or(CommandError::NotFound("account"))?;
        // What is loaded is guarded: a block or a new password that lands first refuses this.
        account.admits(&self.proof).map_err(CommandError::rejected)?;
        let open = Do::Open {
            account: self.account,
            secret: self.secret,
            method: self.method,
            expires: self.expires,
        };
        work.decide::<Session>(self.session, open).await?;
        Ok(Target::Account(self.account))
    }
}

/// Ends a session: its owner does, from here or from elsewhere, and whoever manages accounts.
#[derive(Debug, Serialize)]
pub struct CloseSession {
    pub session: SessionId,
}

impl Command for CloseSession {
    const NAME: &'static str = "CloseSession";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let not_found = CommandError::NotFound("session");
        let session = work.load::<Session>(self.session).await?.ok_or(not_found)?;
        match work.account() {
            Ok(account) if account == session.account => work.own_affairs()?,
            _ if work.may(Permission::AccountManage, Place::Platform) => {}
            _ => return Err(CommandError::NotFound("session")),
        }
        work.decide::<Session>(self.session, Do::Close).await?;
        Ok(Target::Account(session.account))
    }
}

/// Records attempts that failed.
#[derive(Debug, Serialize)]
pub struct RecordRefusal {
    pub id: RefusalId,
    pub account: Option<AccountId>,
    pub reason: Reason,
    pub count: u64,
}

impl Command for RecordRefusal {
    const NAME: &'static str = "RecordRefusal";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let Self {
            id,
            account,
            reason,
            count,
        } = *self;
        let record = refusal::Command::Record { account, reason, count };
        work.decide::<Refusal>(id, record).await?;
        Ok(Target::Refusal(id))
    }
}
