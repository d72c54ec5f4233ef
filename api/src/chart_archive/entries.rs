//! Goes through a compressed tar archive once, counting.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use tar::Archive;

use super::contents::{Contents, Entry, is_parsed, is_read};
use super::error::ArchiveError;
use super::header::{self, Kind};
use super::{ArchiveLimits, path};

/// A long path takes one PAX record or one GNU header of a few hundred bytes.
const EXTENSION_MAX_BYTES: u64 = 64 * 1024;
const TAR_BLOCK_BYTES: u64 = 512;

/// What has been used up so far, by an archive and all archives nested in it.
pub(super) struct Meter<'limits> {
    limits: &'limits ArchiveLimits,
    unpacked_bytes: u64,
    entries: u64,
}

impl<'limits> Meter<'limits> {
    pub(super) fn new(limits: &'limits ArchiveLimits) -> Self {
        Self {
            limits,
            unpacked_bytes: 0,
            entries: 0,
        }
    }

    pub(super) fn limits(&self) -> &'limits ArchiveLimits {
        self.limits
    }
}

/// Reads one archive to its very end. `inside` names the archives around it, for messages.
pub(super) fn read(bytes: &[u8], inside: &str, meter: &mut Meter) -> Result<Contents, ArchiveError> {
    let archive_name = if inside.is_empty() {
        "the archive"
    } else {
        inside.trim_end_matches(": ")
    };
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Err(ArchiveError::NotGzip {
            archive: archive_name.to_owned(),
        });
    }
    let flow = Flow::new(meter);
    let mut archive = Archive::new(Counted {
        decoder: GzDecoder::new(bytes),
        flow: &flow,
    });
    let mut reading = Reading {
        inside,
        archive_name,
        flow: &flow,
        limits: meter.limits,
        entries: meter.entries,
        root: None,
        files: BTreeMap::new(),
        announced: None,
        current: String::new(),
    };
    let read = reading
        .all(&mut archive)
        .and_then(|()| reading.end(archive.into_inner()));
    let Reading {
        root, files, entries, ..
    } = reading;
    meter.entries = entries;
    meter.unpacked_bytes = flow.unpacked_bytes.get();
    read?;
    Ok(Contents {
        root: root.unwrap_or_default(),
        entries: files.into_values().collect(),
    })
}

/// What the decompressor has told so far. Shared, because the tar reader owns the decompressor.
struct Flow {
    unpacked_bytes: Cell<u64>,
    limit_bytes: u64,
    decoder_failed: Cell<bool>,
}

impl Flow {
    fn new(meter: &Meter) -> Self {
        Self {
            unpacked_bytes: Cell::new(meter.unpacked_bytes),
            limit_bytes: meter.limits.unpacked_max_bytes,
            decoder_failed: Cell::new(false),
        }
    }

    fn is_over(&self) -> bool {
        self.unpacked_bytes.get() > self.limit_bytes
    }
}

/// The decompressed bytes, which end with an error as soon as there are too many.
struct Counted<'bytes, 'flow> {
    decoder: GzDecoder<&'bytes [u8]>,
    flow: &'flow Flow,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self
            .decoder
            .read(into)
            .inspect_err(|_| self.flow.decoder_failed.set(true))?;
        self.flow
            .unpacked_bytes
            .set(self.flow.unpacked_bytes.get() + count as u64);
        if self.flow.is_over() {
            Err(io::Error::other("too many bytes"))
        } else {
            Ok(count)
        }
    }
}

/// An extension header: the entry after it is a file or directory, and may have its path from here.
struct Announced {
    path: Option<Vec<u8>>,
}

/// One pass over one archive.
struct Reading<'context> {
    inside: &'context str,
    archive_name: &'context str,
    flow: &'context Flow,
    limits: &'context ArchiveLimits,
    entries: u64,
    root: Option<String>,
    files: BTreeMap<String, Entry>,
    /// What the entry before this one said about it.
    announced: Option<Announced>,
    /// The entry being read, for messages.
    current: String,
}

impl Reading<'_> {
    fn all(&mut self, archive: &mut Archive<Counted>) -> Result<(), ArchiveError> {
        let entries = archive.entries().map_err(|source| self.unreadable(source))?;
        for entry in entries.raw(true) {
            let entry = entry.map_err(|source| self.unreadable(source))?;
            self.one(entry)?;
        }
        match self.announced {
            None => Ok(()),
            Some(_) => Err(self.ambiguous("it describes an entry that does not follow")),
        }
    }

    fn one(&mut self, mut entry: tar::Entry<Counted>) -> Result<(), ArchiveError> {
        let announced = self.announced.take();
        let is_announced = announced.is_some();
        let long_path = announced.and_then(|announced| announced.path);
        let raw_path = long_path.unwrap_or_else(|| entry.header().path_bytes().into_owned());
        self.current = format!("{}{}", self.inside, String::from_utf8_lossy(&raw_path));
        self.entries += 1;
        if self.entries > self.limits.entries_max {
            return Err(ArchiveError::TooManyEntries {
                limit: self.limits.entries_max,
                file: self.current.clone(),
            });
        }
        let kind = header::kind(entry.header(), &self.current)?;
        if is_announced && !matches!(kind, Kind::File | Kind::Directory) {
            return Err(self.ambiguous("it follows another extension header"));
        }
        match kind {
            Kind::File => self.file(&mut entry, raw_path),
            Kind::Directory => self.directory(raw_path),
            Kind::PaxRecords => {
                let records = self.extension(&mut entry)?;
                self.announced = Some(Announced {
                    path: header::pax_path(&records, &self.current)?,
                });
                Ok(())
            }
            Kind::PaxGlobal => {
                let records = self.extension(&mut entry)?;
                match header::pax_path(&records, &self.current)? {
                    None => Ok(()),
                    Some(_) => Err(self.ambiguous("it gives all entries the same path")),
                }
            }
            Kind::GnuLongName => {
                let mut name = self.extension(&mut entry)?;
                if name.last() == Some(&0) {
                    name.pop();
                }
                self.announced = Some(Announced { path: Some(name) });
                Ok(())
            }
        }
    }

    fn file(&mut self, entry: &mut tar::Entry<Counted>, raw_path: Vec<u8>) -> Result<(), ArchiveError> {
        let full_path = self.checked(raw_path)?;
        let Some((root, path)) = full_path.split_once('/') else {
            return Err(ArchiveError::NoRoot {
                file: self.current.clone(),
            });
        };
        self.take_root(root)?;
        if self.files.contains_key(path) {
            return Err(ArchiveError::DuplicateFile {
                file: self.current.clone(),
            });
        }
        let declared_bytes = entry.size();
        self.check_size(path, declared_bytes)?;
        let mut content = is_read(path).then(Vec::new);
        let copied = match &mut content {
            Some(content) => io::copy(entry, content),
            None => io::copy(entry, &mut io::sink()),
        };
        let size_bytes = copied.map_err(|source| self.unreadable(source))?;
        if size_bytes != declared_bytes {
            return Err(ArchiveError::Truncated {
                file: self.current.clone(),
                declared_bytes,
                actual_bytes: size_bytes,
            });
        }
        let path = path.to_owned();
        let file = Entry {
            path: path.clone(),
            location: self.current.clone(),
            size_bytes,
            content,
        };
        self.files.insert(path, file);
        Ok(())
    }

    fn directory(&mut self, raw_path: Vec<u8>) -> Result<(), ArchiveError> {
        let mut full_path = self.checked_directory(raw_path)?;
        if let Some(end) = full_path.find('/') {
            full_path.truncate(end);
        }
        self.take_root(&full_path)
    }

    fn extension(&mut self, entry: &mut tar::Entry<Counted>) -> Result<Vec<u8>, ArchiveError> {
        let declared_bytes = entry.size();
        if declared_bytes > EXTENSION_MAX_BYTES {
            return Err(ArchiveError::FileTooLarge {
                file: format!("{}extension header of {}", self.inside, self.current),
                limit_bytes: EXTENSION_MAX_BYTES,
                actual_bytes: declared_bytes,
            });
        }
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .map_err(|source| self.unreadable(source))?;
        let actual_bytes = content.len() as u64;
        if actual_bytes != declared_bytes {
            return Err(ArchiveError::Truncated {
                file: self.current.clone(),
                declared_bytes,
                actual_bytes,
            });
        }
        Ok(content)
    }

    fn checked_directory(&self, mut raw_path: Vec<u8>) -> Result<String, ArchiveError> {
        if raw_path.len() > 1 && raw_path.last() == Some(&b'/') {
            raw_path.pop();
        }
        self.checked(raw_path)
    }

    fn checked(&self, raw_path: Vec<u8>) -> Result<String, ArchiveError> {
        let unsafe_path = |problem| ArchiveError::UnsafePath {
            path: self.current.clone(),
            problem,
        };
        let path = String::from_utf8(raw_path).map_err(|_| unsafe_path("it is not UTF-8"))?;
        path::problem(&path).map_or(Ok(path), |problem| Err(unsafe_path(problem)))
    }

    fn take_root(&mut self, root: &str) -> Result<(), ArchiveError> {
        match &self.root {
            Some(first) if first != root => Err(ArchiveError::SeveralRoots {
                first: first.clone(),
                second: root.to_owned(),
            }),
            Some(_) => Ok(()),
            None => {
                self.root = Some(root.to_owned());
                Ok(())
            }
        }
    }

    /// Refuses early what a header admits to be too large; what it hides is met while reading.
    fn check_size(&self, path: &str, declared_bytes: u64) -> Result<(), ArchiveError> {
        let limit_bytes = self.limits.text_max_bytes;
        if is_parsed(path) && declared_bytes > limit_bytes {
            let file = self.current.clone();
            return Err(ArchiveError::FileTooLarge {
                file,
                limit_bytes,
                actual_bytes: declared_bytes,
            });
        }
        Ok(())
    }

    /// After the last entry only zeros may follow, then the checksum, then nothing.
    fn end(&self, mut rest: Counted) -> Result<(), ArchiveError> {
        let trailing = || ArchiveError::TrailingData {
            archive: self.archive_name.to_owned(),
        };
        let mut block = [0; TAR_BLOCK_BYTES as usize];
        loop {
            let count = rest.read(&mut block).map_err(|source| self.unreadable(source))?;
            if count == 0 {
                break;
            }
            if block[..count].iter().any(|byte| *byte != 0) {
                return Err(trailing());
            }
        }
        if rest.decoder.into_inner().is_empty() {
            Ok(())
        } else {
            Err(trailing())
        }
    }

    fn ambiguous(&self, problem: &'static str) -> ArchiveError {
        ArchiveError::AmbiguousHeader {
            file: self.current.clone(),
            problem,
        }
    }

    fn unreadable(&self, source: io::Error) -> ArchiveError {
        let archive = self.archive_name.to_owned();
        if self.flow.is_over() {
            ArchiveError::UnpackedTooLarge {
                limit_bytes: self.flow.limit_bytes,
                file: self.current.clone(),
            }
        } else if self.flow.decoder_failed.get() {
            ArchiveError::Damaged { archive, source }
        } else {
            ArchiveError::NotTar {
                archive,
                after: self.current.clone(),
                source,
            }
        }
    }
}
