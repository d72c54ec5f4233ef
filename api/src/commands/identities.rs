//! Whom an `OpenID` provider vouches for, and which account that is.

use domain::{
    account::{Account, Command as Do, Scope},
    digest::Digest,
    ids::AccountId,
    invitation::Invitations,
    name::{Claim, Name},
    names::AccountName,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work, credentials::link, members::invitations_to, roles::give, work::holder,
};
use crate::ids;

/// The role of whoever gets an account by coming.
const ROLE: &str = "platform-regular";

/// Finds the account of an identity. At a first time it is linked: to the account of that name which nobody has claimed
/// yet, or to a new one for whoever was invited by that name, or for anybody if the operator says so.
#[derive(Debug, Serialize)]
pub struct AdmitIdentity {
    /// The keyed hash of issuer and subject.
    pub identity: Digest,
    pub name: Option<AccountName>,
    pub creates_accounts: bool,
}

impl Command for AdmitIdentity {
    const NAME: &'static str = "AdmitIdentity";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        if let Some(account) = account_of(work, &Claim::Identity(self.identity)).await? {
            return Ok(Target::Account(account));
        }
        let name = self.name.as_ref().ok_or(CommandError::NotFound("account"))?;
        let account = match account_of(work, &Claim::Account(work.commands.key.of_account_name(name))).await? {
            Some(account) => unclaimed(work, account).await?,
            None => self.new_account(work, name).await?,
        };
        link(work, account, self.identity).await?;
        Ok(Target::Account(account))
    }
}

impl AdmitIdentity {
    async fn new_account(&self, work: &mut Work<'_>, name: &AccountName) -> Result<AccountId, CommandError> {
        let invitations = invitations_to(&work.commands.key, name);
        let is_invited = !work.load::<Invitations>(invitations.as_str()).await?.open.is_empty();
        if !is_invited && !self.creates_accounts {
            return Err(CommandError::NotFound("account"));
        }
        let id = AccountId::from_uuid(ids::fresh());
        let sealed = work.seal(&holder::<Account>(id), name.as_str()).await?;
        work.decide::<Account>(id, Do::Create { name: sealed }).await?;
        if self.creates_accounts {
            let role = ROLE.parse().map_err(CommandError::internal)?;
            give(work, id, &role, Scope::Platform {}).await?;
        }
        let claim = Claim::Account(work.commands.key.of_account_name(name));
        work.take_name(&claim, &holder::<Account>(id)).await?;
        Ok(id)
    }
}

/// An account that was made for somebody who has not come yet. One that anything opens belongs to somebody, who need not
/// be whom the provider calls so.
async fn unclaimed(work: &mut Work<'_>, id: AccountId) -> Result<AccountId, CommandError> {
    let account = work.load::<Account>(id).await?;
    match account.is_some_and(|account| account.is_unclaimed()) {
        true => Ok(id),
        false => Err(CommandError::NotFound("account")),
    }
}

async fn account_of(work: &mut Work<'_>, claim: &Claim) -> Result<Option<AccountId>, CommandError> {
    let taken = work.load::<Name>(claim.stream_key().as_str()).await?;
    Ok(taken.and_then(|name| name.holder.strip_prefix("account-")?.parse().ok()))
}
