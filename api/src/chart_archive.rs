//! Reads a packaged Helm chart (`.tgz`) without trusting a byte of it.
//!
//! Nothing is ever unpacked to disk, and nothing an archive says about its own size is believed:
//! what comes out of the decompressor is counted as it comes. Where two tar readers could
//! understand the same bytes differently, the archive is refused, so that what is checked here is
//! what Helm will read later.

mod chart_yaml;
mod contents;
mod entries;
mod error;
mod header;
pub mod metadata;
pub mod pack;
mod path;
mod schema;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod yaml;

use serde::{Deserialize, Serialize};

pub use error::ArchiveError;
pub use metadata::ChartMetadata;
pub use yaml::{Shape, shapes};

use contents::Entry;
use entries::Meter;

/// How much of an archive is accepted. Each limit counts the chart and everything nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Largest archive as uploaded, in bytes.
    pub packed_max_bytes: u64,
    /// Most bytes that may come out of the decompressor, tar headers and padding included.
    pub unpacked_max_bytes: u64,
    /// Most tar entries, directories included.
    pub entries_max: u64,
    /// Largest `Chart.yaml`, `requirements.yaml`, `values.yaml` and `values.schema.json`, in bytes each.
    pub text_max_bytes: u64,
    /// How much of a README is kept to be shown, in bytes; a longer one is cut, not refused.
    pub readme_shown_max_bytes: u64,
    /// How many packaged charts may sit inside each other below the outermost one.
    pub nesting_max: u32,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            packed_max_bytes: 20 << 20,
            unpacked_max_bytes: 100 << 20,
            entries_max: 10_000,
            text_max_bytes: 1 << 20,
            readme_shown_max_bytes: 1 << 20,
            nesting_max: 4,
        }
    }
}

/// A chart as its archive describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    pub metadata: ChartMetadata,
    /// The README, at most as long as [`ArchiveLimits::readme_shown_max_bytes`]; a cut one says so at its end.
    pub readme: Option<String>,
    /// `app-readme.md`, the short text some catalogues show in front of the README; cut like it.
    pub app_readme: Option<String>,
    /// `values.yaml` as written, comments included. It is YAML and holds mappings or nothing.
    pub values: Option<String>,
    /// `values.schema.json` as written: a valid JSON Schema without references to other documents.
    pub values_schema: Option<String>,
    /// Every file of the archive, in path order. Files inside packaged subcharts are not listed.
    pub files: Vec<ChartFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartFile {
    /// Relative to the chart's root folder, with `/` between its parts.
    pub path: String,
    pub size_bytes: u64,
}

/// Reads the chart in `bytes`, a gzip-compressed tar archive with one root folder.
///
/// Deterministic, synchronous and without side effects. Memory is bounded by the limits; time is
/// proportional to the unpacked size, so call it where blocking is allowed.
///
/// # Errors
///
/// The first rule that the archive breaks. No error is worth retrying with the same bytes.
pub fn read(bytes: &[u8], limits: &ArchiveLimits) -> Result<Chart, ArchiveError> {
    let packed_bytes = bytes.len() as u64;
    if packed_bytes > limits.packed_max_bytes {
        return Err(ArchiveError::TooLarge {
            limit_bytes: limits.packed_max_bytes,
            actual_bytes: packed_bytes,
        });
    }
    let mut meter = Meter::new(limits);
    let contents = entries::read(bytes, "", &mut meter)?;
    check_nested(&contents.entries, "", limits.nesting_max, &mut meter)?;

    let chart_yaml = contents
        .file("Chart.yaml")
        .ok_or_else(|| ArchiveError::ChartYamlMissing {
            expected: format!("{}/Chart.yaml", contents.root),
        })?;
    let metadata = metadata::parse(text::required(chart_yaml)?, contents.text("requirements.yaml")?)?;
    if metadata.name != contents.root {
        return Err(ArchiveError::NameMismatch {
            name: metadata.name,
            root: contents.root,
        });
    }
    let values = contents.text("values.yaml")?;
    values.map(text::check_values).transpose()?;
    Ok(Chart {
        metadata,
        readme: contents.readme().map(|entry| text::shown(entry, limits)).transpose()?,
        app_readme: contents
            .file("app-readme.md")
            .map(|entry| text::shown(entry, limits))
            .transpose()?,
        values: values.map(str::to_owned),
        values_schema: contents.text(schema::FILE_NAME)?.map(str::to_owned),
        files: contents.into_files(),
    })
}

/// Follows packaged subcharts, and holds every values schema on the way to the rules: Helm applies
/// the schema of each chart of the tree, however deep.
fn check_nested(entries: &[Entry], inside: &str, nesting_left: u32, meter: &mut Meter) -> Result<(), ArchiveError> {
    for entry in entries {
        if path::is_values_schema(&entry.path) {
            schema::check(&entry.location, text::required(entry)?)?;
        }
        if !path::is_packaged_subchart(&entry.path) {
            continue;
        }
        if nesting_left == 0 {
            let limit = meter.limits().nesting_max;
            return Err(ArchiveError::NestedTooDeep {
                file: entry.location.clone(),
                limit,
            });
        }
        let inside = format!("{inside}{}: ", entry.path);
        let nested = entries::read(entry.content(), &inside, meter)?;
        check_nested(&nested.entries, &inside, nesting_left - 1, meter)?;
    }
    Ok(())
}
