//! Who a worker is, also after it was started again: an id in its data folder.
//!
//! An attempt carries it. So a worker that comes back takes up its own attempts at once, for they died with it, and
//! leaves those of others alone while they may be under way.

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use domain::ids::WorkerId;

use crate::ids;

/// Held as long as the worker lives: nobody else is the same worker meanwhile.
#[derive(Debug)]
pub struct Identity {
    pub id: WorkerId,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("another worker runs on this data folder; give this one a folder of its own")]
    Taken,
    #[error("{} does not hold the id of a worker; remove it, and the worker is a new one", path.display())]
    Malformed { path: PathBuf },
    #[error("{} could not be used", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Identity {
    /// The worker whose id is in the file at `path`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Taken`] while another process is that worker.
    pub fn at(path: &Path) -> Result<Self, IdentityError> {
        let failed = |source| IdentityError::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => IdentityError::Taken,
            TryLockError::Error(source) => failed(source),
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let id = if text.is_empty() {
            let id = WorkerId::from_uuid(ids::fresh());
            write(&mut file, id).map_err(failed)?;
            id
        } else {
            let malformed = |_| IdentityError::Malformed { path: path.to_owned() };
            text.trim().parse().map_err(malformed)?
        };
        Ok(Self { id, _lock: file })
    }
}

fn write(file: &mut File, id: WorkerId) -> io::Result<()> {
    file.rewind()?;
    writeln!(file, "{id}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_the_same_one_after_it_was_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        let first = Identity::at(&path).unwrap().id;
        assert_eq!(Identity::at(&path).unwrap().id, first);
        assert_ne!(Identity::at(&folder.path().join("other")).unwrap().id, first);
    }

    #[test]
    fn two_workers_are_never_the_same_one_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        let _first = Identity::at(&path).unwrap();
        assert!(matches!(Identity::at(&path), Err(IdentityError::Taken)));
    }

    #[test]
    fn a_file_with_something_else_in_it_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        std::fs::write(&path, "something else").unwrap();
        assert!(matches!(Identity::at(&path), Err(IdentityError::Malformed { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
    }
}
