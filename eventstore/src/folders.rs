//! A new file is durable only when its folder is.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes the entry of `path` in its folder durable.
///
/// # Errors
///
/// [`io::Error`] of the folder.
pub fn sync_entry(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Makes `folder` and those above it, durably; nothing if it is there.
///
/// # Errors
///
/// [`io::Error`]; some of them may have been made.
pub fn create(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    fs::create_dir_all(folder)?;
    missing
        .into_iter()
        .filter(|made| !made.as_os_str().is_empty())
        .try_for_each(sync_entry)
}

/// Makes `bytes` the contents of `path`, durably and at once: a crash leaves either them or what was there before.
/// The folder must be there, and nobody else write to the same path.
///
/// # Errors
///
/// [`io::Error`]; the old contents are still there, unless only the last step failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    fs::write(&draft, bytes)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, path)?;
    sync_entry(path)
}
