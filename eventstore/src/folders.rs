//! A new file is durable only when its folder is.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the entry of `path` in its folder durable.
pub(crate) fn sync_entry(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Makes `folder` and those above it, durably; nothing if it is there.
pub(crate) fn create(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    std::fs::create_dir_all(folder)?;
    missing
        .into_iter()
        .filter(|made| !made.as_os_str().is_empty())
        .try_for_each(sync_entry)
}
