//! The only place that starts a process or speaks to a cluster.
//!
//! Effects start only from recorded events, may be repeated without harm, and report back as commands.

mod directory;
mod helm;
mod operation;
mod worker;

pub use self::{helm::Helm, worker::Worker};
