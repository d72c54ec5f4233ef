//! Reads a tar header as strictly as all tar readers agree on.
//!
//! Go's reader (Helm) and the `tar` crate differ in corners of the format: which bytes belong to
//! the path, how long an entry is, whether it is a directory. An archive that needs such a corner
//! is refused; no packer that is in use writes one.

use tar::{EntryType, Header, PaxExtensions};

use super::error::ArchiveError;

/// What an entry is, as far as a chart is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// PAX records for the entry that follows.
    PaxRecords,
    /// PAX records for all entries that follow; `git archive` leaves a comment in one.
    PaxGlobal,
    /// The path of the entry that follows, in GNU's way.
    GnuLongName,
}

/// The kind of an entry, after every part of its header that readers disagree about was checked.
pub(super) fn kind(header: &Header, file: &str) -> Result<Kind, ArchiveError> {
    let ambiguous = |problem| ArchiveError::AmbiguousHeader {
        file: file.to_owned(),
        problem,
    };
    if let Some(problem) = format_problem(header) {
        return Err(ambiguous(problem));
    }
    let special = |kind| {
        Err(ArchiveError::SpecialFile {
            file: file.to_owned(),
            kind,
        })
    };
    let kind = match header.entry_type() {
        EntryType::Regular => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::XHeader => Kind::PaxRecords,
        EntryType::XGlobalHeader => Kind::PaxGlobal,
        EntryType::GNULongName => Kind::GnuLongName,
        EntryType::Link | EntryType::Symlink | EntryType::GNULongLink => {
            return Err(ArchiveError::Link { file: file.to_owned() });
        }
        EntryType::Char => return special("a character device"),
        EntryType::Block => return special("a block device"),
        EntryType::Fifo => return special("a named pipe"),
        EntryType::GNUSparse => return special("a sparse file"),
        _ => return special("of an unknown type"),
    };
    let raw = header.as_bytes();
    if kind == Kind::Directory && header.entry_size().ok() != Some(0) {
        return Err(ambiguous("a directory with a size"));
    }
    if kind == Kind::File && !matches!(octal(&raw[100..108]).map(|mode| mode & 0o170_000), Some(0 | 0o100_000)) {
        return Err(ambiguous("a file whose mode is not that of a file"));
    }
    Ok(kind)
}

fn format_problem(header: &Header) -> Option<&'static str> {
    let raw = header.as_bytes();
    let magic_and_version = &raw[257..265];
    match magic_and_version {
        b"ustar\x0000" if &raw[508..512] == b"tar\0" => return Some("it is in the star format"),
        // Go reads a path prefix out of these bytes if they are not two times.
        b"ustar  \0" if raw[345..369].iter().any(|byte| *byte != 0) => return Some("it holds access times"),
        b"ustar\x0000" | b"ustar  \0" | [0, 0, 0, 0, 0, 0, 0, 0] => {}
        _ => return Some("its format is not known"),
    }
    octal(&raw[124..136])
        .is_none()
        .then_some("its size is not an octal number")
}

/// The number in a header field: octal digits, with spaces before and spaces or NULs after.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field.iter().rposition(|byte| !matches!(byte, b' ' | 0))? + 1;
    let digits = field[..end].trim_ascii_start();
    let all_octal = digits.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| all_octal)
        .and_then(|digits| u64::from_str_radix(digits, 8).ok())
}

/// The path in PAX records, if they hold one.
///
/// # Errors
///
/// A record that changes what the entry is or where it ends, or a second path.
pub(super) fn pax_path(records: &[u8], file: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
    let ambiguous = |problem| ArchiveError::AmbiguousHeader {
        file: file.to_owned(),
        problem,
    };
    let mut path = None;
    let mut read_bytes = 0;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(|_| ambiguous("its PAX records are malformed"))?;
        let (key, value) = (record.key_bytes(), record.value_bytes());
        let length_digits = records[read_bytes..]
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or_default();
        read_bytes += length_digits + " =\n".len() + key.len() + value.len();
        match key {
            b"path" if value.is_empty() || path.is_some() => {
                return Err(ambiguous("its PAX path is empty or repeated"));
            }
            b"path" => path = Some(value.to_vec()),
            b"mtime" | b"atime" | b"ctime" | b"uid" | b"gid" | b"uname" | b"gname" | b"comment" => {}
            // A vendor's own records (`SCHILY.xattr.…`, `LIBARCHIVE.…`), except the one that changes sizes.
            vendor if vendor.contains(&b'.') && !vendor.starts_with(b"GNU.sparse.") => {}
            _ => return Err(ambiguous("a PAX record changes its size, type or character set")),
        }
    }
    if read_bytes == records.len() {
        Ok(path)
    } else {
        Err(ambiguous("its PAX records are malformed"))
    }
}
