//! What a chart may reach: its project's namespace, and nothing beyond it.
//!
//! The rights of the project's service account hold whatever a chart renders. This check is for people: it refuses before
//! anything is applied, and lists what stands in the way.

use super::{Client, KubernetesError, inventory::Kinds};
use crate::effects::manifest::{Object, Unreadable, objects};

/// How many objects a refusal names.
const NAMED_MAX: usize = 50;

/// Why a manifest may not be applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutOfScope {
    #[error("the chart reaches beyond the namespace {namespace}: {}", named(objects))]
    Objects { namespace: String, objects: Vec<String> },
    #[error("it cannot be seen what the chart reaches")]
    Unreadable(#[from] Unreadable),
    #[error("the cluster did not say what its kinds are")]
    Kubernetes(#[from] KubernetesError),
}

/// # Errors
///
/// [`OutOfScope::Objects`] with everything that belongs to the whole cluster or to another namespace.
pub(super) async fn check(client: &Client, manifest: &str, namespace: &str) -> Result<(), OutOfScope> {
    let rendered = objects(manifest)?;
    let kinds = Kinds::of(client, &rendered).await?;
    let is_beyond = |object: &&Object| {
        let is_namespaced = kinds.kind(object).is_none_or(|kind| kind.namespaced);
        !is_namespaced || object.namespace.as_deref().is_some_and(|other| other != namespace)
    };
    let beyond: Vec<_> = rendered.iter().filter(is_beyond).map(ToString::to_string).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    Err(OutOfScope::Objects {
        namespace: namespace.to_owned(),
        objects: beyond,
    })
}

fn named(objects: &[String]) -> String {
    let shown = objects.iter().take(NAMED_MAX).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match objects.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
