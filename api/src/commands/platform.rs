//! Accounts with their tokens: what has to be there before the store can be used.

use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    account::{Account, Command as DoAccount, Scope},
    digest::Digest,
    ids::{AccountId, TokenId},
    name::Claim,
    names::{AccountName, RoleName},
    permission::Permission,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    roles::{authorize_gift, give},
    work::holder,
};
use crate::ids;

#[derive(Debug, Serialize)]
pub struct CreateAccount {
    pub name: AccountName,
    /// Granted at once, on the platform.
    pub role: Option<RoleName>,
}

impl Command for CreateAccount {
    const NAME: &'static str = "CreateAccount";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let id = AccountId::from_uuid(ids::fresh());
        let name = work.seal(&holder::<Account>(id), self.name.as_str()).await?;
        work.decide::<Account>(id, DoAccount::Create { name }).await?;
        if let Some(role) = &self.role {
            authorize_gift(work, role, Scope::Platform {}, Some(id)).await?;
            give(work, id, role, Scope::Platform {}).await?;
        }
        let claim = Claim::Account(work.commands.key.of_account_name(&self.name));
        work.take_name(&claim, &holder::<Account>(id)).await?;
        Ok(Target::Account(id))
    }
}

/// Makes a bearer token known by the hash of its secret.
#[derive(Debug, Serialize)]
pub struct IssueToken {
    pub account: AccountId,
    pub token: TokenId,
    pub secret: Digest,
    pub expires: Option<DateTime<Utc>>,
}

impl Command for IssueToken {
    const NAME: &'static str = "IssueToken";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let issue = DoAccount::IssueToken {
            token: self.token,
            secret: self.secret,
            expires: self.expires,
        };
        work.decide::<Account>(self.account, issue).await?;
        Ok(Target::Account(self.account))
    }
}

#[derive(Debug, Serialize)]
pub struct RevokeToken {
    pub account: AccountId,
    pub token: TokenId,
}

impl Command for RevokeToken {
    const NAME: &'static str = "RevokeToken";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        work.decide::<Account>(self.account, DoAccount::RevokeToken { token: self.token })
            .await?;
        Ok(Target::Account(self.account))
    }
}
