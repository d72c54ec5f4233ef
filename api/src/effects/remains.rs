//! What a removal that was forced left behind.

use std::collections::BTreeSet;

use super::{
    kubernetes,
    manifest::{Object, objects},
    operation::{Place, Task, place},
};
use crate::commands::{CommandError, last_applied};

/// An object that is still on the cluster, or of which it is not known whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Unknown,
}

/// The line that tells of an object. The API's description of `leftBehind` explains it.
pub(super) fn line(object: &Object, presence: Presence) -> String {
    match presence {
        Presence::There => object.to_string(),
        Presence::Unknown => format!("{object} (perhaps)"),
    }
}

/// What is left of a release whose removal failed and counts as done: what was applied last and the cluster still has, or
/// does not tell of.
///
/// # Errors
///
/// [`CommandError`] if it cannot be read what was applied last.
pub(super) async fn remains(task: &Task<'_>) -> Result<Vec<String>, CommandError> {
    let services = task.services;
    let applied = last_applied(&services.views, &services.vault, task.id).await?;
    let applied = applied_objects(&[applied.as_deref().unwrap_or_default()]);
    Ok(match place(task).await {
        Ok(Place::Kubernetes(site)) => kubernetes::still_there(&site, &applied, services.limits.look_max()).await,
        Ok(Place::Directory { .. }) | Err(_) => unseen(&applied),
    })
}

/// The objects of several manifests, each once. A manifest that cannot be read was never applied.
pub(super) fn applied_objects(manifests: &[&str]) -> Vec<Object> {
    let all = manifests
        .iter()
        .flat_map(|manifest| objects(manifest).unwrap_or_default());
    let mut named = BTreeSet::new();
    all.filter(|object| named.insert((object.api_version.clone(), object.to_string())))
        .collect()
}

/// All of them, for a cluster that cannot be asked.
pub(super) fn unseen(objects: &[Object]) -> Vec<String> {
    let lines = objects.iter().map(|object| line(object, Presence::Unknown));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_two_manifests_is_named_once_and_what_was_not_seen_is_marked() {
        let of = |kind: &str, name: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n");
        let before = [of("Secret", "a"), of("Service", "b")].join("---\n");
        let after = [of("Service", "b"), of("ConfigMap", "c")].join("---\n");
        let applied = applied_objects(&[&before, &after, "no: object\n"]);
        let named: Vec<_> = applied.iter().map(|it| line(it, Presence::There)).collect();
        assert_eq!(named, ["Secret a", "Service b", "ConfigMap c"]);
        assert_eq!(
            unseen(&applied),
            ["Secret a (perhaps)", "Service b (perhaps)", "ConfigMap c (perhaps)"]
        );
    }
}
