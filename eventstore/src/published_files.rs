//! Files that can be made again, kept beside the blobs so that others need not make them.
//!
//! A file is known by what it is of, how far it goes, and the hash of its bytes; all three are its name. Blobs are for
//! ever; these come and go.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart, path::Path as Key};
use sha2::{Digest as _, Sha256};

use crate::blobs::BlobError;
use crate::digest::Digest;

const ROOT: &str = "published";
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks on their way to the store at once.
const CHUNKS_MAX: usize = 8;

/// The files of one kind, of everybody who shares the store. Clones share it.
#[derive(Clone)]
pub struct PublishedFiles {
    store: Arc<dyn ObjectStore>,
    kind: &'static str,
}

/// A file as the store lists it. Its bytes were not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// What it is of: files of the same are alike but for how far they go.
    pub of: String,
    /// How many events went into it.
    pub size: u64,
    pub digest: Digest,
    pub put: DateTime<Utc>,
}

impl PublishedFiles {
    pub(crate) const fn new(store: Arc<dyn ObjectStore>, kind: &'static str) -> Self {
        Self { store, kind }
    }

    /// Publishes the file at `path`, durably, and returns the hash of its bytes. `of` is a name without slashes.
    ///
    /// # Errors
    ///
    /// [`BlobError`] if it cannot be read, or the store fails. Nothing is published then.
    pub async fn publish(&self, of: &str, size: u64, path: &Path) -> Result<Digest, BlobError> {
        let digest = hash(path.to_owned()).await?;
        let upload = self.store.put_multipart(&self.key(of, size, digest)).await?;
        let mut upload = WriteMultipart::new(upload);
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable(path))?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let mut part = tokio::io::AsyncReadExt::take(&mut file, CHUNK_BYTES as u64);
            let read = tokio::io::AsyncReadExt::read_to_end(&mut part, &mut chunk).await;
            match read {
                Ok(0) => break,
                Ok(_) => upload.put(chunk.into()),
                Err(error) => {
                    upload.abort().await?;
                    return Err(unreadable(path)(error));
                }
            }
            upload.wait_for_capacity(CHUNKS_MAX).await?;
        }
        upload.finish().await?;
        Ok(digest)
    }

    /// All of this kind, those that go furthest first.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if they could not be listed.
    pub async fn list(&self) -> Result<Vec<PublishedFile>, BlobError> {
        let folder = Key::from(format!("{ROOT}/{}", self.kind));
        let found: Vec<_> = self.store.list(Some(&folder)).try_collect().await?;
        let mut files: Vec<_> = found.iter().filter_map(read_name).collect();
        files.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| b.put.cmp(&a.put)));
        Ok(files)
    }

    /// Writes a published file to `path`, where none may be, and checks that it is what its name says.
    ///
    /// # Errors
    ///
    /// [`BlobError::Missing`], [`BlobError::Corrupt`], or another if it could not be read or written; what is at `path`
    /// is of no use then.
    pub async fn fetch(&self, file: &PublishedFile, path: &Path) -> Result<(), BlobError> {
        let found = match self.store.get(&self.key(&file.of, file.size, file.digest)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::Missing(file.digest)),
            Err(error) => return Err(error.into()),
        };
        let mut target = File::create_new(path).map_err(unreadable(path))?;
        let (mut hash, mut chunks) = (Sha256::new(), found.into_stream());
        while let Some(chunk) = chunks.try_next().await? {
            hash.update(&chunk);
            target.write_all(&chunk).map_err(unreadable(path))?;
        }
        target.sync_all().map_err(unreadable(path))?;
        match Digest::from_bytes(hash.finalize().into()) == file.digest {
            true => Ok(()),
            false => Err(BlobError::Corrupt(file.digest)),
        }
    }

    /// Takes a file away; nothing if it is not there.
    ///
    /// # Errors
    ///
    /// [`BlobError::Storage`] if it may still be there.
    pub async fn remove(&self, file: &PublishedFile) -> Result<(), BlobError> {
        match self.store.delete(&self.key(&file.of, file.size, file.digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn key(&self, of: &str, size: u64, digest: Digest) -> Key {
        Key::from(format!("{ROOT}/{}/{of}/{size:020}-{}", self.kind, digest.to_hex()))
    }
}

fn read_name(found: &object_store::ObjectMeta) -> Option<PublishedFile> {
    let parts: Vec<_> = found.location.parts().collect();
    let [_, _, of, name] = parts.as_slice() else {
        return None;
    };
    let (size, digest) = name.as_ref().split_once('-')?;
    Some(PublishedFile {
        of: of.as_ref().to_owned(),
        size: size.parse().ok()?,
        digest: format!("sha256:{digest}").parse().ok()?,
        put: found.last_modified,
    })
}

async fn hash(path: PathBuf) -> Result<Digest, BlobError> {
    let hashed = tokio::task::spawn_blocking(move || {
        let read = || -> io::Result<Digest> {
            let (mut file, mut hash) = (File::open(&path)?, Sha256::new());
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                match file.read(&mut chunk)? {
                    0 => return Ok(Digest::from_bytes(hash.finalize().into())),
                    read => hash.update(&chunk[..read]),
                }
            }
        };
        read().map_err(unreadable(&path))
    });
    hashed.await.map_err(|error| BlobError::Storage(error.into()))?
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> BlobError + use<> {
    let path = path.to_owned();
    move |source| BlobError::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use crate::{BlobError, Blobs};

    #[tokio::test]
    async fn a_published_file_is_listed_fetched_and_taken_away_and_is_no_blob() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        let files = blobs.published_files("views");
        let path = |name: &str| folder.path().join(name);
        let long: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(path("a"), &long).unwrap();
        std::fs::write(path("b"), "b").unwrap();
        let older = files.publish("one", 7, &path("a")).await.unwrap();
        let newer = files.publish("one", 10, &path("b")).await.unwrap();
        let listed = files.list().await.unwrap();
        let known: Vec<_> = listed
            .iter()
            .map(|file| (file.of.as_str(), file.size, file.digest))
            .collect();
        assert_eq!(known, [("one", 10, newer), ("one", 7, older)]);
        let [newer, older] = listed.as_slice() else {
            panic!("{listed:?}")
        };
        assert_eq!(blobs.list().await.unwrap(), []);
        assert_eq!(blobs.published_files("others").list().await.unwrap(), []);

        files.fetch(older, &path("copy")).await.unwrap();
        assert_eq!(std::fs::read(path("copy")).unwrap(), long);
        let taken = files.fetch(newer, &path("copy")).await;
        assert!(matches!(taken, Err(BlobError::File { .. })), "nothing is overwritten");
        files.remove(older).await.unwrap();
        files.remove(older).await.unwrap();
        let gone = files.fetch(older, &path("gone")).await;
        assert!(matches!(gone, Err(BlobError::Missing(digest)) if digest == older.digest));
        assert_eq!(files.list().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_published_file_that_was_altered_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        let files = blobs.published_files("views");
        std::fs::write(folder.path().join("whole"), "whole").unwrap();
        files.publish("one", 7, &folder.path().join("whole")).await.unwrap();
        let file = files.list().await.unwrap().remove(0);
        let stored = folder.path().join("blobs/published/views/one");
        let stored = std::fs::read_dir(stored).unwrap().next().unwrap().unwrap().path();
        std::fs::write(stored, "other").unwrap();
        let refused = files.fetch(&file, &folder.path().join("copy")).await;
        assert!(matches!(refused, Err(BlobError::Corrupt(digest)) if digest == file.digest));
    }
}
