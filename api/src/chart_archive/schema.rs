//! `values.schema.json`, before Helm may see it.
//!
//! Helm follows `http:` and `file:` addresses it meets in a schema, so whoever renders an uploaded
//! chart would fetch what its author chose: from the internal network, or from the disk.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::ArchiveError;

pub(super) const FILE_NAME: &str = "values.schema.json";

/// The dialects that Helm knows without fetching them, less scheme and empty fragment.
const DIALECTS: [&str; 6] = [
    "json-schema.org/schema",
    "json-schema.org/draft-04/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft/2020-12/schema",
];

/// Accepts a JSON object that is a valid JSON Schema and stands alone.
pub(super) fn check(file: &str, text: &str) -> Result<(), ArchiveError> {
    let invalid = |problem| ArchiveError::ValuesSchemaInvalid {
        file: file.to_owned(),
        problem,
    };
    let schema: Value = serde_json::from_str(text).map_err(|error| invalid(format!("it is not JSON: {error}")))?;
    let Some(root) = schema.as_object() else {
        return Err(invalid("it must hold a JSON object".to_owned()));
    };
    let documents = own_addresses(root);
    if let Some((pointer, reference)) = outside_reference(&schema, &documents, "") {
        return Err(ArchiveError::ValuesSchemaRemoteRef {
            file: file.to_owned(),
            pointer,
            reference,
        });
    }
    jsonschema::validator_for(&schema).map_err(|error| {
        invalid(format!(
            "it is not a valid JSON Schema: {error} (at {:?})",
            error.instance_path().as_str()
        ))
    })?;
    Ok(())
}

/// The absolute addresses that stand for a part of this document.
///
/// Only where every validator looks for them. An `$id` among examples, or under a keyword that the
/// dialect does not know, is no address: Helm was seen to fetch a reference to it.
fn own_addresses(root: &Map<String, Value>) -> BTreeSet<&str> {
    let dialect = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let keywords: &[&str] = match dialect {
        // There the keyword is `id`.
        old if old.contains("draft-04") => return BTreeSet::new(),
        old if old.contains("draft-06") || old.contains("draft-07") => &["definitions"],
        _ => &["definitions", "$defs"],
    };
    let definitions = keywords.iter().filter_map(|keyword| root.get(*keyword)?.as_object());
    let schemas = definitions.flat_map(Map::values).filter_map(Value::as_object);
    // One with a dialect of its own may mean something else by `$id`.
    let schemas = schemas.filter(|schema| !schema.contains_key("$schema")).chain([root]);
    schemas
        // Beside a `$ref`, older dialects ignore everything else.
        .filter(|schema| !schema.contains_key("$ref"))
        .filter_map(|schema| schema.get("$id")?.as_str())
        .filter(|address| !address.contains('#') && (address.contains("://") || address.starts_with("urn:")))
        .collect()
}

/// Where the first reference to another document is, and what it says.
fn outside_reference(schema: &Value, documents: &BTreeSet<&str>, pointer: &str) -> Option<(String, String)> {
    match schema {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let is_outside = match (key.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                    !reference.starts_with('#') && !documents.contains(without_fragment(reference))
                }
                ("$schema", Value::String(dialect)) => !is_known_dialect(dialect),
                _ => return outside_reference(value, documents, &pointer),
            };
            is_outside.then(|| (pointer, value.as_str().unwrap_or_default().to_owned()))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| outside_reference(item, documents, &format!("{pointer}/{index}"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_known_dialect(dialect: &str) -> bool {
    let address = dialect.strip_suffix('#').unwrap_or(dialect);
    let address = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"));
    address.is_some_and(|address| DIALECTS.contains(&address))
}

fn without_fragment(address: &str) -> &str {
    address.split_once('#').map_or(address, |(document, _)| document)
}
