//! The values of a release: as people write them, and as Helm reads them.
//!
//! * [`read`]: text to a mapping, by the rules of YAML 1.1 that Helm has, which differ from those of Rust's YAML crates
//! * [`merged`]: what a chart sees, its own defaults under what was given
//! * [`violations`]: what a chart's schema has against that, all of it
//! * [`check()`]: both, before anything is started
//! * [`preview`]: what an upgrade would change
//!
//! Nothing here starts Helm: `docs/decisions/0021-values-are-read-here-as-helm-reads-them.md` says why.

mod check;
mod merge;
pub mod preview;
mod scalar;
mod schema;
mod yaml;

use serde_json::{Map, Value};

pub use self::{
    check::check,
    merge::{merged, without_nulls},
    schema::{Violation, violations},
    yaml::{read, read_leniently},
};

/// Values: names and what they stand for.
pub type Values = Map<String, Value>;

/// Why a text is no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    #[error("the values are not YAML: {problem}")]
    NotYaml { problem: String },
    #[error("the values must be a YAML mapping, found {found}")]
    NotMapping { found: String },
    #[error("the values have the key {key:?} twice, the second time in line {line}")]
    KeyTwice { key: String, line: usize },
}

impl ValuesError {
    /// Stable over versions; clients branch on it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotYaml { .. } => "VALUES_NOT_YAML",
            Self::NotMapping { .. } => "VALUES_NOT_MAPPING",
            Self::KeyTwice { .. } => "VALUES_KEY_TWICE",
        }
    }
}

/// One more step of a JSON pointer.
fn pointer_to(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}
