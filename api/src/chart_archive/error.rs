//! Why an archive is refused.

use std::io;

/// A rule that an uploaded archive breaks. The text is for its author: it names the file, the
/// rule, the limit with its unit, and what was met instead.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive has {actual_bytes} bytes, the limit is {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64, actual_bytes: u64 },
    #[error("the archive unpacks to more than {limit_bytes} bytes (unpacking stopped in {file:?})")]
    UnpackedTooLarge { limit_bytes: u64, file: String },
    #[error("the archive has more than {limit} entries (reading stopped at {file:?})")]
    TooManyEntries { limit: u64, file: String },
    #[error("{file}: packaged charts are nested more than {limit} levels deep")]
    NestedTooDeep { file: String, limit: u32 },
    #[error("{file} has {actual_bytes} bytes, the limit for this file is {limit_bytes} bytes")]
    FileTooLarge {
        file: String,
        limit_bytes: u64,
        actual_bytes: u64,
    },
    #[error("{archive} is not gzip-compressed: it does not start with the bytes 1f 8b 08")]
    NotGzip { archive: String },
    #[error("{archive} is cut off or damaged: its compressed data does not decode")]
    Damaged { archive: String, source: io::Error },
    #[error("{archive} is not a tar archive, or is cut off after {after:?}")]
    NotTar {
        archive: String,
        after: String,
        source: io::Error,
    },
    #[error("{file} should have {declared_bytes} bytes, but the archive ends after {actual_bytes} of them")]
    Truncated {
        file: String,
        declared_bytes: u64,
        actual_bytes: u64,
    },
    #[error("{archive} goes on after its end: there must be one gzip member holding one tar archive")]
    TrailingData { archive: String },
    #[error("{file} is a link; an archive may hold only files and directories")]
    Link { file: String },
    #[error("{file} is {kind}; an archive may hold only files and directories")]
    SpecialFile { file: String, kind: &'static str },
    #[error("the tar header of {file:?} can be read in more than one way: {problem}")]
    AmbiguousHeader { file: String, problem: &'static str },
    #[error("the path {path:?} is not safe: {problem}")]
    UnsafePath { path: String, problem: &'static str },
    #[error("{file} is in the archive twice")]
    DuplicateFile { file: String },
    #[error("{file} is not inside a folder; a chart archive has one root folder, named like the chart")]
    NoRoot { file: String },
    #[error("the archive has several root folders, {first:?} and {second:?}; there must be one, named like the chart")]
    SeveralRoots { first: String, second: String },
    #[error("{file} is not UTF-8 text (first invalid byte at offset {offset})")]
    NotUtf8 { file: String, offset: usize },
    #[error("{expected} is missing")]
    ChartYamlMissing { expected: String },
    #[error("Chart.yaml: {problem}")]
    ChartYamlInvalid { problem: String },
    #[error("Chart.yaml: name is {name:?}, but the root folder is {root:?}; they must be equal")]
    NameMismatch { name: String, root: String },
    #[error("requirements.yaml: {problem}")]
    RequirementsInvalid { problem: String },
    #[error("values.yaml: {problem}")]
    ValuesInvalid { problem: String },
    #[error("{file}: {problem}")]
    ValuesSchemaInvalid { file: String, problem: String },
    #[error(
        "{file}: {reference:?} at {pointer:?} points outside the file; only references into the same file are allowed, \
         because Helm would fetch it"
    )]
    ValuesSchemaRemoteRef {
        file: String,
        pointer: String,
        reference: String,
    },
}

impl ArchiveError {
    /// The name of the broken rule, stable across releases: clients may branch on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "ARCHIVE_TOO_LARGE",
            Self::UnpackedTooLarge { .. } => "ARCHIVE_UNPACKED_TOO_LARGE",
            Self::TooManyEntries { .. } => "ARCHIVE_TOO_MANY_ENTRIES",
            Self::NestedTooDeep { .. } => "ARCHIVE_NESTED_TOO_DEEP",
            Self::FileTooLarge { .. } => "ARCHIVE_FILE_TOO_LARGE",
            Self::NotGzip { .. } => "ARCHIVE_NOT_GZIP",
            Self::Damaged { .. } => "ARCHIVE_DAMAGED",
            Self::NotTar { .. } => "ARCHIVE_NOT_TAR",
            Self::Truncated { .. } => "ARCHIVE_TRUNCATED",
            Self::TrailingData { .. } => "ARCHIVE_TRAILING_DATA",
            Self::Link { .. } => "ARCHIVE_LINK",
            Self::SpecialFile { .. } => "ARCHIVE_SPECIAL_FILE",
            Self::AmbiguousHeader { .. } => "ARCHIVE_AMBIGUOUS_HEADER",
            Self::UnsafePath { .. } => "ARCHIVE_PATH_UNSAFE",
            Self::DuplicateFile { .. } => "ARCHIVE_DUPLICATE_FILE",
            Self::NoRoot { .. } => "ARCHIVE_NO_ROOT",
            Self::SeveralRoots { .. } => "ARCHIVE_SEVERAL_ROOTS",
            Self::NotUtf8 { .. } => "ARCHIVE_TEXT_NOT_UTF8",
            Self::ChartYamlMissing { .. } => "CHART_YAML_MISSING",
            Self::ChartYamlInvalid { .. } => "CHART_YAML_INVALID",
            Self::NameMismatch { .. } => "CHART_NAME_MISMATCH",
            Self::RequirementsInvalid { .. } => "REQUIREMENTS_INVALID",
            Self::ValuesInvalid { .. } => "VALUES_INVALID",
            Self::ValuesSchemaInvalid { .. } => "VALUES_SCHEMA_INVALID",
            Self::ValuesSchemaRemoteRef { .. } => "VALUES_SCHEMA_REMOTE_REF",
        }
    }
}
