//! A data folder in memory: made once by the program itself, then the beginning of every test.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

#[derive(Debug)]
pub struct Snapshot {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Snapshot {
    /// Reads a folder on which no program works.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut files = vec![];
        for path in files_below(folder)? {
            let content = fs::read(folder.join(&path))?;
            files.push((path, content));
        }
        Ok(Self { files })
    }

    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn restore(&self, folder: &Path) -> io::Result<()> {
        for (path, content) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, content)?;
            // Keys are for their owner only.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        }
        Ok(())
    }
}

/// The files of a folder and its folders, relative to it, in order; none if it does not exist.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries = match fs::read_dir(&next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                files.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
