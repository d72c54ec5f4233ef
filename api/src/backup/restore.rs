//! From a backup into an empty place, with a check of everything on the way.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use eventstore::{BlobError, Blobs, CopyContents, CopyError, HighWater, check_copy, folders, restore_copy};
use uuid::Uuid;

use super::{
    Tell,
    manifest::{LogFile, Manifest, ManifestError, sha256_of},
};
use crate::{config::DataFolder, content::to_store};

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the manifest could not be used")]
    Manifest(#[from] ManifestError),
    #[error("{} holds something already; only keys/ may be there before", path.display())]
    NotEmpty { path: PathBuf },
    #[error("a restore into {} did not come to its end; empty it, and its log, and restore again", path.display())]
    Unfinished { path: PathBuf },
    #[error("the backup's log {} is missing", path.display())]
    LogMissing { path: PathBuf },
    #[error("the backup's log is truncated: it has {found} of {expected} bytes")]
    LogTruncated { found: u64, expected: u64 },
    #[error("the backup's log was altered since the backup was made")]
    LogAltered,
    #[error("the backup's log does not hold what its manifest says")]
    LogDiffers,
    #[error("the log could not be restored")]
    Log(#[from] CopyError),
    #[error("the backup lacks the blob {0}")]
    BlobMissing(eventstore::Digest),
    #[error("the backup's blob {0} was altered")]
    BlobAltered(eventstore::Digest),
    #[error("a blob could not be copied")]
    Blob(#[source] BlobError),
    #[error("{} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is of another log: {found}, not {expected}", path.display())]
    OtherLog { path: PathBuf, found: Uuid, expected: Uuid },
}

/// Restores the backup in `from` to `data`, which holds nothing yet but its keys.
///
/// `high_water` is the file of this name of the data folder that was lost: with it, the server can tell at its start
/// whether anything is missing. Without it something is taken to be, for nobody knows, and a new epoch begins.
///
/// # Errors
///
/// [`RestoreError`]. If anything was written by then, a server refuses to start on it.
pub async fn restore(
    from: &Path,
    data: &DataFolder,
    high_water: Option<&Path>,
    tell: Tell<'_>,
) -> Result<Manifest, RestoreError> {
    let manifest = Manifest::load(from)?;
    let remembered = high_water.map(|path| remembered(path, &manifest.log)).transpose()?;
    empty(data)?;
    let log = from.join(&manifest.log.file);
    let contents = check_log(&log, &manifest.log, tell).await?;

    let marker = data.restoring();
    make_folder(data.path())?;
    begin(&marker)?;
    copy_blobs(from, data, &manifest, tell).await?;
    let of = manifest.log.size;
    restore_copy(&log, &data.log_url(), &mut |done| tell("writing the log", done, of)).await?;
    let remembered = remembered.unwrap_or_else(|| contents.log.uncertain());
    let path = data.high_water();
    remembered.save(&path).map_err(|source| io_error(&path, source))?;
    fs::remove_file(&marker).map_err(|source| io_error(&marker, source))?;
    Ok(manifest)
}

fn io_error(path: &Path, source: io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        source,
    }
}

fn remembered(path: &Path, log: &LogFile) -> Result<HighWater, RestoreError> {
    let found = HighWater::load(path).map_err(|source| io_error(path, source))?;
    let found = found.ok_or_else(|| io_error(path, io::ErrorKind::NotFound.into()))?;
    match found.identity.log_id {
        log_id if log_id == log.log_id => Ok(found),
        other => Err(RestoreError::OtherLog {
            path: path.to_owned(),
            found: other,
            expected: log.log_id,
        }),
    }
}

/// Nothing may be there but the keys, which come from elsewhere.
fn empty(data: &DataFolder) -> Result<(), RestoreError> {
    let root = data.path();
    if data.restoring().exists() {
        return Err(RestoreError::Unfinished { path: root.to_owned() });
    }
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(root, error)),
    };
    for entry in entries {
        let path = entry.map_err(|source| io_error(root, source))?.path();
        if path != data.keys() {
            return Err(RestoreError::NotEmpty { path: root.to_owned() });
        }
    }
    Ok(())
}

async fn check_log(path: &Path, expected: &LogFile, tell: Tell<'_>) -> Result<CopyContents, RestoreError> {
    let found = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RestoreError::LogMissing { path: path.to_owned() });
        }
        Err(error) => return Err(io_error(path, error)),
    };
    if found < expected.bytes {
        let expected = expected.bytes;
        return Err(RestoreError::LogTruncated { found, expected });
    }
    if sha256_of(path).await?.0 != expected.sha256 {
        return Err(RestoreError::LogAltered);
    }
    // The hash of the file stands beside it, and whoever alters one can alter the other; the root stands elsewhere too.
    let contents = check_copy(path, &mut |done| tell("checking the log", done, expected.size)).await?;
    let as_found = LogFile::new(expected.file.clone(), found, expected.sha256.clone(), &contents);
    match as_found == *expected {
        true => Ok(contents),
        false => Err(RestoreError::LogDiffers),
    }
}

async fn copy_blobs(from: &Path, data: &DataFolder, manifest: &Manifest, tell: Tell<'_>) -> Result<(), RestoreError> {
    let source = Blobs::open(&from.join("blobs")).map_err(RestoreError::Blob)?;
    let target = Blobs::open(&data.blobs()).map_err(RestoreError::Blob)?;
    let of = manifest.blobs.len() as u64;
    for (done, blob) in (1..).zip(&manifest.blobs) {
        let bytes = source.get(&to_store(blob.digest)).await.map_err(|error| match error {
            BlobError::Missing(digest) => RestoreError::BlobMissing(digest),
            BlobError::Corrupt(digest) => RestoreError::BlobAltered(digest),
            error => RestoreError::Blob(error),
        })?;
        target.put(bytes).await.map_err(RestoreError::Blob)?;
        tell("copying blobs", done, of);
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), RestoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| io_error(path, source))
}

/// While this file is there, no server starts here.
fn begin(marker: &Path) -> Result<(), RestoreError> {
    let begun = File::create_new(marker).and_then(|file| file.sync_all());
    let begun = begun.and_then(|()| folders::sync_entry(marker));
    begun.map_err(|source| io_error(marker, source))
}
