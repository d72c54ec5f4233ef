//! Packages chart files the way `helm package` would, but always into the same bytes.

use std::io;

use flate2::{Compression, GzBuilder};
use include_dir::{Dir, DirEntry};
use tar::{EntryType, Header};

/// Packs `files` (path inside the chart, content) into a `.tgz` with the root folder `root`.
///
/// Deterministic: one version of this program makes the same bytes of the same files, in whatever
/// order they come. There are no times and no owners, and paths are sorted.
///
/// # Errors
///
/// If a path does not fit a tar header (about 250 bytes) or is absolute or holds `..`.
pub fn pack<'a>(root: &str, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> io::Result<Vec<u8>> {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(gzip);
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(format!("{root}/{path}"))?;
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content)?;
    }
    archive.into_inner()?.finish()
}

/// Packs a folder that was compiled into the program by `include_dir!`; see [`pack`].
///
/// # Errors
///
/// As [`pack`], and if a path is not UTF-8.
pub fn pack_dir(root: &str, folder: &Dir) -> io::Result<Vec<u8>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder];
    while let Some(folder) = waiting.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(inner) => waiting.push(inner),
                DirEntry::File(file) => {
                    let path = file
                        .path()
                        .to_str()
                        .ok_or_else(|| io::Error::other("a path is not UTF-8"))?;
                    files.push((path, file.contents()));
                }
            }
        }
    }
    pack(root, files)
}
