//! The only place that starts a process or speaks to a cluster.
//!
//! Effects start only from recorded events, may be repeated without harm, and report back as commands.

mod directory;
pub mod erasure;
mod helm;
mod operation;
pub mod sweep;
mod worker;

pub use self::{helm::Helm, worker::Worker};
