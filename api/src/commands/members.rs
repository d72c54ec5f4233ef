//! Members: people are invited by name, and become members when they accept.

use domain::{
    account::{Account, Scope},
    granting::Gift,
    ids::{AccountId, Actor},
    invitation::{Command as Do, Invitations},
    name::Claim,
    names::{AccountName, RoleName},
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    credentials::{set_password, wrong_password},
    roles::{authorize_gift, give, offered},
};
use crate::{auth::passwords::NewPassword, keys::ServerKey};

/// Offers a role to whoever has a name. It is recorded and answered the same whether an account is called so or not.
#[derive(Debug, Serialize)]
pub struct InviteMember {
    pub name: AccountName,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for InviteMember {
    const NAME: &'static str = "InviteMember";

    fn target(&self) -> Option<Target> {
        Some(Target::Place(self.scope))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let permissions = authorize_gift(work, &self.role, self.scope, None).await?;
        let invite = Do::Invite {
            role: self.role.clone(),
            permissions,
            scope: self.scope,
        };
        let key = invitations_to(&work.commands.key, &self.name);
        work.decide::<Invitations>(key.as_str(), invite).await?;
        Ok(Target::Place(self.scope))
    }
}

/// Takes an invitation back.
#[derive(Debug, Serialize)]
pub struct WithdrawInvitation {
    pub name: AccountName,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for WithdrawInvitation {
    const NAME: &'static str = "WithdrawInvitation";

    fn target(&self) -> Option<Target> {
        Some(Target::Place(self.scope))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        authorize_gift(work, &self.role, self.scope, None).await?;
        let key = invitations_to(&work.commands.key, &self.name);
        withdraw(work, &key, &self.role, self.scope).await
    }
}

/// Takes a role that one was invited to, if whoever offered it may still give it.
#[derive(Debug, Serialize)]
pub struct AcceptInvitation {
    pub role: RoleName,
    pub scope: Scope,
    /// The first password of an account that has none, so that whoever came by a token can come back without it.
    #[serde(skip)]
    pub password: Option<NewPassword>,
}

impl Command for AcceptInvitation {
    const NAME: &'static str = "AcceptInvitation";

    fn target(&self) -> Option<Target> {
        Some(Target::Place(self.scope))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let account = work.account()?;
        work.own_affairs()?;
        let key = own_key(work, account).await?;
        let accept = Do::Accept {
            role: self.role.clone(),
            scope: self.scope,
        };
        let by = work.load::<Invitations>(key.as_str()).await?.open;
        let by = by.get(&(self.role.clone(), self.scope)).copied();
        work.decide::<Invitations>(key.as_str(), accept).await?;
        if let Some(Actor::Account(giver)) = by {
            still_gives(work, giver, &self.role, self.scope, account).await?;
        }
        give(work, account, &self.role, self.scope).await?;
        if let Some(password) = &self.password {
            if work
                .load::<Account>(account)
                .await?
                .is_some_and(|account| account.password.is_some())
            {
                return Err(wrong_password());
            }
            set_password(work, account, password, None, None).await?;
        }
        Ok(Target::Place(self.scope))
    }
}

/// Says no to an invitation.
#[derive(Debug, Serialize)]
pub struct DeclineInvitation {
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for DeclineInvitation {
    const NAME: &'static str = "DeclineInvitation";

    fn target(&self) -> Option<Target> {
        Some(Target::Place(self.scope))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let account = work.account()?;
        work.own_affairs()?;
        let key = own_key(work, account).await?;
        withdraw(work, &key, &self.role, self.scope).await
    }
}

async fn withdraw(work: &mut Work<'_>, key: &str, role: &RoleName, scope: Scope) -> Result<Target, CommandError> {
    let role = role.clone();
    work.decide::<Invitations>(key, Do::Withdraw { role, scope }).await?;
    Ok(Target::Place(scope))
}

/// The key of the invitations to a name. It is keyed with the server's secret, as the name itself is.
#[must_use]
pub fn invitations_to(key: &ServerKey, name: &AccountName) -> String {
    Claim::Account(key.of_account_name(name)).stream_key()
}

/// The key of the invitations to an account, by its name.
///
/// # Errors
///
/// [`CommandError::NotFound`] if there is no such account, or its name was erased.
async fn own_key(work: &mut Work<'_>, account: AccountId) -> Result<String, CommandError> {
    let not_found = || CommandError::NotFound("invitation");
    let account = work.load::<Account>(account).await?.ok_or_else(not_found)?;
    let name = work.commands.vault.unseal(&account.name).await?.ok_or_else(not_found)?;
    let name = std::str::from_utf8(&name).ok().and_then(|name| name.parse().ok());
    Ok(invitations_to(&work.commands.key, &name.ok_or_else(not_found)?))
}

/// Whether who offered a role may still give it; their grants are guarded. What they may not give any more is as if it
/// had not been offered.
async fn still_gives(
    work: &mut Work<'_>,
    giver: AccountId,
    role: &RoleName,
    scope: Scope,
    to: AccountId,
) -> Result<(), CommandError> {
    let not_found = || CommandError::NotFound("invitation");
    let (place, permissions) = offered(work, role, scope).await?.ok_or_else(not_found)?;
    let giver = work.rely_on(giver)?.ok_or_else(not_found)?;
    let gift = Gift {
        role,
        permissions: &permissions,
        place,
        holder: Some(to),
    };
    gift.may_be_given_by(&giver).map_err(|_| not_found())
}
