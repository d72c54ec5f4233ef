//! Tar archives, also such as no honest tool would write.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use tar::{EntryType, Header};

/// A tar archive in the making. Paths are taken as they are given.
#[derive(Default)]
pub struct Archive {
    tar: Vec<u8>,
}

impl Archive {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, EntryType::Regular, "", content.as_ref())
    }

    #[must_use]
    pub fn link(self, path: &str, kind: EntryType, to: &str) -> Self {
        self.entry(path, kind, to, &[])
    }

    /// # Panics
    ///
    /// If the path takes more than the 100 bytes that a plain header has for it.
    #[must_use]
    pub fn entry(mut self, path: &str, kind: EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.tar.extend_from_slice(header.as_bytes());
        self.tar.extend_from_slice(content);
        let whole_blocks = self.tar.len().next_multiple_of(512);
        self.tar.resize(whole_blocks, 0);
        self
    }

    /// The archive with its end, compressed.
    #[must_use]
    pub fn packed(mut self) -> Vec<u8> {
        self.tar.extend_from_slice(&[0; 1024]);
        gzip(&self.tar)
    }

    /// As if the disk had been full: the last `missing` bytes are not there, and neither is the end.
    #[must_use]
    pub fn packed_without_its_last(mut self, missing: usize) -> Vec<u8> {
        self.tar.truncate(self.tar.len() - missing);
        gzip(&self.tar)
    }
}

/// # Panics
///
/// Never: writing to memory does not fail.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}
