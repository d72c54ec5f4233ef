//! The files of an archive, and which of them are read.

use super::error::ArchiveError;
use super::{ChartFile, path, schema, text};

/// One regular file.
pub(super) struct Entry {
    /// Relative to the root folder.
    pub(super) path: String,
    /// The path for people: it also names the archives the file is nested in.
    pub(super) location: String,
    pub(super) size_bytes: u64,
    /// `None` for files nobody here reads.
    pub(super) content: Option<Vec<u8>>,
}

impl Entry {
    pub(super) fn content(&self) -> &[u8] {
        self.content.as_deref().unwrap_or_default()
    }
}

/// The files of one archive, in path order.
pub(super) struct Contents {
    pub(super) root: String,
    pub(super) entries: Vec<Entry>,
}

impl Contents {
    pub(super) fn file(&self, path: &str) -> Option<&Entry> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()?;
        self.entries.get(index)
    }

    pub(super) fn text(&self, path: &str) -> Result<Option<&str>, ArchiveError> {
        self.file(path).map(text::required).transpose()
    }

    /// The README as Helm finds it: in any letter case, Markdown first.
    pub(super) fn readme(&self) -> Option<&Entry> {
        text::README_NAMES
            .iter()
            .find_map(|name| self.entries.iter().find(|entry| entry.path.eq_ignore_ascii_case(name)))
    }

    pub(super) fn into_files(self) -> Vec<ChartFile> {
        let listed = |entry: Entry| ChartFile {
            path: entry.path,
            size_bytes: entry.size_bytes,
        };
        self.entries.into_iter().map(listed).collect()
    }
}

/// Whether the file's bytes are kept.
pub(super) fn is_read(path: &str) -> bool {
    is_parsed(path)
        || path::is_packaged_subchart(path)
        || text::README_NAMES.iter().any(|name| path.eq_ignore_ascii_case(name))
        || path == "app-readme.md"
}

/// Whether the file is parsed here, and so has a limit of its own.
pub(super) fn is_parsed(path: &str) -> bool {
    matches!(
        path,
        "Chart.yaml" | "requirements.yaml" | "values.yaml" | schema::FILE_NAME
    ) || path::is_values_schema(path)
}
