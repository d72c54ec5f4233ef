//! The only place that starts a process or speaks to a cluster.
//!
//! Effects start only from recorded events, may be repeated without harm, and report back as commands.

mod directory;
pub mod erasure;
mod following;
mod helm;
mod identity;
pub mod kubernetes;
mod manifest;
mod operation;
mod preparation;
mod preview;
mod remains;
pub mod sweep;
pub mod view_files;
mod worker;

pub use self::{
    helm::Helm,
    identity::Identity,
    preparation::Preparations,
    preview::{PreviewError, Previews, Rendering},
    worker::Worker,
};
