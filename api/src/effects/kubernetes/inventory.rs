//! The kinds that a cluster knows, and where the API keeps an object.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{Client, KubernetesError};
use crate::effects::manifest::Object;

/// What a cluster knows of the kinds in a manifest.
pub(super) struct Kinds(HashMap<(String, String), Kind>);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Kind {
    name: String,
    kind: String,
    pub(super) namespaced: bool,
}

#[derive(Deserialize)]
struct Resources {
    resources: Vec<Kind>,
}

impl Kinds {
    /// Asks the cluster about every API version that `objects` name. What it does not know is left out.
    pub(super) async fn of(client: &Client, objects: &[Object]) -> Result<Self, KubernetesError> {
        let versions: BTreeSet<_> = objects.iter().map(|object| object.api_version.as_str()).collect();
        let mut kinds = HashMap::new();
        for version in versions {
            let path = root(version);
            let Some(Resources { resources }) = client.get(&path).await? else {
                continue;
            };
            // `pods/log` is a part of a pod and no kind.
            for kind in resources.into_iter().filter(|kind| !kind.name.contains('/')) {
                kinds.insert((version.to_owned(), kind.kind.clone()), kind);
            }
        }
        Ok(Self(kinds))
    }

    pub(super) fn kind(&self, object: &Object) -> Option<&Kind> {
        self.0.get(&(object.api_version.clone(), object.kind.clone()))
    }

    /// Where an object of a release in `namespace` is; `None` if the cluster does not know its kind, or chose its name.
    pub(super) fn path(&self, object: &Object, namespace: &str) -> Option<String> {
        let kind = self.kind(object)?;
        let (root, plural, name) = (root(&object.api_version), &kind.name, &object.name);
        let namespace = object.namespace.as_deref().unwrap_or(namespace);
        match (name.is_empty(), kind.namespaced) {
            (true, _) => None,
            (false, true) => Some(format!("{root}/namespaces/{namespace}/{plural}/{name}")),
            (false, false) => Some(format!("{root}/{plural}/{name}")),
        }
    }
}

fn root(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}
