//! The files in a bundle. Whoever made it may wish ill: nothing is read beyond its limit.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Read},
    path::Path,
    str::FromStr,
};

use sha2::{Digest as _, Sha256};
use zip::{ZipArchive, result::ZipError};

use super::super::verdict::{Finding, Verdict};

/// Largest statement, proof or checkpoint, in bytes.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Largest other file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Read at once, in bytes.
const PART_BYTES: usize = 64 << 10;

pub struct Contents {
    archive: ZipArchive<BufReader<File>>,
    names: BTreeSet<String>,
}

impl Contents {
    pub fn open(path: &Path) -> Result<Self, Finding> {
        let file = File::open(path).map_err(|error| Finding::unreadable(path, &error))?;
        let broken = |error: ZipError| {
            let words = format!("{} is no whole zip file: {error}", path.display());
            Verdict::DamagedBundle.says(words)
        };
        let archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        let names = archive.file_names().map(|name| Ok(name.map_err(broken)?.into_owned()));
        let names = names.collect::<Result<_, Finding>>()?;
        Ok(Self { archive, names })
    }

    pub const fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// A file that is read as it comes.
    pub fn open_file(&mut self, name: &str) -> Result<impl Read, Finding> {
        let file = self.archive.by_name(name).map_err(|error| damaged(name, &error))?;
        Ok(BufReader::new(file.take(FILE_BYTES_MAX)))
    }

    pub fn text(&mut self, name: &str) -> Result<String, Finding> {
        let file = self.archive.by_name(name).map_err(|error| damaged(name, &error))?;
        let mut text = String::new();
        let read = file.take(TEXT_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| damaged(name, &error))?;
        Ok(text)
    }

    /// A file in a format of its own.
    pub fn parsed<T: FromStr<Err: std::error::Error + 'static>>(&mut self, name: &str) -> Result<T, Finding> {
        self.text(name)?.parse().map_err(|error| damaged(name, &error))
    }

    pub fn sha256(&mut self, name: &str) -> Result<String, Finding> {
        let mut file = self.open_file(name)?;
        let (mut hash, mut part) = (Sha256::new(), vec![0; PART_BYTES]);
        loop {
            match file.read(&mut part).map_err(|error| damaged(name, &error))? {
                0 => return Ok(hex::encode(hash.finalize())),
                bytes => hash.update(&part[..bytes]),
            }
        }
    }
}

pub fn damaged(name: &str, error: &(dyn std::error::Error + 'static)) -> Finding {
    let missing = error
        .downcast_ref::<ZipError>()
        .is_some_and(|error| matches!(error, ZipError::FileNotFound));
    Verdict::DamagedBundle.says(match missing {
        true => format!("{name} is missing"),
        false => format!("{name} is damaged: {error}"),
    })
}
