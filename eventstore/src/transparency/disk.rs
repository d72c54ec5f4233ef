//! What publishing does to files. Tests put another one in its place, which fails when it is told to.

use std::fs;
use std::io;
use std::path::Path;

use crate::folders;

pub(super) trait Disk: Send + Sync {
    /// Makes `bytes` the contents of `path`, durably and at once, and its folder if it is missing.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    fn remove_folder(&self, path: &Path) -> io::Result<()>;
}

pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            folders::create(folder)?;
        }
        folders::replace(path, bytes)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}
