//! Taking back what must not stay: a person's name and words, and bytes that were published.
//!
//! A command records that it is so. The keys and the bytes are destroyed after that, by `effects/erasure.rs`.

use domain::{
    access::Place,
    account::{Account, Command as DoAccount, Scope},
    content::{self, Content},
    digest::Digest,
    ids::AccountId,
    invitation::{self, Invitations},
    name::Claim,
    names::AccountName,
    permission::Permission,
    role::PLATFORM_ADMIN,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work, invitations_to,
    review::checked_reason,
    roles::{another_administrator, authorize_taking},
    work::holder,
};

/// Erases the person behind an account. The account's id and what was done under it stay in the history.
#[derive(Debug, Serialize)]
pub struct EraseAccount {
    pub account: AccountId,
    /// The account's name, so that nobody is erased by a slip; `None` only for what was erased before. Not part of what
    /// is remembered of the request: a name leaves nothing behind, not even a keyed hash.
    #[serde(skip)]
    pub confirmed: Option<AccountName>,
}

impl Command for EraseAccount {
    const NAME: &'static str = "EraseAccount";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let account = work.load::<Account>(self.account).await?;
        let account = account.ok_or(CommandError::NotFound("account"))?;
        // To erase is to take all roles. Those of workspaces do not stand in the way of a person's right.
        for (role, scope) in account
            .grants
            .iter()
            .filter(|(_, scope)| *scope == (Scope::Platform {}))
        {
            authorize_taking(work, self.account, role, *scope).await?;
        }
        let subject = holder::<Account>(self.account);
        let name = work.commands.vault.unseal(&account.name).await?;
        let name: Option<AccountName> = name.and_then(|name| std::str::from_utf8(&name).ok()?.parse().ok());
        if self.confirmed.is_some() && !account.erased && self.confirmed != name {
            return Err(not_confirmed());
        }
        let erase = DoAccount::Erase {
            subject: subject.clone(),
            is_last_administrator: is_last_administrator(work, self.account, &account).await?,
        };
        work.decide::<Account>(self.account, erase).await?;
        if let Some(name) = name {
            // The name is free again; the streams of its keyed hash stay. What was offered to this person is for nobody
            // who is called so later.
            let key = invitations_to(&work.commands.key, &name);
            work.decide::<Invitations>(key.as_str(), invitation::Command::WithdrawAll)
                .await?;
            let claim = Claim::Account(work.commands.key.of_account_name(&name));
            work.release_name(&claim, &subject).await?;
        }
        for identity in account.identities {
            work.release_name(&Claim::Identity(identity), &subject).await?;
        }
        Ok(Target::Account(self.account))
    }
}

/// Whether nobody could administer the platform afterwards. Whoever holds the data folder can make administrators, and so
/// is never short of one.
pub(super) async fn is_last_administrator(
    work: &mut Work<'_>,
    id: AccountId,
    account: &Account,
) -> Result<bool, CommandError> {
    let mut grants = account.grants.iter();
    match grants.find(|(role, _)| role.as_str() == PLATFORM_ADMIN) {
        Some((role, scope)) if work.account().is_ok() => {
            Ok(another_administrator(work, id, role, *scope).await?.is_none())
        }
        Some(_) | None => Ok(false),
    }
}

fn not_confirmed() -> CommandError {
    CommandError::Invalid {
        code: "NAME_NOT_CONFIRMED",
        message: "this is not the account's name".to_owned(),
        path: vec!["input", "name"],
    }
}

/// Takes published bytes away for good; with an archive goes what was read from it. The digest stays, and the bytes are
/// not taken in again.
#[derive(Debug, Serialize)]
pub struct RemoveContent {
    pub digest: Digest,
    /// `None` only for what was removed before.
    pub reason: Option<String>,
}

impl Command for RemoveContent {
    const NAME: &'static str = "RemoveContent";

    fn target(&self) -> Option<Target> {
        Some(Target::Content(self.digest))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::ContentRemove, Place::Platform)?;
        let state = work.load::<Content>(Content::key(self.digest)).await?;
        if !state.removed && self.reason.is_some() && work.commands.content.get(self.digest).await?.is_none() {
            return Err(CommandError::NotFound("content"));
        }
        let package = self.digest;
        let read_from_it = work
            .commands
            .views
            .read(move |view| projections::content::charts_of_package(view, &package))
            .await?;
        for digest in std::iter::once(self.digest).chain(read_from_it) {
            self.remove(work, digest).await?;
        }
        Ok(Target::Content(self.digest))
    }
}

impl RemoveContent {
    async fn remove(&self, work: &mut Work<'_>, digest: Digest) -> Result<(), CommandError> {
        let key = Content::key(digest);
        let reason = match &self.reason {
            Some(text) => {
                checked_reason(work, text)?;
                let otherwise = holder::<Content>(&key);
                Some(work.seal_words(otherwise, text).await?)
            }
            None => None,
        };
        let remove = content::Command::Remove { digest, reason };
        work.decide::<Content>(key.as_str(), remove).await.map(drop)
    }
}
