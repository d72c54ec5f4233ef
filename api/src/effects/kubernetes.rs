//! Kubernetes: what is looked up and made by plain requests. Installing is Helm's.
//!
//! Charthouse's own credential makes namespaces, service accounts and role bindings, and nothing else; whatever belongs to
//! a release is read and written as the project's service account, by impersonation.

mod client;
mod cluster;
mod deployment;
mod health;
mod inventory;
pub mod preparation;
mod records;
mod release_size;
mod removal;
mod scope;
mod site;
#[cfg(test)]
mod tests;

pub use self::{
    client::{Client, KubernetesError},
    cluster::{UnsealError, probe, trouble, unseal},
    health::{Findings, look},
    site::{Site, SiteOf},
};
pub(super) use self::{
    deployment::deploy,
    removal::{remove, still_there},
};

/// The service account a project acts as, in its namespace.
const SERVICE_ACCOUNT: &str = "charthouse";
/// On a namespace: the project it belongs to.
const PROJECT_LABEL: &str = "charthouse/project";
