//! What a forced removal may have left behind, as far as it is known here: the objects that were applied last.

use serde::Deserialize;

/// Kind, namespace and name of every object in a manifest, a line each, in its order.
#[must_use]
pub fn objects_in(manifest: &str) -> Vec<String> {
    serde_yaml::Deserializer::from_str(manifest)
        .filter_map(|document| Object::deserialize(document).ok())
        .map(|object| object.to_string())
        .collect()
}

#[derive(Deserialize)]
struct Object {
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Metadata { name, namespace } = &self.metadata;
        match namespace {
            Some(namespace) => write!(f, "{} {namespace}/{name}", self.kind),
            None => write!(f, "{} {name}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_of_a_manifest_is_named() {
        let manifest = "---\nkind: ConfigMap\nmetadata:\n  name: cache\n  namespace: prod\ndata: {a: 1}\n---\n\
                        # nothing\n---\nkind: Namespace\nmetadata: {name: prod}\n";
        assert_eq!(objects_in(manifest), ["ConfigMap prod/cache", "Namespace prod"]);
    }

    #[test]
    fn what_is_no_object_is_left_out() {
        assert_eq!(objects_in("just text\n---\n- a\n"), Vec::<String>::new());
        assert_eq!(objects_in(""), Vec::<String>::new());
    }
}
