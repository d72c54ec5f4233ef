//! The files of a chart that are text.

use super::ArchiveLimits;
use super::contents::Entry;
use super::error::ArchiveError;
use super::yaml::{self, Shape};

/// What Helm shows as a README, whatever its letter case; the first one there is wins.
pub(super) const README_NAMES: [&str; 3] = ["README.md", "README.txt", "README"];

/// The whole file as text, without the byte order mark that Helm also takes off.
pub(super) fn required(entry: &Entry) -> Result<&str, ArchiveError> {
    let text = std::str::from_utf8(entry.content()).map_err(|error| ArchiveError::NotUtf8 {
        file: entry.location.clone(),
        offset: error.valid_up_to(),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// As much of the file as is shown. A cut one ends with a note that says so.
pub(super) fn shown(entry: &Entry, limits: &ArchiveLimits) -> Result<String, ArchiveError> {
    let text = required(entry)?;
    let limit_bytes = limits.readme_shown_max_bytes;
    if text.len() as u64 <= limit_bytes {
        return Ok(text.to_owned());
    }
    let note = format!("\n\n*(Cut here: {} is longer than {limit_bytes} bytes.)*\n", entry.path);
    let room = usize::try_from(limit_bytes)
        .unwrap_or(usize::MAX)
        .saturating_sub(note.len());
    Ok(text[..text.floor_char_boundary(room)].to_owned() + &note)
}

/// Accepts what Helm accepts as `values.yaml`: YAML documents that are mappings or empty.
pub(super) fn check_values(text: &str) -> Result<(), ArchiveError> {
    values_problem(text).map_or(Ok(()), |problem| Err(ArchiveError::ValuesInvalid { problem }))
}

/// What is wrong with values, if anything is. Safe on hostile text: it is weighed before anything is built of it.
fn values_problem(text: &str) -> Option<String> {
    let shapes = match yaml::shapes(text) {
        Ok(shapes) => shapes,
        Err(problem) => return Some(problem),
    };
    shapes.into_iter().find_map(|shape| match shape {
        Shape::Other(found) => Some(format!("it must hold a mapping, found {found}")),
        _ => None,
    })
}
