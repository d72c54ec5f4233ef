//! Everything a running Charthouse has open, put together once.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::names::InvalidName;
use eventstore::{
    Blobs, EventStore, HighWater, Key, KeyError, Mode, OpenOptions,
    transparency::{PublishError, Published},
};
use projections::{ViewError, Views, published};
use tokio::sync::Semaphore;

use crate::{
    auth::{Auth, passwords::HashFailed},
    commands::{CommandError, Commands, Giver, RegisterCluster, States},
    config::{DataFolder, Limits},
    content::Content,
    effects::erasure::{self, ErasureError},
    erasure_list::ErasureList,
    exports,
    freshness::Freshness,
    keys::ServerKey,
    master_keys::{MasterKeys, RotationError},
    vault::Vault,
};

/// The cluster every installation has from the start: a folder of rendered manifests.
pub const DEFAULT_CLUSTER: &str = "local";

/// Uploads read and checked at once; each may take 120 MiB of memory meanwhile.
const UPLOADS_MAX: usize = 4;
/// How long the views wait after trouble.
const FOLLOW_RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Services {
    pub data: DataFolder,
    pub limits: Arc<Limits>,
    pub log: EventStore,
    pub content: Content,
    pub vault: Vault,
    pub views: Views,
    pub key: ServerKey,
    /// The tiles and signed checkpoints of the log.
    pub transparency: Published,
    pub master_keys: MasterKeys,
    /// What must not come back when an older copy of the log is restored.
    pub erasures: ErasureList,
    pub commands: Commands,
    /// What signing in takes beside the log.
    pub auth: Auth,
    /// Places for uploads that are read and checked at once.
    pub uploads: Arc<Semaphore>,
    /// Places for exports that are made at once.
    pub exports: Arc<Semaphore>,
    /// Places for event feeds that are read at once.
    pub feeds: Arc<Semaphore>,
    pub freshness: Freshness,
    follower: Arc<tokio::task::JoinHandle<ViewError>>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder {} could not be made", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("what is remembered of the log in {} could not be read", path.display())]
    HighWater {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the log could not be opened")]
    Log(#[from] eventstore::OpenError),
    #[error("the blobs could not be opened")]
    Blobs(#[from] eventstore::BlobError),
    #[error("a key could not be read")]
    Key(#[from] KeyError),
    #[error("what is published of the log could not be gone on from")]
    Published(#[from] PublishError),
    #[error("the master key could not be exchanged")]
    Rotation(#[from] RotationError),
    #[error("a restore into {} did not come to its end; empty it, and its log, and restore again", path.display())]
    RestoreUnfinished { path: PathBuf },
    #[error("the log was begun with another key: put {} back, which its backup does not hold", path.display())]
    KeyMissing { path: PathBuf },
    #[error("the vault could not be opened")]
    Vault(#[from] eventstore::VaultError),
    #[error("the views could not be opened")]
    Views(#[from] ViewError),
    #[error("passwords cannot be hashed here")]
    Passwords(#[from] HashFailed),
    #[error("the log could not be read")]
    Read(#[from] eventstore::ReadError),
    #[error("what was erased could not be kept from coming back")]
    Erasure(#[from] ErasureError),
    #[error("the default cluster could not be registered")]
    DefaultCluster(#[source] CommandError),
    #[error("the default cluster has no valid name")]
    DefaultClusterName(#[from] InvalidName),
}

impl Services {
    /// Opens the data folder, makes what is missing, and returns when the views show the whole log.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names what could not be opened; nothing is changed then.
    pub async fn open(data: DataFolder, limits: Limits) -> Result<Self, OpenError> {
        if data.restoring().exists() {
            return Err(OpenError::RestoreUnfinished { path: data.root });
        }
        make_folders(&data)?;
        let log = open_log(&data).await?;
        // Only now is it certain that no other server works there.
        empty_scratch(&data)?;
        let blobs = Blobs::open(&data.blobs())?;
        let (master_keys, server_key) = (MasterKeys::find(data.master_key())?, data.keys().join("server.key"));
        keys_are_there(&log, &[master_keys.file(), Some(&server_key)]).await?;
        let vault = eventstore::Vault::open(&log, master_keys.ring()?).await?;
        master_keys.settle(&vault).await?;
        let vault = Vault::new(vault);
        let key = ServerKey::at(&server_key)?;
        let checkpoint_key = Key::from_file(&data.keys().join("checkpoint.key"))?;
        let transparency = Published::open(&log, &data.published(), data.high_water(), &checkpoint_key)?;
        published::start_from(&data.views(), &log, &blobs).await?;
        let views = Views::open(&data.views(), &log).await?;
        let follower = tokio::spawn(follow(views.clone(), log.clone(), blobs.clone()));
        let content = Content::new(blobs, log.clone());
        let erasures = ErasureList::at(data.erasures());
        let limits = Arc::new(limits);
        let places = |count| Arc::new(Semaphore::new(count));
        let commands = Commands {
            log: log.clone(),
            views: views.clone(),
            content: content.clone(),
            vault: vault.clone(),
            key: key.clone(),
            limits: Arc::clone(&limits),
            states: States::default(),
        };
        let services = Self {
            data,
            limits: Arc::clone(&limits),
            log,
            content,
            vault,
            views,
            key,
            transparency,
            master_keys,
            erasures,
            commands,
            auth: Auth::new(&limits)?,
            uploads: places(UPLOADS_MAX),
            exports: places(limits.exports_max),
            feeds: places(limits.feeds_max),
            freshness: Freshness::new(limits.head_age_max),
            follower: Arc::new(follower),
        };
        services.catch_up().await?;
        erasure::catch_up(&services).await?;
        services.register_default_cluster().await?;
        // It was whole a moment ago, after however long that took.
        services.freshness.confirm(Instant::now());
        let keep = services.freshness.clone();
        tokio::spawn(keep.keep(services.log.clone(), services.views.clone()));
        Ok(services)
    }

    /// What exports are made of.
    #[must_use]
    pub fn evidence(&self) -> exports::Source {
        exports::Source {
            log: self.log.clone(),
            views: self.views.reader(),
            vault: self.vault.clone(),
            content: self.content.clone(),
            transparency: self.transparency.clone(),
        }
    }

    /// Whether the views still follow the log. They stop for good at an event this program does not understand.
    #[must_use]
    pub fn is_following(&self) -> bool {
        !self.follower.is_finished()
    }

    /// Finishes what was begun and gives the data folder up. What was appended last is published, and remembered
    /// outside of the log.
    pub async fn close(&self) {
        if let Err(error) = self.transparency.publish().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the end of the log could not be published"
            );
        }
        self.follower.abort();
        self.log.close().await;
    }

    async fn catch_up(&self) -> Result<(), OpenError> {
        let size = self.log.head().await?.size;
        let mut behind = tokio::time::interval(Duration::from_secs(2));
        behind.tick().await;
        loop {
            tokio::select! {
                () = self.views.reached(size) => return Ok(self.views.discard_older()?),
                _ = behind.tick() => {
                    if !self.is_following() {
                        // Serve what there is: /readyz says that it is not the whole log.
                        return Ok(());
                    }
                    tracing::info!(position = self.views.position(), of = size, "building the views");
                }
            }
        }
    }

    async fn register_default_cluster(&self) -> Result<(), OpenError> {
        let register = RegisterCluster {
            name: DEFAULT_CLUSTER.parse()?,
            kubeconfig: None,
        };
        match self.commands.run(Giver::System, &register).await {
            Ok(_) => Ok(()),
            Err(error) if error.is("NAME_TAKEN") => Ok(()),
            Err(error) => Err(OpenError::DefaultCluster(error)),
        }
    }
}

/// Opens the log, and begins a new epoch if it is an older copy of the one that is remembered.
async fn open_log(data: &DataFolder) -> Result<EventStore, OpenError> {
    let path = data.high_water();
    let remembered = HighWater::load(&path).map_err(|source| OpenError::HighWater { path, source })?;
    let options = OpenOptions {
        remembered,
        ..OpenOptions::new(Mode::Append)
    };
    Ok(EventStore::open_with(&data.log_url(), options).await?)
}

/// A log that has begun is of no use with new keys: nothing in its vault would open, and no account be found.
async fn keys_are_there(log: &EventStore, files: &[Option<&Path>]) -> Result<(), OpenError> {
    if log.head().await?.size == 0 {
        return Ok(());
    }
    match files.iter().flatten().find(|file| !file.exists()) {
        Some(missing) => Err(OpenError::KeyMissing {
            path: missing.to_path_buf(),
        }),
        None => Ok(()),
    }
}

/// Makes what is missing. What is in the data folder is the server's alone: values and manifests hold secrets.
fn make_folders(data: &DataFolder) -> Result<(), OpenError> {
    let folders = [
        data.path().to_owned(),
        data.keys(),
        data.blobs(),
        data.clusters(),
        data.scratch(),
    ];
    for path in folders {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|source| OpenError::Folder { path, source })?;
    }
    Ok(())
}

/// What a server that was killed left behind.
fn empty_scratch(data: &DataFolder) -> Result<(), OpenError> {
    let path = data.scratch();
    let emptied = fs::remove_dir_all(&path).and_then(|()| fs::DirBuilder::new().mode(0o700).create(&path));
    emptied.map_err(|source| OpenError::Folder { path, source })
}

/// Follows the log until an event cannot be understood. Trouble with the disk or the database passes.
async fn follow(views: Views, log: EventStore, blobs: Blobs) -> ViewError {
    loop {
        let Err(error) = views.follow(log.clone(), blobs.clone()).await;
        if matches!(
            error,
            ViewError::Undecodable { .. } | ViewError::Log(eventstore::ReadError::Closed)
        ) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the views stopped following the log"
            );
            return error;
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the views could not follow the log; trying again"
        );
        tokio::time::sleep(FOLLOW_RETRY_INTERVAL).await;
    }
}
