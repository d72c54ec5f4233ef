//! The specification of a release.

mod allowed;
mod attempts;
mod cancellation;
mod failures;
mod fixtures;
mod lifecycle;
mod permissions;
mod properties;
mod rollback;
