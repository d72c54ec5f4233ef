//! The published log, as the rest of the program uses it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::checkpoint::{MalformedCheckpoint, SignedCheckpoint, UntrustedCheckpoint};
use super::disk::{Disk, RealDisk};
use super::folder::TileFolder;
use super::merkle::Hash;
use super::note::{InvalidVerifierKey, MalformedNote, Signer, VerifierKey};
use super::proof_file::{ProofFault, ProofFile};
use super::prover::{ProveError, Prover};
use super::publisher::{Files, Publisher, blocking};
use crate::event::{Position, Recorded};
use crate::key::Key;
use crate::store::{EventStore, ReadError};

/// Least time between two checkpoints. The first event after a quiet time is published at once.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(500);
/// Time after trouble.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// How long [`Published::covering`] waits.
const COVERING_TIMEOUT: Duration = Duration::from_secs(10);

/// Tiles and signed checkpoints of an open log, published in a folder behind it. Clones share it.
#[derive(Clone)]
pub struct Published {
    shared: Arc<Shared>,
}

struct Shared {
    store: EventStore,
    folder: TileFolder,
    signer: Signer,
    /// All that ever signed this epoch of the log, the one that signs now first.
    keys: Vec<VerifierKey>,
    publisher: Mutex<Publisher>,
    last: watch::Sender<Option<SignedCheckpoint>>,
}

/// Why the log could not be published, or nothing proved.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// What was signed cannot be taken back: nothing more is signed.
    #[error("a checkpoint of {published} events is signed, and the log has only {found}")]
    Truncated { published: u64, found: u64 },
    /// What was signed cannot be taken back: nothing more is signed.
    #[error("the log is not the one whose first {published} events are signed")]
    Rewritten { published: u64 },
    #[error("the event at position {position} is missing")]
    Missing { position: u64 },
    /// Another process restored the log; open it again.
    #[error("the log has begun a new epoch")]
    NewEpoch,
    #[error("nothing is published yet")]
    Nothing,
    /// It is in the log, and will be published soon.
    #[error("position {position} is not published yet")]
    NotYet { position: u64 },
    #[error("the log could not be read")]
    Read(#[from] ReadError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error("the published tiles are damaged: they do not prove what is in the log")]
    Damaged(#[source] ProofFault),
    #[error("{} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not a checkpoint of this log", path.display())]
    ForeignCheckpoint {
        path: PathBuf,
        #[source]
        source: UntrustedCheckpoint,
    },
    #[error("{} does not hold a checkpoint", path.display())]
    MalformedCheckpoint {
        path: PathBuf,
        #[source]
        source: MalformedCheckpoint,
    },
    #[error("{} does not hold keys", path.display())]
    MalformedKeys {
        path: PathBuf,
        #[source]
        source: InvalidVerifierKey,
    },
    #[error("the log's origin cannot be the name of a key")]
    Name(#[source] MalformedNote),
    #[error("the work was broken off")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl Published {
    /// Goes on with what is in `folder`, where every epoch of the log has a folder of its own, signing with `key`.
    /// Before a checkpoint is signed, `high_water` remembers that the log reaches that far.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if what was published there is not of this log, or not signed with a key published there.
    pub fn open(store: &EventStore, folder: &Path, high_water: PathBuf, key: &Key) -> Result<Self, PublishError> {
        Self::open_on(Arc::new(RealDisk), store, folder, high_water, key)
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        store: &EventStore,
        folder: &Path,
        high_water: PathBuf,
        key: &Key,
    ) -> Result<Self, PublishError> {
        let identity = store.identity();
        let signer = Signer::new(&identity.origin(), key.bytes()).map_err(PublishError::Name)?;
        let folder = TileFolder::at(folder.join(identity.epoch.to_string()));
        let files = Files { folder, disk };
        let keys = keys(&files, signer.verifier_key())?;
        let last = last_checkpoint(&files.folder, &keys)?;
        Ok(Self {
            shared: Arc::new(Shared {
                store: store.clone(),
                folder: files.folder.clone(),
                signer: signer.clone(),
                keys,
                publisher: Mutex::new(Publisher {
                    store: store.clone(),
                    files,
                    signer,
                    high_water,
                    last: last.clone(),
                }),
                last: watch::Sender::new(last),
            }),
        })
    }

    /// Publishes the log as it is now: returns when the checkpoint is durable.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; the last checkpoint stays as it was.
    pub async fn publish(&self) -> Result<SignedCheckpoint, PublishError> {
        let signed = self.shared.publisher.lock().await.publish().await?;
        self.shared.last.send_replace(Some(signed.clone()));
        Ok(signed)
    }

    /// Publishes now, and whenever the log has grown, until it is closed.
    pub async fn run(self) {
        let mut size = self.shared.store.size();
        loop {
            size.mark_unchanged();
            match self.publish().await {
                Ok(_) => tokio::time::sleep(CHECKPOINT_INTERVAL).await,
                Err(PublishError::Read(ReadError::Closed)) => return,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the log could not be published"
                    );
                    tokio::time::sleep(RETRY_INTERVAL).await;
                    continue;
                }
            }
            if size.changed().await.is_err() {
                return;
            }
        }
    }

    /// The last checkpoint.
    ///
    /// # Errors
    ///
    /// [`PublishError::Nothing`] if there is none yet.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, PublishError> {
        self.shared.last.borrow().clone().ok_or(PublishError::Nothing)
    }

    /// A checkpoint that covers `position`; waits up to ten seconds for it.
    ///
    /// # Errors
    ///
    /// [`PublishError::NotYet`] if there is none by then.
    pub async fn covering(&self, position: Position) -> Result<SignedCheckpoint, PublishError> {
        let covers = |last: &Option<SignedCheckpoint>| {
            last.as_ref()
                .is_some_and(|last| last.checkpoint().size > position.get())
        };
        let mut last = self.shared.last.subscribe();
        let covering = tokio::time::timeout(COVERING_TIMEOUT, last.wait_for(covers)).await;
        let not_yet = || PublishError::NotYet {
            position: position.get(),
        };
        match covering {
            Ok(Ok(last)) => last.clone().ok_or_else(not_yet),
            _ => Err(not_yet()),
        }
    }

    /// Makes proofs for `checkpoint`. Check them against its root before handing them on.
    #[must_use]
    pub fn prover(&self, checkpoint: &SignedCheckpoint) -> Prover {
        Prover::new(self.shared.folder.clone(), checkpoint.checkpoint().size)
    }

    /// The file that proves `event` to somebody who has nothing else. It was checked, and waits as
    /// [`Published::covering`] does.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; [`PublishError::Damaged`] if the tiles do not prove what is in the log.
    pub async fn prove(&self, event: &Recorded) -> Result<ProofFile, PublishError> {
        let checkpoint = self.covering(event.position).await?;
        let (mut prover, keys) = (self.prover(&checkpoint), self.shared.keys.clone());
        let (index, leaf) = (event.position.get(), event.leaf.clone());
        blocking(move || {
            let file = ProofFile {
                index,
                leaf,
                proof: prover.inclusion(index)?,
                checkpoint,
            };
            file.verify(&keys).map_err(PublishError::Damaged)?;
            Ok(file)
        })
        .await
    }

    /// That the first `from` events are the beginning of the first `to`.
    ///
    /// # Errors
    ///
    /// [`ProveError::OutOfTree`] if `from` is more than `to`, [`PublishError::NotYet`] if `to` is not published.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, PublishError> {
        let published = self.checkpoint()?.checkpoint().size;
        if to > published {
            return Err(PublishError::NotYet { position: to - 1 });
        }
        // The tiles of smaller trees are the beginnings of those of the last one.
        let mut prover = Prover::within(self.shared.folder.clone(), to, published);
        blocking(move || Ok(prover.consistency(from)?)).await
    }

    /// The folder of this epoch, to be served.
    #[must_use]
    pub fn folder(&self) -> &TileFolder {
        &self.shared.folder
    }

    /// What signs checkpoints now.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.shared.signer
    }

    /// All keys that signed this epoch of the log, the one that signs now first.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.shared.keys
    }
}

/// The keys that are published. A key that is new here is published before it signs.
fn keys(files: &Files, own: &VerifierKey) -> Result<Vec<VerifierKey>, PublishError> {
    let path = files.folder.vkey_path();
    let known = files.folder.vkeys().map_err(|source| PublishError::Io {
        path: path.clone(),
        source,
    })?;
    let known = known.lines().map(str::parse).collect::<Result<Vec<VerifierKey>, _>>();
    let mut keys = known.map_err(|source| PublishError::MalformedKeys { path, source })?;
    if keys.first() != Some(own) {
        if !keys.is_empty() {
            tracing::warn!(key = %own, "checkpoints are signed with another key from now on");
        }
        keys.retain(|key| key != own);
        keys.insert(0, own.clone());
        files.write_keys(&keys)?;
    }
    Ok(keys)
}

fn last_checkpoint(folder: &TileFolder, keys: &[VerifierKey]) -> Result<Option<SignedCheckpoint>, PublishError> {
    let path = folder.checkpoint_path();
    let note = folder.checkpoint().map_err(|source| PublishError::Io {
        path: path.clone(),
        source,
    })?;
    let Some(note) = note else { return Ok(None) };
    let last: SignedCheckpoint = note.parse().map_err(|source| PublishError::MalformedCheckpoint {
        path: path.clone(),
        source,
    })?;
    last.verify(keys)
        .map_err(|source| PublishError::ForeignCheckpoint { path, source })?;
    Ok(Some(last))
}
