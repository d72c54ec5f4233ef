//! The specification of an app, one file per subject; `version_life` is all of it as one table.

mod allowed;
mod claims;
mod deletion;
mod fixtures;
mod listing_review;
mod packages;
mod properties;
mod publishing;
mod review;
mod separation_of_duties;
mod stages;
mod status;
mod submission;
mod suspension;
pub(super) mod version_life;
