//! Backups: a folder with a copy of the log, the blobs it names, and a manifest that says what must be there.
//!
//! A backup is made beside a running server: the log first, as of one moment, then the blobs. Every blob that an event
//! names was durable before the event, so what the copy names is there to be copied. A later backup into the same folder
//! copies only what is new. The manifest is written last and at once: until then the folder is the backup it was before.
//!
//! The keys are not in it. Without them the vault in the log opens for nobody, which is what makes erasure possible.

mod manifest;
mod restore;

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use eventstore::{BlobError, Blobs, CopyError, EventStore, Mode, check_copy};

use self::manifest::{BlobFile, FORMAT, KEYS, LogFile, sha256_of};
pub use self::{
    manifest::{Manifest, ManifestError},
    restore::restore,
};
use crate::{clock, config::DataFolder, content::from_store};

/// Told what is being done, how much of it is done, and how much there is.
pub type Tell<'a> = &'a mut (dyn FnMut(&str, u64, u64) + Send);

/// What a backup came to.
#[derive(Debug)]
pub struct Backup {
    pub manifest: Manifest,
    /// How many blobs were not in the folder before.
    pub blobs_copied: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the folder {} could not be used", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another backup is being made in {}", path.display())]
    InUse { path: PathBuf },
    #[error("the log could not be opened")]
    Open(#[from] eventstore::OpenError),
    #[error("the log could not be copied")]
    Copy(#[from] CopyError),
    #[error("a blob could not be copied")]
    Blob(#[from] BlobError),
    #[error("the manifest could not be used")]
    Manifest(#[from] ManifestError),
}

/// Makes a backup of `data` in the folder `to`, or brings the one that is there up to date.
///
/// # Errors
///
/// [`BackupError`]; an earlier backup in the folder is whole then.
pub async fn back_up(data: &DataFolder, to: &Path, tell: Tell<'_>) -> Result<Backup, BackupError> {
    make_folder(to)?;
    let _alone = lock(to)?;
    let log = EventStore::open(&data.log_url(), Mode::ReadOnly).await?;
    let copied = copy_log(&log, to, tell).await;
    log.close().await;
    let log = copied?;
    let (blobs, damaged, blobs_copied) = copy_blobs(&data.blobs(), &to.join("blobs"), tell).await?;
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made: clock::now(),
        log,
        blobs,
        damaged,
        keys: KEYS.to_owned(),
    };
    manifest.save(to)?;
    clear_up(to, &manifest).await?;
    Ok(Backup { manifest, blobs_copied })
}

fn make_folder(path: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| folder(path, source))
}

fn folder(path: &Path, source: io::Error) -> BackupError {
    BackupError::Folder {
        path: path.to_owned(),
        source,
    }
}

/// Two at once would clear up behind each other.
fn lock(to: &Path) -> Result<File, BackupError> {
    let path = to.join("lock");
    let file = File::create(&path).map_err(|source| folder(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(BackupError::InUse { path: to.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(folder(&path, source)),
    }
}

/// Copies the log and reads the copy back.
async fn copy_log(log: &EventStore, to: &Path, tell: Tell<'_>) -> Result<LogFile, BackupError> {
    let draft = to.join("log.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(folder(&draft, error)),
        _ => {}
    }
    tell("copying the log", 0, 0);
    log.copy_to(&draft).await?;
    let size = log.head().await.map_or(0, |head| head.size);
    let contents = check_copy(&draft, &mut |done| tell("checking the copy", done, size)).await?;
    let name = format!("log-{}-{}.db", contents.log.size, &hex::encode(contents.log.root)[..16]);
    let path = to.join(&name);
    fs::rename(&draft, &path).map_err(|source| folder(&path, source))?;
    let (sha256, bytes) = sha256_of(&path).await?;
    Ok(LogFile::new(name, bytes, sha256, &contents))
}

type Copied = (Vec<BlobFile>, Vec<domain::digest::Digest>, u64);

async fn copy_blobs(from: &Path, to: &Path, tell: Tell<'_>) -> Result<Copied, BackupError> {
    let (source, target) = (Blobs::open(from)?, Blobs::open(to)?);
    let there: HashSet<_> = target.list().await?.into_iter().map(|blob| blob.digest).collect();
    let listed = source.list().await?;
    let (of, mut copied) = (listed.len() as u64, 0);
    let (mut blobs, mut damaged) = (Vec::with_capacity(listed.len()), vec![]);
    for (done, blob) in (1..).zip(listed) {
        if !there.contains(&blob.digest) {
            match source.get(&blob.digest).await {
                Ok(bytes) => target.put(bytes).await?,
                // Removed since it was listed.
                Err(BlobError::Missing(_)) => continue,
                Err(BlobError::Corrupt(digest)) => {
                    damaged.push(from_store(digest));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            copied += 1;
        }
        blobs.push(BlobFile {
            digest: from_store(blob.digest),
            bytes: blob.bytes,
        });
        tell("copying blobs", done, of);
    }
    Ok((blobs, damaged, copied))
}

/// What the manifest no longer names goes: older copies of the log, and blobs that were removed.
async fn clear_up(to: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let entries = fs::read_dir(to).map_err(|source| folder(to, source))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("log-") && name != manifest.log.file {
            fs::remove_file(entry.path()).map_err(|source| folder(&entry.path(), source))?;
        }
    }
    let kept: HashSet<_> = manifest.blobs.iter().map(|blob| blob.digest).collect();
    let blobs = Blobs::open(&to.join("blobs"))?;
    for blob in blobs.list().await? {
        if !kept.contains(&from_store(blob.digest)) {
            blobs.remove(&blob.digest).await?;
        }
    }
    Ok(())
}
