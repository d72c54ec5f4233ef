//! Destroys what the log says is erased or removed: keys of the vault, and blobs.
//!
//! It starts only from recorded events, may be done any number of times, and is done again at every start and every
//! minute, so a crash between the event and the deed costs time and nothing else.

use std::{collections::BTreeSet, io, time::Duration};

use domain::{account::Account, digest::Digest, ids::AccountId};
use eventstore::VaultError;
use projections::{ViewError, accounts, content};

use crate::{
    clock,
    commands::{CommandError, EraseAccount, Giver, RemoveContent, holder},
    content::ContentError,
    erasure_list::{Erased, ErasureList},
    services::Services,
};

/// How often it is looked whether something was left undone.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// Why something that must go is still there. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error("the erasure list {path} could not be used")]
    List {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("a key could not be destroyed")]
    Vault(#[from] VaultError),
    #[error("a blob could not be removed")]
    Content(#[from] ContentError),
    #[error("the views could not be read")]
    Views(#[from] ViewError),
    #[error("what a restored log had forgotten could not be recorded again")]
    Command(#[from] CommandError),
}

/// Destroys again what the list names, in case an older copy of the log was restored, and records it again; then does
/// what was left undone. For the start: nothing is served before it returns.
pub async fn catch_up(services: &Services) -> Result<(), ErasureError> {
    let listed = load(services.erasures.clone()).await?;
    for erased in &listed {
        match erased {
            Erased::Subject(subject) => {
                // In this order: the name opens once more, so that it can be given back.
                record_erasure(services, subject).await?;
                if services.vault.has_key(subject).await? {
                    tracing::warn!(subject, "the log held a key that was destroyed; it is destroyed again");
                    services.vault.destroy(subject).await?;
                }
            }
            Erased::Content(digest) => record_removal(services, *digest).await?,
        }
    }
    if !listed.is_empty() {
        // A crash right after a key was destroyed may have left traces of it.
        services.vault.scrub().await?;
    }
    finish(services).await
}

/// Destroys the keys of all who were erased, and the bytes of all that was removed, as far as they are there still.
pub async fn finish(services: &Services) -> Result<(), ErasureError> {
    let known = services
        .views
        .read(|view| Ok((accounts::erased(view)?, content::removed(view)?)));
    let (accounts, removed) = known.await?;
    if accounts.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let listed: BTreeSet<_> = load(services.erasures.clone()).await?.into_iter().collect();
    for account in accounts {
        let subject = holder::<Account>(account);
        put_on_list(services, &listed, Erased::Subject(subject.clone())).await?;
        if services.vault.has_key(&subject).await? {
            services.vault.destroy(&subject).await?;
        }
    }
    for digest in removed {
        put_on_list(services, &listed, Erased::Content(digest)).await?;
        services.content.remove(digest).await?;
    }
    Ok(services.vault.scrub_if_owed().await?)
}

/// Goes on finishing what another process began, or a failure left undone.
pub async fn keep_finishing(services: Services) {
    loop {
        tokio::time::sleep(RETRY_INTERVAL).await;
        if let Err(error) = finish(&services).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what was erased is not destroyed yet; it is tried again"
            );
        }
    }
}

async fn record_erasure(services: &Services, subject: &str) -> Result<(), ErasureError> {
    let Some(account) = account_of(subject) else {
        return Ok(());
    };
    let known = services
        .views
        .read(move |view| accounts::account(view, account))
        .await?;
    if known.is_some_and(|known| known.erased.is_none()) {
        let erase = EraseAccount {
            account,
            confirmed: None,
        };
        services.commands.run(Giver::System, &erase).await?;
    }
    Ok(())
}

async fn record_removal(services: &Services, digest: Digest) -> Result<(), ErasureError> {
    let known = services.views.read(move |view| content::removal(view, &digest)).await?;
    if known.is_none() {
        let remove = RemoveContent { digest, reason: None };
        services.commands.run(Giver::System, &remove).await?;
    }
    Ok(())
}

fn account_of(subject: &str) -> Option<AccountId> {
    subject.strip_prefix("account-")?.parse().ok()
}

async fn put_on_list(services: &Services, listed: &BTreeSet<Erased>, erased: Erased) -> Result<(), ErasureError> {
    if listed.contains(&erased) {
        return Ok(());
    }
    let list = services.erasures.clone();
    let now = clock::now();
    on_list(list, move |list| list.add(&erased, now)).await
}

async fn load(list: ErasureList) -> Result<Vec<Erased>, ErasureError> {
    on_list(list, ErasureList::load).await
}

/// The file is written to the disk, which may take a while.
async fn on_list<T: Send + 'static>(
    list: ErasureList,
    work: impl FnOnce(&ErasureList) -> io::Result<T> + Send + 'static,
) -> Result<T, ErasureError> {
    let path = list.path().display().to_string();
    let done = tokio::task::spawn_blocking(move || work(&list)).await;
    done.unwrap_or_else(|ended| Err(io::Error::other(ended)))
        .map_err(|source| ErasureError::List { path, source })
}
