//! What a backup consists of, so that what is missing or altered is noticed.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use domain::digest::Digest;
use eventstore::{CopyContents, folders};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The form of backups that this program makes and reads.
pub const FORMAT: u32 = 1;
pub const KEYS: &str = "the keys are not in this backup: keep the folder keys/ of the data folder apart from it";
const FILE: &str = "manifest.json";
const READ_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    pub made: DateTime<Utc>,
    pub log: LogFile,
    pub blobs: Vec<BlobFile>,
    /// Blobs whose bytes were not what their names say when the backup was made: they are not in it.
    pub damaged: Vec<Digest>,
    /// Said to whoever looks for them.
    pub keys: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    pub file: String,
    pub bytes: u64,
    /// Of the file.
    pub sha256: String,
    pub log_id: Uuid,
    pub epoch: Uuid,
    /// How many events.
    pub size: u64,
    /// Over the events, in hexadecimal, as in a checkpoint of that size.
    pub root: String,
    pub vault_keys: u64,
    pub vault_entries: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobFile {
    pub digest: Digest,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{} is not a backup: it has no {FILE}", path.display())]
    Missing { path: PathBuf },
    #[error("{} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not a manifest", path.display())]
    Malformed {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the backup has the form {found}, and this program knows only {FORMAT}")]
    OtherFormat { found: u32 },
}

impl LogFile {
    pub fn new(file: String, bytes: u64, sha256: String, contents: &CopyContents) -> Self {
        Self {
            file,
            bytes,
            sha256,
            log_id: contents.log.identity.log_id,
            epoch: contents.log.identity.epoch,
            size: contents.log.size,
            root: hex::encode(contents.log.root),
            vault_keys: contents.vault_keys,
            vault_entries: contents.vault_entries,
        }
    }
}

impl Manifest {
    /// The manifest of the backup in `folder`.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] says what is wrong with it.
    pub fn load(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE);
        let text = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ManifestError::Missing {
                path: folder.to_owned(),
            },
            _ => ManifestError::Io {
                path: path.clone(),
                source,
            },
        })?;
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|source| ManifestError::Malformed { path, source })?;
        match manifest.format {
            FORMAT => Ok(manifest),
            found => Err(ManifestError::OtherFormat { found }),
        }
    }

    /// Makes this the manifest of `folder`, durably and at once.
    ///
    /// # Errors
    ///
    /// [`ManifestError::Io`] if it could not be written; the earlier one stands then.
    pub fn save(&self, folder: &Path) -> Result<(), ManifestError> {
        let path = folder.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(|source| ManifestError::Malformed {
            path: path.clone(),
            source,
        })?;
        folders::replace(&path, &text).map_err(|source| ManifestError::Io { path, source })
    }
}

/// The SHA-256 of a file in hexadecimal, and its length.
pub async fn sha256_of(path: &Path) -> Result<(String, u64), ManifestError> {
    let file = path.to_owned();
    let hashed = tokio::task::spawn_blocking(move || hash(&file)).await;
    let hashed = hashed.unwrap_or_else(|ended| Err(io::Error::other(ended)));
    hashed.map_err(|source| ManifestError::Io {
        path: path.to_owned(),
        source,
    })
}

fn hash(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(hash.finalize()), bytes)),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}
