//! What a chart sees: its own defaults under what was given, as Helm puts them together.

use serde_json::Value;

use super::Values;

/// Given values over defaults, at every depth. A given `null` takes the default away, and stays where there is none; of a
/// mapping and something else the given one counts.
#[must_use]
pub fn merged(mut given: Values, defaults: &Values) -> Values {
    lay_over(&mut given, defaults);
    given
}

fn lay_over(given: &mut Values, defaults: &Values) {
    for (key, default) in defaults {
        match (given.get_mut(key), default) {
            (None, default) => {
                given.insert(key.clone(), default.clone());
            }
            (Some(Value::Null), _) => {
                given.remove(key);
            }
            (Some(Value::Object(own)), Value::Object(default)) => lay_over(own, default),
            (Some(_), _) => {}
        }
    }
}

/// Defaults as Helm 4 has them: what is `null` there is not there at all. To Helm 3 it is there.
#[must_use]
pub fn without_nulls(mut defaults: Values) -> Values {
    defaults.retain(|_, value| !value.is_null());
    for value in defaults.values_mut() {
        if let Value::Object(inner) = value {
            *inner = without_nulls(std::mem::take(inner));
        }
    }
    defaults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Values {
        serde_json::from_value(value).unwrap()
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
            json!({ "b": { "d": 3, "x": null }, "z": null })
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

    #[test]
    fn to_helm_4_a_default_that_is_null_is_none() {
        let defaults = object(json!({ "a": null, "b": { "c": null, "d": 1 }, "e": {} }));
        assert_eq!(
            Value::Object(without_nulls(defaults)),
            json!({ "b": { "d": 1 }, "e": {} })
        );
    }
}
