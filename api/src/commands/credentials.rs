//! What opens an account: its tokens, its password, the identities that are linked to it; and that nothing does.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    account::{Account, Command as Do, Scope},
    digest::{Digest, Sealed},
    ids::{AccountId, SessionId, TokenId},
    name::Claim,
    names::AccountName,
    permission::Permission,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work, erasure::is_last_administrator, roles::authorize_taking, work::holder,
};
use crate::auth::passwords::{NewPassword, WeakPassword};

/// Most characters of a token's name.
const TOKEN_NAME_CHARACTERS_MAX: usize = 100;

/// Makes a bearer token known by the hash of its secret: the account does for itself, and whoever holds the data folder.
#[derive(Debug, Serialize)]
pub struct IssueToken {
    pub account: AccountId,
    /// Drawn anew when the command is repeated, like its secret, so neither is part of what makes it the same.
    #[serde(skip)]
    pub token: TokenId,
    pub name: Option<String>,
    /// All that it allows; `None` for one that is not narrowed.
    pub permissions: Option<BTreeSet<Permission>>,
    pub expires: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub secret: Digest,
}

impl Command for IssueToken {
    const NAME: &'static str = "IssueToken";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        own_affair(work, self.account)?;
        let name = match &self.name {
            Some(name) => Some(work.seal(&holder::<Account>(self.account), checked_name(name)?).await?),
            None => None,
        };
        let issue = Do::IssueToken {
            token: self.token,
            secret: self.secret,
            name,
            permissions: self.permissions.clone(),
            expires: self.expires,
        };
        work.decide::<Account>(self.account, issue).await?;
        Ok(Target::Token(self.account, self.token))
    }
}

fn checked_name(name: &str) -> Result<&str, CommandError> {
    let (name, found) = (name.trim(), name.trim().chars().count());
    if (1..=TOKEN_NAME_CHARACTERS_MAX).contains(&found) {
        return Ok(name);
    }
    Err(CommandError::Invalid {
        code: "TOKEN_NAME",
        message: format!("the token's name has {found} characters; 1 to {TOKEN_NAME_CHARACTERS_MAX} are allowed"),
        path: vec!["input", "name"],
    })
}

/// Makes a token useless: its owner does, and whoever manages accounts.
#[derive(Debug, Serialize)]
pub struct RevokeToken {
    pub account: AccountId,
    pub token: TokenId,
}

impl Command for RevokeToken {
    const NAME: &'static str = "RevokeToken";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        match work.account() {
            Ok(account) if account == self.account => work.own_affairs()?,
            _ => work.authorize(Permission::AccountManage, Place::Platform)?,
        }
        let revoke = Do::RevokeToken { token: self.token };
        work.decide::<Account>(self.account, revoke).await?;
        Ok(Target::Account(self.account))
    }
}

/// Sets the account's own password, by whoever has shown the present one.
#[derive(Serialize)]
pub struct SetPassword {
    pub account: AccountId,
    /// The password that was shown; `None` for an account that has none.
    pub shown: Option<Sealed>,
    /// The session that goes on.
    pub keeps: Option<SessionId>,
    #[serde(skip)]
    pub password: NewPassword,
}

impl Command for SetPassword {
    const NAME: &'static str = "SetPassword";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        own_affair(work, self.account)?;
        let account = work.load::<Account>(self.account).await?;
        let has_password = account.is_some_and(|account| account.password.is_some());
        if has_password && self.shown.is_none() {
            return Err(wrong_password());
        }
        set_password(work, self.account, &self.password, self.shown.clone(), self.keeps).await?;
        Ok(Target::Account(self.account))
    }
}

/// What is said to whoever does not know the password that is to be exchanged.
#[must_use]
pub fn wrong_password() -> CommandError {
    CommandError::Invalid {
        code: "PASSWORD_WRONG",
        message: "this is not the present password".to_owned(),
        path: vec!["input", "presentPassword"],
    }
}

/// Sets somebody's password without knowing the present one. Whoever opens an account so may do what it may, so it takes
/// the right to give and take all that the account holds on the platform.
#[derive(Serialize)]
pub struct ResetPassword {
    pub account: AccountId,
    #[serde(skip)]
    pub password: NewPassword,
}

impl Command for ResetPassword {
    const NAME: &'static str = "ResetPassword";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        authorize_keeping(work, self.account).await?;
        set_password(work, self.account, &self.password, None, None).await?;
        Ok(Target::Account(self.account))
    }
}

/// Keeps everybody out of an account, its owner included, until it is unblocked.
#[derive(Debug, Serialize)]
pub struct BlockAccount {
    pub account: AccountId,
}

impl Command for BlockAccount {
    const NAME: &'static str = "BlockAccount";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let account = authorize_keeping(work, self.account).await?;
        let is_last_administrator = is_last_administrator(work, self.account, &account).await?;
        let block = Do::Block { is_last_administrator };
        work.decide::<Account>(self.account, block).await?;
        Ok(Target::Account(self.account))
    }
}

#[derive(Debug, Serialize)]
pub struct UnblockAccount {
    pub account: AccountId,
}

impl Command for UnblockAccount {
    const NAME: &'static str = "UnblockAccount";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        authorize_keeping(work, self.account).await?;
        work.decide::<Account>(self.account, Do::Unblock).await?;
        Ok(Target::Account(self.account))
    }
}

/// Lets whom an `OpenID` provider vouches for sign in as the account.
#[derive(Debug, Serialize)]
pub struct LinkIdentity {
    pub account: AccountId,
    pub identity: Digest,
}

impl Command for LinkIdentity {
    const NAME: &'static str = "LinkIdentity";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        link(work, self.account, self.identity).await?;
        Ok(Target::Account(self.account))
    }
}

/// Links an identity, which belongs to one account.
pub async fn link(work: &mut Work<'_>, account: AccountId, identity: Digest) -> Result<(), CommandError> {
    let link = Do::LinkIdentity { identity };
    work.decide::<Account>(account, link).await?;
    work.take_name(&Claim::Identity(identity), &holder::<Account>(account))
        .await
}

/// Seals and sets a password that suits its owner.
pub async fn set_password(
    work: &mut Work<'_>,
    account: AccountId,
    password: &NewPassword,
    shown: Option<Sealed>,
    keeps: Option<SessionId>,
) -> Result<(), CommandError> {
    if let Some(name) = name_of(work, account).await? {
        password.suits(&name)?;
    }
    let password = work.seal(&holder::<Account>(account), password.hash()).await?;
    let set = Do::SetPassword { password, shown, keeps };
    work.decide::<Account>(account, set).await.map(drop)
}

/// Whoever the account belongs to acts, or whoever holds the data folder.
fn own_affair(work: &Work<'_>, account: AccountId) -> Result<(), CommandError> {
    match work.principal() {
        Some(principal) if principal.account != account => Err(CommandError::NotFound("account")),
        Some(_) => work.own_affairs(),
        None => Ok(()),
    }
}

/// Who may open and shut an account for others: whoever manages accounts, and could take away all it holds on the
/// platform.
async fn authorize_keeping(work: &mut Work<'_>, id: AccountId) -> Result<Account, CommandError> {
    work.authorize(Permission::AccountManage, Place::Platform)?;
    let account = work.load::<Account>(id).await?;
    let account = account.ok_or(CommandError::NotFound("account"))?;
    let on_platform = |(_, scope): &&(_, Scope)| *scope == (Scope::Platform {});
    for (role, scope) in account.grants.iter().filter(on_platform) {
        authorize_taking(work, id, role, *scope).await?;
    }
    Ok(account)
}

async fn name_of(work: &mut Work<'_>, account: AccountId) -> Result<Option<AccountName>, CommandError> {
    let Some(account) = work.load::<Account>(account).await? else {
        return Ok(None);
    };
    let name = work.commands.vault.unseal(&account.name).await;
    // An account that is made by this very command has its name in the vault only afterwards.
    let name = match name {
        Err(eventstore::VaultError::Missing(_)) => None,
        name => name?,
    };
    Ok(name.and_then(|name| std::str::from_utf8(&name).ok()?.parse().ok()))
}

impl From<WeakPassword> for CommandError {
    fn from(weak: WeakPassword) -> Self {
        Self::Invalid {
            code: weak.code(),
            message: weak.to_string(),
            path: vec!["input", "password"],
        }
    }
}
