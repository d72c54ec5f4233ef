//! Everything a running Charthouse has open, put together once.

use std::{fs, io, path::PathBuf, sync::Arc};

use domain::{cluster, names::InvalidName};
use eventstore::{Blobs, EventStore, MasterKey, Mode};
use projections::{ViewError, Views};

use crate::{
    commands::{CommandError, Commands, Giver, RegisterCluster},
    config::{DataFolder, Limits},
    content::Content,
    keys::{KeyError, ServerKey},
    vault::Vault,
};

/// The cluster every installation has from the start: a folder of rendered manifests.
pub const DEFAULT_CLUSTER: &str = "local";

#[derive(Clone)]
pub struct Services {
    pub data: DataFolder,
    pub limits: Arc<Limits>,
    pub log: EventStore,
    pub content: Content,
    pub vault: Vault,
    pub views: Views,
    pub key: ServerKey,
    pub commands: Commands,
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
    #[error("the log could not be opened")]
    Log(#[from] eventstore::OpenError),
    #[error("the blobs could not be opened")]
    Blobs(#[from] eventstore::BlobError),
    #[error("the master key could not be read")]
    MasterKey(#[from] eventstore::MasterKeyError),
    #[error("the vault could not be opened")]
    Vault(#[from] eventstore::VaultError),
    #[error("the server key could not be read")]
    ServerKey(#[from] KeyError),
    #[error("the views could not be opened")]
    Views(#[from] ViewError),
    #[error("the log could not be read")]
    Read(#[from] eventstore::ReadError),
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
        for path in [data.path().to_owned(), data.keys(), data.blobs(), data.clusters()] {
            fs::create_dir_all(&path).map_err(|source| OpenError::Folder { path, source })?;
        }
        let log = EventStore::open(&data.log_url(), Mode::Append).await?;
        let blobs = Blobs::open(&data.blobs())?;
        let vault = eventstore::Vault::open(&log, MasterKey::from_file(&data.keys().join("master.key"))?).await?;
        let vault = Vault::new(vault);
        let key = ServerKey::at(&data.keys().join("server.key"))?;
        let views = Views::open(&data.views(), &log).await?;
        let follower = tokio::spawn(follow(views.clone(), log.clone(), blobs.clone()));
        let content = Content::new(blobs);
        let limits = Arc::new(limits);
        let commands = Commands {
            log: log.clone(),
            views: views.clone(),
            content: content.clone(),
            vault: vault.clone(),
            key: key.clone(),
            limits: Arc::clone(&limits),
        };
        let services = Self {
            data,
            limits,
            log,
            content,
            vault,
            views,
            key,
            commands,
            follower: Arc::new(follower),
        };
        services.catch_up().await?;
        services.register_default_cluster().await?;
        Ok(services)
    }

    /// Whether the views still follow the log. They stop for good at an event this program does not understand.
    #[must_use]
    pub fn is_following(&self) -> bool {
        !self.follower.is_finished()
    }

    /// Finishes what was begun and gives the data folder up.
    pub async fn close(&self) {
        self.follower.abort();
        self.log.close().await;
    }

    async fn catch_up(&self) -> Result<(), OpenError> {
        let size = self.log.head().await?.size;
        let mut behind = tokio::time::interval(std::time::Duration::from_secs(2));
        behind.tick().await;
        loop {
            tokio::select! {
                () = self.views.reached(size) => return Ok(()),
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
            kind: cluster::Kind::Directory,
        };
        match self.commands.run(Giver::System, &register).await {
            Ok(_) => Ok(()),
            Err(error) if error.is("NAME_TAKEN") => Ok(()),
            Err(error) => Err(OpenError::DefaultCluster(error)),
        }
    }
}

/// Follows the log until an event cannot be understood.
async fn follow(views: Views, log: EventStore, blobs: Blobs) -> ViewError {
    let Err(error) = views.follow(log, blobs).await;
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "the views stopped following the log"
    );
    error
}
