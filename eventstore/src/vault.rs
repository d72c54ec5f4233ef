//! What must be erasable is kept here, outside the log, encrypted under a key of its subject.
//!
//! An event names an entry by the hash of its ciphertext. Destroying the subject's key makes every
//! entry of the subject unreadable, also in backups that are restored later, while all hashes in the
//! log stay true. Data keys are random, and wrapped by the master key, which is not in the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::admission::{Rewrap, VaultKey, VaultRow, Work};
use crate::append::AppendError;
use crate::backend::VaultEntries;
use crate::digest::Digest;
use crate::master_key::{Keyring, MasterKey};
use crate::store::{EventStore, ReadError};

const NONCE_BYTES: usize = 24;
/// Largest plaintext of one entry, in bytes.
const PLAINTEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
const SUBJECT_BYTES_MAX: usize = 255;
/// Keys wrapped anew in one transaction.
const REWRAP_BATCH: u32 = 256;
/// Told apart, so that a wrapped key can never pass for an entry.
const KEY_PURPOSE: &[u8] = b"charthouse vault key\0";
const ENTRY_PURPOSE: &[u8] = b"charthouse vault entry\0";

/// The vault of one log. Clones share it.
#[derive(Clone)]
pub struct Vault {
    store: EventStore,
    keys: Arc<RwLock<Arc<Keyring>>>,
    /// Whether traces of keys may be left that are to be removed.
    scrub_owed: Arc<AtomicBool>,
}

/// Data keys by subject; `None` once destroyed.
type Keys = HashMap<String, Option<Zeroizing<Vec<u8>>>>;

/// What stands in an event in place of sealed text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key opens it.
    pub subject: String,
    /// SHA-256 of the ciphertext.
    pub digest: Digest,
}

/// Something encrypted that is not kept yet.
#[derive(Debug)]
pub struct PendingEntry {
    /// What it will be named by once it is kept.
    pub sealed: Sealed,
    ciphertext: Vec<u8>,
}

/// Why something was not sealed or not unsealed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the key of {0} was destroyed, and nothing can be sealed for it any more")]
    Erased(String),
    #[error("the vault holds keys wrapped by another master key")]
    OtherMasterKey,
    #[error("the vault has no entry {0}")]
    Missing(Digest),
    /// Not what was sealed, or not for this subject.
    #[error("the vault's entry or key for {0} is corrupt")]
    Corrupt(String),
    #[error("{bytes} bytes are too many to seal; {PLAINTEXT_BYTES_MAX} are allowed")]
    TooLarge { bytes: usize },
    #[error("a subject has 1 to {SUBJECT_BYTES_MAX} bytes, not {bytes}")]
    Subject { bytes: usize },
    #[error("the system has no random numbers for a key")]
    Random(#[source] getrandom::Error),
    #[error("the vault could not be written")]
    Write(#[from] AppendError),
    #[error("the vault could not be read")]
    Read(#[from] ReadError),
}

impl Vault {
    /// Opens the vault in the database of `store`.
    ///
    /// # Errors
    ///
    /// [`VaultError::OtherMasterKey`] if some of it is under a master key that is not among `keys`.
    pub async fn open(store: &EventStore, keys: impl Into<Keyring>) -> Result<Self, VaultError> {
        let keys = keys.into();
        let masters = store.backend().vault_masters().await.map_err(ReadError::from)?;
        if masters.iter().any(|id| keys.find(id).is_none()) {
            return Err(VaultError::OtherMasterKey);
        }
        Ok(Self {
            store: store.clone(),
            keys: Arc::new(RwLock::new(Arc::new(keys))),
            scrub_owed: Arc::default(),
        })
    }

    /// Goes on with these master keys, for all clones.
    pub fn accept(&self, keys: Keyring) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Brings every key that a retired master key wraps under the current one, and returns how many there were.
    ///
    /// May be ended at any time, and goes on when it is called again: each key is under one master key or the other.
    /// When it returns, no file of the database holds a key as it was wrapped before.
    ///
    /// # Errors
    ///
    /// [`VaultError::OtherMasterKey`] if a key is under a master key that is not known.
    pub async fn rewrap(&self) -> Result<u64, VaultError> {
        let keys = self.keys();
        let mut rewrapped = 0;
        loop {
            let (id, backend) = (keys.current.id(), self.store.backend());
            let found = backend.vault_keys_not_under(&id, REWRAP_BATCH).await;
            let found = found.map_err(ReadError::from)?;
            if found.is_empty() {
                break;
            }
            rewrapped += found.len() as u64;
            let under_current = |key: &VaultKey| rewrap(&keys, key).transpose();
            let batch = found.iter().filter_map(under_current).collect::<Result<_, _>>()?;
            self.store.store(Work::Vault(VaultRow::Rewrap(batch))).await?;
        }
        if rewrapped > 0 {
            self.scrub_owed.store(true, Ordering::Relaxed);
            self.scrub().await?;
        }
        Ok(rewrapped)
    }

    /// Destroys the subject's key for good: what was sealed for it is unreadable, and nothing is sealed for it again.
    ///
    /// Doing it again does no harm. When it returns, no file of the database holds the key, in any wrapping; copies of
    /// the database do, and on PostgreSQL the server's own write-ahead log does until its segments are overwritten.
    ///
    /// # Errors
    ///
    /// [`VaultError::Write`] if it is not known to be destroyed; [`VaultError::Read`] if it is, and its traces may be
    /// left: then destroy it again.
    pub async fn destroy(&self, subject: &str) -> Result<(), VaultError> {
        let destroy = VaultRow::Destroy {
            subject: subject.to_owned(),
            master: self.keys().current.id(),
        };
        self.scrub_owed.store(true, Ordering::Relaxed);
        self.store.store(Work::Vault(destroy)).await?;
        self.scrub().await
    }

    /// Whether something can be sealed or unsealed for the subject: it was given a key, and the key was not destroyed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Read`] if the database fails.
    pub async fn has_key(&self, subject: &str) -> Result<bool, VaultError> {
        Ok(self.stored_key(subject).await?.is_some_and(|key| key.wrapped.is_some()))
    }

    /// Removes the traces of keys that were destroyed, also by a process that did not live to do it itself.
    ///
    /// # Errors
    ///
    /// [`VaultError::Read`] if others kept the database busy: try again.
    pub async fn scrub(&self) -> Result<(), VaultError> {
        self.store.backend().scrub_vault().await.map_err(ReadError::from)?;
        self.scrub_owed.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Like [`Vault::scrub`], if an earlier attempt of this process failed.
    ///
    /// # Errors
    ///
    /// As [`Vault::scrub`].
    pub async fn scrub_if_owed(&self) -> Result<(), VaultError> {
        match self.scrub_owed.load(Ordering::Relaxed) {
            true => self.scrub().await,
            false => Ok(()),
        }
    }

    fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Encrypts `plaintext` for `subject` and keeps it. Returns once it is durable.
    ///
    /// # Errors
    ///
    /// [`VaultError::Erased`] if the subject's key was destroyed.
    pub async fn seal(&self, subject: &str, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let entry = self.encrypt(subject, plaintext).await?;
        let sealed = entry.sealed.clone();
        self.keep(entry).await?;
        Ok(sealed)
    }

    /// Encrypts `plaintext` for `subject` without keeping it, for whoever does not know yet whether it will be needed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Erased`] if the subject's key was destroyed.
    pub async fn encrypt(&self, subject: &str, plaintext: &[u8]) -> Result<PendingEntry, VaultError> {
        if plaintext.len() > PLAINTEXT_BYTES_MAX {
            return Err(VaultError::TooLarge { bytes: plaintext.len() });
        }
        let key = self.key_for(subject).await?;
        let ciphertext = encrypt(&key, ENTRY_PURPOSE, subject, plaintext)?;
        let digest = Digest::of(&ciphertext);
        let sealed = Sealed {
            subject: subject.to_owned(),
            digest,
        };
        Ok(PendingEntry { sealed, ciphertext })
    }

    /// Keeps what was encrypted. Returns once it is durable.
    ///
    /// # Errors
    ///
    /// [`VaultError::Write`] if the database fails.
    pub async fn keep(&self, entry: PendingEntry) -> Result<(), VaultError> {
        let PendingEntry {
            sealed: Sealed { subject, digest },
            ciphertext,
        } = entry;
        let digest = *digest.as_bytes();
        self.store
            .store(Work::Vault(VaultRow::Entry {
                digest,
                subject,
                ciphertext,
            }))
            .await?;
        Ok(())
    }

    /// Decrypts what was sealed; `None` if the subject's key was destroyed.
    ///
    /// # Errors
    ///
    /// [`VaultError::Missing`] if there is no such entry, [`VaultError::Corrupt`] if it was altered.
    pub async fn unseal(&self, sealed: &Sealed) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let mut unsealed = self.unseal_all(std::slice::from_ref(sealed)).await?;
        Ok(unsealed.pop().flatten())
    }

    /// Decrypts many at once, in their order, with two questions to the database; `None` where the key was destroyed.
    ///
    /// # Errors
    ///
    /// As [`Vault::unseal`], if any of them fails. All are in memory together: the caller bounds how many.
    pub async fn unseal_all(&self, sealed: &[Sealed]) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, VaultError> {
        let keys = self.keys_of(sealed).await?;
        let readable = sealed
            .iter()
            .filter(|sealed| keys.get(sealed.subject.as_str()).is_some_and(Option::is_some));
        let digests: Vec<_> = readable.map(|sealed| sealed.digest.as_bytes().as_slice()).collect();
        let backend = self.store.backend();
        let entries = match digests.is_empty() {
            true => VaultEntries::new(),
            false => backend.vault_entries(&digests).await.map_err(ReadError::from)?,
        };
        let open = |sealed: &Sealed| {
            let Sealed { subject, digest } = sealed;
            let missing = || VaultError::Missing(*digest);
            let Some(key) = keys.get(subject.as_str()).ok_or_else(missing)? else {
                return Ok(None);
            };
            let ciphertext = entries.get(digest.as_bytes().as_slice()).ok_or_else(missing)?;
            if Digest::of(ciphertext) != *digest {
                return Err(VaultError::Corrupt(subject.clone()));
            }
            decrypt(key, ENTRY_PURPOSE, subject, ciphertext).map(Some)
        };
        sealed.iter().map(open).collect()
    }

    /// The keys of all subjects that have one or had one.
    async fn keys_of(&self, sealed: &[Sealed]) -> Result<Keys, VaultError> {
        let mut subjects: Vec<_> = sealed.iter().map(|sealed| sealed.subject.as_str()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        if subjects.is_empty() {
            return Ok(Keys::new());
        }
        let stored = self
            .store
            .backend()
            .vault_keys(&subjects)
            .await
            .map_err(ReadError::from)?;
        let unwrapped = stored
            .into_iter()
            .map(|stored| Ok((stored.subject.clone(), self.unwrap(&stored)?)));
        unwrapped.collect()
    }

    /// The subject's data key; a new one if it never had any.
    async fn key_for(&self, subject: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if !(1..=SUBJECT_BYTES_MAX).contains(&subject.len()) {
            return Err(VaultError::Subject { bytes: subject.len() });
        }
        let stored = match self.stored_key(subject).await? {
            Some(stored) => stored,
            None => self.make_key(subject).await?,
        };
        self.unwrap(&stored)?
            .ok_or_else(|| VaultError::Erased(subject.to_owned()))
    }

    /// Two may make a subject's first key at once: the first to be stored is the key of both.
    async fn make_key(&self, subject: &str) -> Result<VaultKey, VaultError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(VaultError::Random)?;
        let keys = self.keys();
        let row = VaultKey {
            subject: subject.to_owned(),
            master: keys.current.id(),
            wrapped: Some(wrap(&keys.current, subject, key.as_ref())?),
        };
        self.store.store(Work::Vault(VaultRow::Key(row))).await?;
        let stored = self.stored_key(subject).await?;
        stored.ok_or_else(|| VaultError::Corrupt(subject.to_owned()))
    }

    async fn stored_key(&self, subject: &str) -> Result<Option<VaultKey>, VaultError> {
        let keys = self.store.backend().vault_keys(&[subject]).await;
        Ok(keys.map_err(ReadError::from)?.pop())
    }

    /// `None` if the key was destroyed.
    fn unwrap(&self, stored: &VaultKey) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        unwrap(&self.keys(), stored)
    }
}

fn unwrap(keys: &Keyring, stored: &VaultKey) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let Some(wrapped) = &stored.wrapped else {
        return Ok(None);
    };
    let master = keys.find(&stored.master).ok_or(VaultError::OtherMasterKey)?;
    decrypt(master.bytes(), KEY_PURPOSE, &stored.subject, wrapped).map(Some)
}

fn wrap(master: &MasterKey, subject: &str, key: &[u8]) -> Result<Vec<u8>, VaultError> {
    encrypt(master.bytes(), KEY_PURPOSE, subject, key)
}

/// `None` if the key was destroyed.
fn rewrap(keys: &Keyring, stored: &VaultKey) -> Result<Option<Rewrap>, VaultError> {
    let (Some(key), Some(before)) = (unwrap(keys, stored)?, stored.wrapped.clone()) else {
        return Ok(None);
    };
    Ok(Some(Rewrap {
        subject: stored.subject.clone(),
        master: keys.current.id(),
        before,
        after: wrap(&keys.current, &stored.subject, &key)?,
    }))
}

/// A random nonce and the ciphertext, bound to its purpose and its subject.
fn encrypt(key: &[u8], purpose: &[u8], subject: &str, plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(VaultError::Random)?;
    let payload = Payload {
        msg: plaintext,
        aad: &[purpose, subject.as_bytes()].concat(),
    };
    let cipher = cipher(key, subject)?;
    let body = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::Corrupt(subject.to_owned()))?;
    Ok([nonce.as_slice(), &body].concat())
}

fn decrypt(key: &[u8], purpose: &[u8], subject: &str, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let corrupt = || VaultError::Corrupt(subject.to_owned());
    let (nonce, body) = ciphertext.split_first_chunk::<NONCE_BYTES>().ok_or_else(corrupt)?;
    let payload = Payload {
        msg: body,
        aad: &[purpose, subject.as_bytes()].concat(),
    };
    let plaintext = cipher(key, subject)?
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| corrupt())?;
    Ok(Zeroizing::new(plaintext))
}

fn cipher(key: &[u8], subject: &str) -> Result<XChaCha20Poly1305, VaultError> {
    let key = Key::try_from(key).map_err(|_| VaultError::Corrupt(subject.to_owned()))?;
    Ok(XChaCha20Poly1305::new(&key))
}
