//! Bytes named by their hash.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt, path::Path as Key};

use crate::digest::Digest;
use crate::folders;
use crate::published_files::PublishedFiles;

/// A store of content-addressed blobs. Clones share it.
///
/// What is in it never changes: a digest names the same bytes for ever, or none.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

/// A blob as the store lists it. Its bytes were not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    pub digest: Digest,
    pub bytes: u64,
    /// When it was last put.
    pub put: DateTime<Utc>,
}

/// Why a blob was not had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no blob {0}")]
    Missing(Digest),
    /// The bytes under this name are others than it says.
    #[error("blob {0} is corrupt")]
    Corrupt(Digest),
    #[error("folder {} cannot hold blobs", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the file {} could not be read or written", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the blob store failed")]
    Storage(#[from] object_store::Error),
}

impl Blobs {
    /// Keeps blobs in `folder`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`BlobError::Folder`] if it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        folders::create(folder).map_err(|source| BlobError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        // With fsync, a put returns only when the bytes and the folder entries are on the disk.
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: folder.to_owned(),
        })
    }

    /// What is kept beside the blobs of this kind, which is a word.
    #[must_use]
    pub fn published_files(&self, kind: &'static str) -> PublishedFiles {
        PublishedFiles::new(Arc::clone(&self.store), kind)
    }

    /// Stores `bytes` durably and returns their name.
    ///
    /// What is there already is written again: only then is it known to be durable, and a corrupt blob is repaired.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if they could not be written.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, BlobError> {
        let digest = Digest::of(&bytes);
        self.store.put(&key(&digest), bytes.into()).await?;
        Ok(digest)
    }

    /// Reads a blob and checks that it is what its name says.
    ///
    /// # Errors
    ///
    /// [`BlobError::Missing`], [`BlobError::Corrupt`], or [`BlobError::Storage`] if it could not be read.
    pub async fn get(&self, digest: &Digest) -> Result<Bytes, BlobError> {
        let found = match self.store.get(&key(digest)).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::Missing(*digest)),
            Err(error) => return Err(error.into()),
        };
        if Digest::of(&found) == *digest {
            Ok(found)
        } else {
            Err(BlobError::Corrupt(*digest))
        }
    }

    /// The same on this thread, which waits for the disk: of very many blobs, most of the time would else go into handing
    /// them from thread to thread.
    ///
    /// # Errors
    ///
    /// As [`Blobs::get`]; [`BlobError::File`] if it could not be read.
    pub fn get_blocking(&self, digest: &Digest) -> Result<Bytes, BlobError> {
        let path = self.folder.join(key(digest).as_ref());
        match std::fs::read(&path) {
            Ok(found) if Digest::of(&found) == *digest => Ok(found.into()),
            Ok(_) => Err(BlobError::Corrupt(*digest)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(BlobError::Missing(*digest)),
            Err(source) => Err(BlobError::File { path, source }),
        }
    }

    /// Everything that is in the store, in no order.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if it could not be listed.
    pub async fn list(&self) -> Result<Vec<BlobEntry>, BlobError> {
        let found: Vec<_> = self.store.list(None).try_collect().await?;
        let entry = |meta: object_store::ObjectMeta| {
            Some(BlobEntry {
                digest: format!("sha256:{}", meta.location.filename()?).parse().ok()?,
                bytes: meta.size,
                put: meta.last_modified,
            })
        };
        Ok(found.into_iter().filter_map(entry).collect())
    }

    /// Takes a blob away; nothing if it is not there. Its name goes on naming these bytes, should they be put again.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if it may still be there.
    pub async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        match self.store.delete(&key(digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Like [`Blobs::remove`], unless it was put again since `moment`. Returns whether it was taken away.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if it may still be there.
    pub async fn remove_if_older(&self, digest: &Digest, moment: DateTime<Utc>) -> Result<bool, BlobError> {
        match self.store.head(&key(digest)).await {
            Ok(meta) if meta.last_modified < moment => self.remove(digest).await.map(|()| true),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is a blob of this name. Does not read it.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if that could not be found out.
    pub async fn contains(&self, digest: &Digest) -> Result<bool, BlobError> {
        match self.store.head(&key(digest)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Two digits make the folder, so that none gets too many entries.
fn key(digest: &Digest) -> Key {
    let hex = digest.to_hex();
    Key::from(format!("sha256/{}/{hex}", &hex[..2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(folder: &Path, digest: &Digest) -> PathBuf {
        let hex = digest.to_hex();
        folder.join("sha256").join(&hex[..2]).join(hex)
    }

    #[tokio::test]
    async fn a_blob_is_found_under_the_hash_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("made")).unwrap();
        let bytes = Bytes::from_static(b"apiVersion: v2");
        let digest = blobs.put(bytes.clone()).await.unwrap();
        assert_eq!(digest, Digest::of(&bytes));
        assert_eq!(blobs.put(bytes.clone()).await.unwrap(), digest);
        assert_eq!(blobs.get(&digest).await.unwrap(), bytes);
        assert_eq!(blobs.get_blocking(&digest).unwrap(), bytes);
        assert!(blobs.contains(&digest).await.unwrap());
        assert_eq!(
            std::fs::read(path(&folder.path().join("made"), &digest)).unwrap(),
            bytes
        );
    }

    #[tokio::test]
    async fn a_missing_blob_is_not_a_corrupt_one() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let digest = blobs.put(Bytes::from_static(b"whole")).await.unwrap();
        std::fs::write(path(folder.path(), &digest), b"half").unwrap();
        assert!(matches!(blobs.get(&digest).await, Err(BlobError::Corrupt(named)) if named == digest));
        assert!(matches!(blobs.get_blocking(&digest), Err(BlobError::Corrupt(named)) if named == digest));

        let other = Digest::of(b"never stored");
        assert!(matches!(blobs.get(&other).await, Err(BlobError::Missing(named)) if named == other));
        assert!(matches!(blobs.get_blocking(&other), Err(BlobError::Missing(named)) if named == other));
        assert!(!blobs.contains(&other).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_removed_is_missing_and_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let [kept, removed] = [b"kept".as_slice(), b"removed"].map(Bytes::from_static);
        let (kept, removed) = (blobs.put(kept).await.unwrap(), blobs.put(removed).await.unwrap());
        assert_eq!(blobs.list().await.unwrap().len(), 2);
        for _ in 0..2 {
            blobs.remove(&removed).await.unwrap();
            let listed: Vec<_> = blobs.list().await.unwrap().iter().map(|blob| blob.digest).collect();
            assert_eq!(listed, [kept]);
        }
        assert!(!path(folder.path(), &removed).exists());
    }

    #[tokio::test]
    async fn what_was_put_since_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let digest = blobs.put(Bytes::from_static(b"put")).await.unwrap();
        let put = blobs.list().await.unwrap()[0].put;
        assert!(!blobs.remove_if_older(&digest, put).await.unwrap());
        let later = put + chrono::TimeDelta::seconds(1);
        assert!(blobs.remove_if_older(&digest, later).await.unwrap());
        assert!(!blobs.remove_if_older(&digest, later).await.unwrap());
    }

    #[tokio::test]
    async fn putting_the_bytes_again_repairs_a_corrupt_blob() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let digest = blobs.put(Bytes::from_static(b"whole")).await.unwrap();
        std::fs::write(path(folder.path(), &digest), b"half").unwrap();
        blobs.put(Bytes::from_static(b"whole")).await.unwrap();
        assert_eq!(blobs.get(&digest).await.unwrap(), "whole");
    }
}
