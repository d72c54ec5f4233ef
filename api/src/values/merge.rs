//! What a chart sees: its own defaults under what was given, as Helm puts them together.

use serde_json::Value;

use super::Values;

/// Given values over defaults. A given `null` takes the default away; of a mapping and something else the given one counts.
#[must_use]
pub fn merged(mut given: Values, defaults: &Values) -> Values {
    for (key, default) in defaults {
        match given.get_mut(key) {
            None => {
                given.insert(key.clone(), default.clone());
            }
            Some(Value::Null) => {
                given.remove(key);
            }
            Some(Value::Object(own)) => {
                if let Value::Object(default) = default {
                    fill(own, default);
                }
            }
            Some(_) => {}
        }
    }
    given
}

/// The same inside a mapping, where Helm drops every `null`, also one that has no default.
fn fill(given: &mut Values, defaults: &Values) {
    let given_nothing: Vec<_> = given
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(key, _)| key.clone())
        .collect();
    for (key, default) in defaults {
        match given.get_mut(key) {
            None => {
                given.insert(key.clone(), default.clone());
            }
            Some(Value::Object(own)) => {
                if let Value::Object(default) = default {
                    fill(own, default);
                }
            }
            Some(_) => {}
        }
    }
    for key in given_nothing {
        given.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Values {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn given_values_lie_over_the_defaults() {
        let defaults = object(json!({ "a": 1, "b": { "c": 2, "d": [1, 2] }, "e": { "f": 3 } }));
        let given = object(json!({ "a": 9, "b": { "d": [3] }, "g": true }));
        let expected = json!({ "a": 9, "b": { "c": 2, "d": [3] }, "e": { "f": 3 }, "g": true });
        assert_eq!(Value::Object(merged(given, &defaults)), expected);
    }

    #[test]
    fn a_given_null_takes_the_default_away() {
        let defaults = object(json!({ "a": 1, "b": { "c": 2, "d": 3 } }));
        let given = object(json!({ "a": null, "b": { "c": null, "x": null }, "z": null }));
        assert_eq!(
            Value::Object(merged(given, &defaults)),
            json!({ "b": { "d": 3 }, "z": null })
        );
    }

    #[test]
    fn of_a_mapping_and_something_else_the_given_one_counts() {
        let defaults = object(json!({ "a": { "b": 1 }, "c": 2 }));
        let given = object(json!({ "a": 5, "c": { "d": 6 } }));
        assert_eq!(
            Value::Object(merged(given, &defaults)),
            json!({ "a": 5, "c": { "d": 6 } })
        );
    }
}
