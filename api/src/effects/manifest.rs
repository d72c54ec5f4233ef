//! The objects of a manifest, as Helm renders it.

use std::fmt;

use serde_yaml::Value;

use crate::chart_archive::yaml;

/// How deep lists may lie in lists.
const LISTS_MAX: usize = 4;

/// One object, as a chart renders it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    /// Empty if the cluster is to choose one.
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) fields: Value,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("document {number} of the manifest cannot be read: {problem}")]
pub struct Unreadable {
    number: usize,
    problem: String,
}

/// The objects of a manifest as Helm writes it, those in lists one by one.
pub(super) fn objects(manifest: &str) -> Result<Vec<Object>, Unreadable> {
    let mut objects = vec![];
    for (index, document) in documents(manifest).enumerate() {
        let unreadable = |problem| Unreadable {
            number: index + 1,
            problem,
        };
        let shapes = yaml::shapes(document).map_err(unreadable)?;
        if shapes.iter().all(|shape| *shape == yaml::Shape::Nothing) {
            continue;
        }
        let mut fields: Value = yaml::first_document(document).map_err(unreadable)?;
        fields.apply_merge().map_err(|error| unreadable(error.to_string()))?;
        add(&mut objects, fields, LISTS_MAX).map_err(unreadable)?;
    }
    Ok(objects)
}

/// Helm separates the documents it writes by lines that start so, and lets no document hold one.
fn documents(manifest: &str) -> impl Iterator<Item = &str> {
    let manifest = manifest.strip_prefix("---").unwrap_or(manifest);
    manifest.split("\n---")
}

fn add(objects: &mut Vec<Object>, mut fields: Value, lists_max: usize) -> Result<(), String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let kind = text(&fields["kind"]).ok_or("it has no kind")?;
    if kind.ends_with("List")
        && let Some(Value::Sequence(items)) = fields.get_mut("items").map(std::mem::take)
    {
        let deeper = lists_max.checked_sub(1).ok_or("lists lie too deep in lists")?;
        return items.into_iter().try_for_each(|item| add(objects, item, deeper));
    }
    let api_version = text(&fields["apiVersion"]).ok_or("it has no apiVersion")?;
    let metadata = &fields["metadata"];
    let name = text(&metadata["name"]).unwrap_or_default();
    let namespace = text(&metadata["namespace"]).filter(|namespace| !namespace.is_empty());
    let parts = api_version.splitn(2, '/').chain([name.as_str()]);
    if !parts.chain(namespace.as_deref()).all(is_plain) {
        return Err("it has a name that no object can have".to_owned());
    }
    objects.push(Object {
        api_version,
        kind,
        name,
        namespace,
        fields,
    });
    Ok(())
}

/// Whether a text can stand in a path, as one part of it.
fn is_plain(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    text.bytes().all(is_allowed) && text != "." && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(manifest: &str) -> Vec<String> {
        let objects = objects(manifest).unwrap();
        objects.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_document_is_an_object_and_lists_hold_several() {
        let manifest = "---\n# Source: a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n\
            ---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n\
            - {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: other}}\n\
            - {apiVersion: v1, kind: SecretList, items: [{apiVersion: v1, kind: Secret, metadata: {name: c}}]}\n";
        assert_eq!(shown(manifest), ["ConfigMap a", "Secret other/b", "Secret c"]);
    }

    #[test]
    fn a_namespace_that_comes_by_a_merge_is_seen() {
        let manifest = "apiVersion: v1\nkind: Secret\nspec: &it\n  namespace: other\nmetadata:\n  <<: *it\n  name: b\n";
        assert_eq!(shown(manifest), ["Secret other/b"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_number() {
        for (manifest, problem) in [
            ("---\na: [\n", "document 1 of the manifest cannot be read"),
            ("kind: A\n", "it has no apiVersion"),
            ("apiVersion: v1\n", "it has no kind"),
            (
                "apiVersion: v1\nkind: A\nmetadata: {name: ../secrets}\n",
                "a name that no object can have",
            ),
        ] {
            let error = objects(manifest).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
