//! The files that a view may be in: one is in use, and others come and go beside it.
//!
//! `views.db`, `views.1.db`, `views.2.db` …: the highest one that this program made of this log is the view. A file gets
//! such a name only when it can be used, and one that is being built has another; so whatever moment a process is killed
//! at, there is a view to go on with.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::error::ViewError;

#[derive(Debug, Clone)]
pub(crate) struct Generations {
    folder: PathBuf,
    /// `views` of `views.db`.
    stem: String,
}

/// Held while a file is being built, by one process at a time; given back when dropped.
pub(crate) struct BuildLock {
    _file: File,
}

impl Generations {
    /// The files beside the one at `path`, which is the first.
    pub(crate) fn of(path: &Path) -> Self {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        Self {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            stem,
        }
    }

    pub(crate) fn path(&self, generation: u64) -> PathBuf {
        let stem = &self.stem;
        self.folder.join(match generation {
            0 => format!("{stem}.db"),
            later => format!("{stem}.{later}.db"),
        })
    }

    /// Where the next generation is built.
    pub(crate) fn building(&self) -> PathBuf {
        self.folder.join(format!("{}.building", self.stem))
    }

    /// Where a copy is made that is to be published.
    pub(crate) fn copy(&self) -> PathBuf {
        self.folder.join(format!("{}.copy", self.stem))
    }

    /// The generations there are, the highest first.
    pub(crate) fn present(&self) -> Result<Vec<u64>, ViewError> {
        let unreadable = |source| ViewError::File {
            path: self.folder.clone(),
            source,
        };
        let mut found = vec![];
        for entry in self.folder.read_dir().map_err(unreadable)? {
            found.extend(self.number(&entry.map_err(unreadable)?.file_name().to_string_lossy()));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// A number above all there are.
    pub(crate) fn next(&self) -> Result<u64, ViewError> {
        Ok(self.present()?.first().map_or(0, |highest| highest + 1))
    }

    fn number(&self, file: &str) -> Option<u64> {
        let middle = file.strip_prefix(&self.stem)?.strip_suffix(".db")?;
        match middle.strip_prefix('.') {
            Some(number) => number.parse().ok().filter(|number| *number > 0),
            None => middle.is_empty().then_some(0),
        }
    }

    /// Deletes what `generation` makes needless: the lower ones, and what an abandoned build left.
    pub(crate) fn keep(&self, generation: u64) -> Result<(), ViewError> {
        for older in self.present()?.into_iter().filter(|other| *other < generation) {
            delete(&self.path(older))?;
        }
        match self.lock() {
            Ok(_building) => delete(&self.building()),
            Err(ViewError::BeingBuilt) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// # Errors
    ///
    /// [`ViewError::BeingBuilt`] if somebody has it.
    pub(crate) fn lock(&self) -> Result<BuildLock, ViewError> {
        let path = self.folder.join(format!("{}.lock", self.stem));
        let failed = |source| ViewError::File {
            path: path.clone(),
            source,
        };
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(BuildLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ViewError::BeingBuilt),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Deletes a view file and what belongs to it, as far as it is there.
pub(crate) fn delete(path: &Path) -> Result<(), ViewError> {
    // The file goes first: its companions without it are nothing.
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(ViewError::File { path, source }),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_by_their_names_and_nothing_else_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let files = Generations::of(&folder.path().join("views.db"));
        assert_eq!(files.next().unwrap(), 0);
        for name in [
            "views.db",
            "views.10.db",
            "views.9.db",
            "views.9.db-wal",
            "views.0.db",
            "views.x.db",
            "views.building",
            "log.db",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(files.present().unwrap(), [10, 9, 0]);
        assert_eq!(files.next().unwrap(), 11);
        files.keep(9).unwrap();
        assert_eq!(files.present().unwrap(), [10, 9]);
        assert!(!files.building().exists());
    }

    #[test]
    fn what_is_being_built_is_left_to_whoever_builds_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = Generations::of(&folder.path().join("views.db"));
        let building = files.lock().unwrap();
        assert!(matches!(files.lock(), Err(ViewError::BeingBuilt)));
        std::fs::write(files.building(), "").unwrap();
        files.keep(1).unwrap();
        assert!(files.building().exists());
        drop(building);
        files.keep(1).unwrap();
        assert!(!files.building().exists());
    }
}
