//! Where the master key comes from, and how another one takes its place.
//!
//! From a file: `master.key`. While it is exchanged, `master.key.next` lies beside it; what it replaces is kept as
//! `master.key.<id>`, for backups made before need it, until somebody deletes it. Whatever order a crash leaves behind,
//! every key of the vault is wrapped by one of these. From the environment: `CHARTHOUSE_MASTER_KEY`, and what it replaces in
//! `CHARTHOUSE_MASTER_KEY_RETIRED`.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use eventstore::{KeyError, Keyring, MasterKey, VaultError, folders};

/// 64 hexadecimal digits.
const CURRENT: &str = "CHARTHOUSE_MASTER_KEY";
/// Any number of them, divided by commas.
const RETIRED: &str = "CHARTHOUSE_MASTER_KEY_RETIRED";

#[derive(Debug, Clone)]
pub enum MasterKeys {
    File(PathBuf),
    Environment(Keyring),
}

/// What an exchange of the master key came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Rotated {
    /// How many keys of the vault are wrapped anew.
    pub keys: u64,
    /// Where the master key is that was replaced.
    pub retired: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(
        "the master key comes from the environment: put a new one into {CURRENT} and this one into {RETIRED}, and start again"
    )]
    FromEnvironment,
    #[error("a master key could not be used")]
    Key(#[from] KeyError),
    #[error("the key file {} could not be put in its place", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the vault's keys could not be wrapped anew")]
    Vault(#[from] VaultError),
}

impl MasterKeys {
    /// From the environment if it has one, or else from the file at `path`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`] if the environment has something else.
    pub fn find(path: PathBuf) -> Result<Self, KeyError> {
        let Ok(current) = std::env::var(CURRENT) else {
            return Ok(Self::File(path));
        };
        let retired = std::env::var(RETIRED).unwrap_or_default();
        let retired = retired.split(',').map(str::trim).filter(|digits| !digits.is_empty());
        Ok(Self::Environment(Keyring {
            current: MasterKey::from_hex(&current)?,
            retired: retired.map(MasterKey::from_hex).collect::<Result<_, _>>()?,
        }))
    }

    /// The file that must be there before anything can be opened; `None` if none is needed.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment(_) => None,
        }
    }

    /// The keys as they are now. A file that is missing is made, with a new key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if a file cannot be used.
    pub fn ring(&self) -> Result<Keyring, KeyError> {
        let path = match self {
            Self::File(path) => path,
            Self::Environment(ring) => return Ok(ring.clone()),
        };
        let settled = MasterKey::from_file(path)?;
        let mut retired = retired(path)?;
        let next = next(path);
        if !next.exists() {
            return Ok(Keyring {
                current: settled,
                retired,
            });
        }
        retired.push(settled);
        Ok(Keyring {
            current: MasterKey::from_file(&next)?,
            retired,
        })
    }

    /// Ends an exchange that was broken off, and brings everything under the current key that an older copy of the log
    /// brought back under another.
    ///
    /// # Errors
    ///
    /// [`RotationError`]; it can be done again.
    pub async fn settle(&self, vault: &eventstore::Vault) -> Result<(), RotationError> {
        match self {
            Self::File(path) if next(path).exists() => self.rotate(vault).await.map(drop),
            Self::File(_) | Self::Environment(_) => {
                vault.rewrap().await?;
                Ok(())
            }
        }
    }

    /// Draws a new master key and wraps every key of the vault with it. A crash at any point loses nothing: the next
    /// start goes on.
    ///
    /// # Errors
    ///
    /// [`RotationError::FromEnvironment`] if there is no file to exchange.
    pub async fn rotate(&self, vault: &eventstore::Vault) -> Result<Rotated, RotationError> {
        let Self::File(path) = self else {
            return Err(RotationError::FromEnvironment);
        };
        // Drawn and durable before anything is wrapped with it.
        MasterKey::from_file(&next(path))?;
        vault.accept(self.ring()?);
        let keys = vault.rewrap().await?;
        let retired = retire(path, &MasterKey::from_file(path)?)?;
        put_in_place(path)?;
        vault.accept(self.ring()?);
        Ok(Rotated { keys, retired })
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn next(path: &Path) -> PathBuf {
    beside(path, "next")
}

/// The keys in the files `<path>.<id>`.
fn retired(path: &Path) -> Result<Vec<MasterKey>, KeyError> {
    let io = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut keys = vec![];
    for entry in fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(io)? {
        let candidate = entry.map_err(io)?.path();
        let id = candidate.to_string_lossy();
        let id = id.strip_prefix(&format!("{}.", path.to_string_lossy()));
        if id.is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            keys.push(MasterKey::from_file(&candidate)?);
        }
    }
    Ok(keys)
}

/// Gives the key that is replaced a second name.
fn retire(path: &Path, key: &MasterKey) -> Result<PathBuf, RotationError> {
    let retired = beside(path, &hex::encode(key.id()));
    match fs::hard_link(path, &retired) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(RotationError::Io { path: retired, source })
        }
        _ => sync_folder(path).map(|()| retired),
    }
}

fn put_in_place(path: &Path) -> Result<(), RotationError> {
    fs::rename(next(path), path).map_err(|source| RotationError::Io {
        path: path.to_owned(),
        source,
    })?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), RotationError> {
    folders::sync_entry(path).map_err(|source| RotationError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use eventstore::{EventStore, Mode, Sealed, Vault};

    use super::*;

    struct World {
        keys: MasterKeys,
        path: PathBuf,
        log: EventStore,
        sealed: Vec<Sealed>,
        _folder: tempfile::TempDir,
    }

    impl World {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("master.key");
            let url = format!("sqlite://{}", folder.path().join("log.db").display());
            let log = EventStore::open(&url, Mode::Append).await.unwrap();
            let keys = MasterKeys::File(path.clone());
            let vault = Vault::open(&log, keys.ring().unwrap()).await.unwrap();
            let mut sealed = vec![];
            for subject in ["account-1", "account-2", "account-3"] {
                sealed.push(vault.seal(subject, b"secret").await.unwrap());
            }
            Self {
                keys,
                path,
                log,
                sealed,
                _folder: folder,
            }
        }

        /// As a process that starts now finds it.
        async fn vault(&self) -> Vault {
            Vault::open(&self.log, self.keys.ring().unwrap()).await.unwrap()
        }

        async fn opens(&self, vault: &Vault) {
            for sealed in &self.sealed {
                assert_eq!(&**vault.unseal(sealed).await.unwrap().unwrap(), b"secret");
            }
        }

        /// Starts again, and finds everything under one key, which is in its place.
        async fn settles(&self) {
            let vault = self.vault().await;
            self.opens(&vault).await;
            self.keys.settle(&vault).await.unwrap();
            self.opens(&vault).await;
            assert!(!next(&self.path).exists());
            let alone = MasterKey::from_file(&self.path).unwrap();
            self.opens(&Vault::open(&self.log, alone).await.unwrap()).await;
        }
    }

    #[tokio::test]
    async fn another_master_key_takes_the_place_of_the_first() {
        let world = World::new().await;
        let first = MasterKey::from_file(&world.path).unwrap();
        let rotated = world.keys.rotate(&world.vault().await).await.unwrap();
        assert_eq!(rotated.keys, 3);
        assert_eq!(MasterKey::from_file(&rotated.retired).unwrap().id(), first.id());
        assert_ne!(MasterKey::from_file(&world.path).unwrap().id(), first.id());
        assert!(matches!(
            Vault::open(&world.log, first).await,
            Err(VaultError::OtherMasterKey)
        ));
        world.settles().await;
        std::fs::remove_file(rotated.retired).unwrap();
        world.settles().await;
    }

    #[tokio::test]
    async fn a_crash_after_the_new_key_was_drawn_loses_nothing() {
        let world = World::new().await;
        MasterKey::from_file(&next(&world.path)).unwrap();
        world.settles().await;
    }

    #[tokio::test]
    async fn a_crash_while_keys_are_wrapped_anew_loses_nothing() {
        let mut world = World::new().await;
        MasterKey::from_file(&next(&world.path)).unwrap();
        // Whatever is sealed meanwhile is under the new key, as is what was wrapped anew already.
        let sealed = world.vault().await.seal("account-4", b"secret").await.unwrap();
        world.sealed.push(sealed);
        world.settles().await;
    }

    #[tokio::test]
    async fn a_crash_before_the_new_key_is_in_its_place_loses_nothing() {
        let world = World::new().await;
        MasterKey::from_file(&next(&world.path)).unwrap();
        world.vault().await.rewrap().await.unwrap();
        world.settles().await;
    }

    #[tokio::test]
    async fn a_crash_after_the_old_key_was_retired_loses_nothing() {
        let world = World::new().await;
        MasterKey::from_file(&next(&world.path)).unwrap();
        world.vault().await.rewrap().await.unwrap();
        retire(&world.path, &MasterKey::from_file(&world.path).unwrap()).unwrap();
        world.settles().await;
    }

    #[tokio::test]
    async fn an_older_copy_of_the_log_is_brought_under_the_current_key() {
        let world = World::new().await;
        let (folder, old) = (tempfile::tempdir().unwrap(), MasterKey::from_file(&world.path).unwrap());
        let copy = folder.path().join("log.db");
        world.log.copy_to(&copy).await.unwrap();
        world.keys.rotate(&world.vault().await).await.unwrap();
        let url = format!("sqlite://{}", copy.display());
        let restored = World {
            log: EventStore::open(&url, Mode::Append).await.unwrap(),
            ..world
        };
        restored.settles().await;
        assert!(Vault::open(&restored.log, old).await.is_err());
    }

    #[tokio::test]
    async fn a_key_from_the_environment_is_not_exchanged_by_a_file() {
        let world = World::new().await;
        let ring = world.keys.ring().unwrap();
        let refused = MasterKeys::Environment(ring).rotate(&world.vault().await).await;
        assert!(matches!(refused, Err(RotationError::FromEnvironment)));
    }
}
