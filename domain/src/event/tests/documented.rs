//! `docs/events.md` has one row for each event, and in it every field in the column of its class.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::names::golden_files;

/// What may be known of a field, as the columns of the table order it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Fact,
    PublishedContent,
    Sealed,
}

type Fields = BTreeMap<String, Class>;

#[test]
fn every_event_has_a_row_and_every_row_an_event() {
    let events: BTreeSet<_> = golden_files().into_iter().map(|golden| golden.event).collect();
    let rows: BTreeSet<_> = documented().into_keys().collect();
    assert_eq!(rows, events);
}

#[test]
fn every_field_has_a_class_and_no_class_a_field_that_is_not_there() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for golden in golden_files() {
        let fields = fields(&golden.data).into_keys();
        found.entry(golden.event).or_default().extend(fields);
    }
    for (event, classified) in documented() {
        assert_eq!(
            classified.into_keys().collect::<BTreeSet<_>>(),
            found[&event],
            "{event}"
        );
    }
}

#[test]
fn what_is_documented_as_sealed_is_sealed_and_nothing_else_is() {
    for (what, class, value) in classified_values() {
        assert_eq!(class == Class::Sealed, is_sealed(&value), "{what}");
    }
}

#[test]
fn published_content_is_in_the_log_by_its_digest_only() {
    for (what, class, value) in classified_values() {
        if class == Class::PublishedContent {
            let digest = value.as_str().is_some_and(|text| text.starts_with("sha256:"));
            assert!(digest, "{what} is {value}");
        }
    }
}

/// What every golden file says, with the class that the document gives it.
fn classified_values() -> Vec<(String, Class, Value)> {
    let documented = documented();
    let mut values = Vec::new();
    for golden in golden_files() {
        for (field, value) in fields(&golden.data) {
            let what = format!("{field} of {}", golden.event);
            values.push((what, documented[&golden.event][&field], value));
        }
    }
    values
}

/// The fields of an event: what is inside another object is written `outer.inner`; what is sealed is one field.
fn fields(data: &Value) -> BTreeMap<String, Value> {
    let facts = data.as_object().unwrap().iter();
    facts
        .flat_map(|(name, value)| match value {
            Value::Object(_) if !is_sealed(value) => fields(value)
                .into_iter()
                .map(|(inner, value)| (format!("{name}.{inner}"), value))
                .collect(),
            _ => vec![(name.clone(), value.clone())],
        })
        .collect()
}

fn is_sealed(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.len() == 2 && object.contains_key("subject") && object.contains_key("digest"))
}

/// The rows of the tables: event, meaning, cause, facts, published content, sealed.
fn documented() -> BTreeMap<String, Fields> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let [event, _, _, facts, published_content, sealed] = cells[..] else {
            panic!("a row has six cells, this one has {}: {row}", cells.len());
        };
        let classes = [
            (facts, Class::Fact),
            (published_content, Class::PublishedContent),
            (sealed, Class::Sealed),
        ];
        let fields = classes.into_iter().flat_map(|(cell, class)| {
            let names = in_backticks(cell);
            names.into_iter().map(move |name| (name, class))
        });
        (in_backticks(event).concat(), fields.collect())
    })
    .collect()
}

fn in_backticks(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
