//! The specification of a release.

mod attempts;
mod failures;
mod fixtures;
mod lifecycle;
