//! What an upgrade does to values: the old defaults, the new ones, and what somebody set, place by place.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Values, pointer_to};

/// A place where the two charts have different defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where, as a JSON pointer.
    pub pointer: String,
    pub old_default: Option<Value>,
    pub new_default: Option<Value>,
    /// What was set there, or further up where it covers the place.
    pub given: Option<Value>,
}

impl Change {
    /// Whether somebody's own value hides the new default: what they set was set against another one.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.given.is_some() && self.given != self.new_default
    }
}

/// Every place where the defaults differ, in the order of their pointers.
#[must_use]
pub fn changes(old: &Values, new: &Values, given: &Values) -> Vec<Change> {
    let mut places = BTreeSet::new();
    for defaults in [old, new] {
        leaves(defaults, &mut vec![], &mut places);
    }
    let change = |place: Vec<String>| {
        let (old_default, new_default) = (leaf(old, &place), leaf(new, &place));
        (old_default != new_default).then(|| Change {
            pointer: place.iter().fold(String::new(), |parent, key| pointer_to(&parent, key)),
            old_default: old_default.cloned(),
            new_default: new_default.cloned(),
            given: covering(given, &place).cloned(),
        })
    };
    places.into_iter().filter_map(change).collect()
}

/// The paths to everything that is not a mapping with something in it.
fn leaves(values: &Values, path: &mut Vec<String>, places: &mut BTreeSet<Vec<String>>) {
    for (key, value) in values {
        path.push(key.clone());
        match value {
            Value::Object(inner) if !inner.is_empty() => leaves(inner, path, places),
            _ => {
                places.insert(path.clone());
            }
        }
        path.pop();
    }
}

/// What is exactly there, if it is a leaf.
fn leaf<'a>(values: &'a Values, place: &[String]) -> Option<&'a Value> {
    let (last, parents) = place.split_last()?;
    let mut inside = values;
    for key in parents {
        inside = inside.get(key)?.as_object()?;
    }
    inside
        .get(last)
        .filter(|value| value.as_object().is_none_or(Values::is_empty))
}

/// What is set there, or what is set further up instead of a mapping.
fn covering<'a>(values: &'a Values, place: &[String]) -> Option<&'a Value> {
    let (last, parents) = place.split_last()?;
    let mut inside = values;
    for key in parents {
        match inside.get(key)? {
            Value::Object(deeper) => inside = deeper,
            other => return Some(other),
        }
    }
    inside.get(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Values {
        serde_json::from_value(value).unwrap()
    }

    fn preview(old: Value, new: Value, given: Value) -> Vec<(String, bool)> {
        let changes = changes(&object(old), &object(new), &object(given));
        let told = changes
            .iter()
            .map(|change| (change.pointer.clone(), change.is_conflict()));
        told.collect()
    }

    #[test]
    fn only_places_whose_defaults_differ_are_told() {
        let told = preview(
            json!({ "a": 1, "same": true, "gone": 2 }),
            json!({ "a": 2, "same": true, "new": { "b": 3 } }),
            json!({ "same": false }),
        );
        let expected = ["/a", "/gone", "/new/b"].map(|pointer| (pointer.to_owned(), false));
        assert_eq!(told, expected);
    }

    #[test]
    fn an_own_value_over_a_changed_default_is_a_conflict_unless_it_is_the_new_default() {
        let told = preview(
            json!({ "a": 1, "b": 1 }),
            json!({ "a": 2, "b": 2 }),
            json!({ "a": 9, "b": 2 }),
        );
        assert_eq!(told, [("/a".to_owned(), true), ("/b".to_owned(), false)]);
    }

    #[test]
    fn a_value_for_what_the_chart_does_not_know_any_more_is_a_conflict() {
        let told = preview(json!({ "old": { "x": 1 } }), json!({}), json!({ "old": { "x": 5 } }));
        assert_eq!(told, [("/old/x".to_owned(), true)]);
    }

    #[test]
    fn a_value_that_became_a_mapping_is_a_conflict_wherever_the_old_one_covers_it() {
        let told = preview(
            json!({ "port": 1 }),
            json!({ "port": { "http": 2 } }),
            json!({ "port": 80 }),
        );
        assert_eq!(told, [("/port".to_owned(), true), ("/port/http".to_owned(), true)]);
    }

    #[test]
    fn keys_are_escaped_in_pointers() {
        let told = preview(json!({ "a/b": { "c~d": 1 } }), json!({}), json!({}));
        assert_eq!(told[0].0, "/a~1b/c~0d");
    }
}
