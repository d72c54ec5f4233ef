//! The vault, in the domain's words: text that must be erasable, named in events by [`Sealed`].

use domain::digest::Sealed;
use eventstore::{PendingEntry, VaultError};
use zeroize::Zeroizing;

use crate::content::{from_store, to_store};

#[derive(Clone)]
pub struct Vault(eventstore::Vault);

/// Encrypted text that is not kept yet, and what it will be named by.
pub struct Pending {
    pub sealed: Sealed,
    entry: PendingEntry,
}

impl Vault {
    #[must_use]
    pub fn new(vault: eventstore::Vault) -> Self {
        Self(vault)
    }

    /// Encrypts `text` under the key of `subject`, without keeping it yet.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault fails, or the subject was erased.
    pub async fn encrypt(&self, subject: &str, text: &str) -> Result<Pending, VaultError> {
        let entry = self.0.encrypt(subject, text.as_bytes()).await?;
        let sealed = Sealed {
            subject: entry.sealed.subject.clone(),
            digest: from_store(entry.sealed.digest),
        };
        Ok(Pending { sealed, entry })
    }

    /// Keeps what was encrypted; durable when this returns, so an event may name it.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault fails.
    pub async fn keep(&self, pending: Pending) -> Result<(), VaultError> {
        self.0.keep(pending.entry).await
    }

    /// Encrypts and keeps.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault fails, or the subject was erased.
    pub async fn seal(&self, subject: &str, text: &str) -> Result<Sealed, VaultError> {
        let pending = self.encrypt(subject, text).await?;
        let sealed = pending.sealed.clone();
        self.keep(pending).await?;
        Ok(sealed)
    }

    /// Whether the subject has a key: it was given one, and was not erased.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault fails.
    pub async fn has_key(&self, subject: &str) -> Result<bool, VaultError> {
        self.0.has_key(subject).await
    }

    /// Destroys the subject's key for good.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if it, or its traces, may still be there.
    pub async fn destroy(&self, subject: &str) -> Result<(), VaultError> {
        self.0.destroy(subject).await
    }

    /// The same, without the domain's words.
    #[must_use]
    pub const fn of_log(&self) -> &eventstore::Vault {
        &self.0
    }

    /// Removes the traces of keys that were destroyed, if an earlier attempt failed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if they may still be there.
    pub async fn scrub_if_owed(&self) -> Result<(), VaultError> {
        self.0.scrub_if_owed().await
    }

    /// Removes the traces of keys that were destroyed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if they may still be there.
    pub async fn scrub(&self) -> Result<(), VaultError> {
        self.0.scrub().await
    }

    /// What was sealed; `None` if it was erased.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault fails, or the ciphertext was altered.
    pub async fn unseal(&self, sealed: &Sealed) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.0.unseal(&stored(sealed)).await
    }

    /// What was sealed, many at once and in their order; `None` where it was erased.
    ///
    /// # Errors
    ///
    /// As [`Vault::unseal`], if any of them fails.
    pub async fn unseal_all(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, VaultError> {
        let sealed: Vec<_> = sealed.iter().map(stored).collect();
        let unsealed = self.0.unseal_all(&sealed).await?.into_iter();
        let text = |bytes: Zeroizing<Vec<u8>>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(unsealed.map(|bytes| bytes.map(text)).collect())
    }
}

fn stored(Sealed { subject, digest }: &Sealed) -> eventstore::Sealed {
    eventstore::Sealed {
        subject: subject.clone(),
        digest: to_store(*digest),
    }
}
