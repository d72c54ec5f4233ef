//! What was erased or removed, kept beside the keys and apart from the database.
//!
//! A copy of the database that is restored brings back keys and blobs that were destroyed since it was made. This file
//! does not go back with it: what it names is destroyed again before anything is served.

use std::{
    fs::OpenOptions,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::digest::Digest;
use eventstore::folders;

/// Something that must not come back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Erased {
    /// A subject of the vault, such as `account-0198…`.
    Subject(String),
    Content(Digest),
}

/// One line for each: what it is, its name, and when it was put on the list.
#[derive(Debug, Clone)]
pub struct ErasureList {
    path: PathBuf,
}

impl ErasureList {
    /// The list in the file at `path`, which need not exist.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything on the list. A last line that a crash cut short is not on it: what it was to name was not destroyed
    /// yet.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a whole line is not understood: what it names would come back.
    pub fn load(&self) -> io::Result<Vec<Erased>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => whole_lines(&text).lines().map(parse).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error),
        }
    }

    /// Puts `erased` on the list, durably.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. Then nothing may be destroyed.
    pub fn add(&self, erased: &Erased, now: DateTime<Utc>) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        // Processes that share a log share its keys, and with them this file.
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = whole_lines(&text).len() as u64;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        file.write_all(line(erased, now).as_bytes())?;
        file.sync_all()?;
        folders::sync_entry(&self.path)
    }
}

fn whole_lines(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| &text[..=end])
}

fn line(erased: &Erased, now: DateTime<Utc>) -> String {
    let (kind, name) = match erased {
        Erased::Subject(subject) => ("subject", subject.clone()),
        Erased::Content(digest) => ("content", digest.to_string()),
    };
    format!("{kind} {name} {}\n", now.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn parse(line: &str) -> io::Result<Erased> {
    let malformed = || io::Error::other(format!("{line:?} is not an entry of the erasure list"));
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["subject", subject, _] if !subject.is_empty() => Ok(Erased::Subject(subject.to_owned())),
        ["content", digest, _] => digest.parse().map(Erased::Content).map_err(|_| malformed()),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(folder: &tempfile::TempDir) -> ErasureList {
        ErasureList::at(folder.path().join("erasures"))
    }

    fn entries() -> [Erased; 2] {
        [
            Erased::Subject("account-1".to_owned()),
            Erased::Content(Digest::from_bytes([7; 32])),
        ]
    }

    #[test]
    fn what_is_put_on_the_list_is_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&folder);
        assert_eq!(list.load().unwrap(), []);
        for entry in entries() {
            list.add(&entry, DateTime::UNIX_EPOCH).unwrap();
        }
        assert_eq!(list.load().unwrap(), entries());
    }

    #[test]
    fn a_line_that_a_crash_cut_short_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&folder);
        let [one, other] = entries();
        list.add(&one, DateTime::UNIX_EPOCH).unwrap();
        let whole = std::fs::read_to_string(list.path()).unwrap();
        std::fs::write(list.path(), format!("{whole}subject acc")).unwrap();
        assert_eq!(list.load().unwrap(), std::slice::from_ref(&one));
        list.add(&other, DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(list.load().unwrap(), [one, other]);
    }

    #[test]
    fn a_line_that_is_not_understood_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&folder);
        for text in ["person account-1 2026\n", "subject\n", "content md5:00 2026\n"] {
            std::fs::write(list.path(), text).unwrap();
            assert!(list.load().is_err(), "{text}");
        }
    }
}
