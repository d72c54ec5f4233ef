//! What a chart's `values.schema.json` has against values. Such a schema stands alone: its archive was refused otherwise.

use serde_json::Value;

/// How many violations are told at once; more are counted.
const VIOLATIONS_MAX: usize = 1_000;

/// One thing that values must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the values, as a JSON pointer.
    pub pointer: String,
    /// The rule that is broken there. It does not repeat the value, which may be secret.
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the chart's schema cannot be used")]
pub struct InvalidSchema(#[source] Box<dyn std::error::Error + Send + Sync>);

/// All that `schema` has against `values`, but for what lies below one of the keys in `left_alone`.
///
/// # Errors
///
/// [`InvalidSchema`] if the text is no JSON Schema.
pub fn violations(schema: &str, values: &Value, left_alone: &[String]) -> Result<Vec<Violation>, InvalidSchema> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| InvalidSchema(error.into()))?;
    let validator = jsonschema::options().offline().build(&schema);
    let validator = validator.map_err(|error| InvalidSchema(error.to_string().into()))?;
    let is_left_alone = |pointer: &str| {
        let first = pointer
            .split('/')
            .nth(1)
            .map(|key| key.replace("~1", "/").replace("~0", "~"));
        first.is_some_and(|first| left_alone.contains(&first))
    };
    let found = validator.iter_errors(values).map(|error| Violation {
        pointer: error.instance_path().as_str().to_owned(),
        message: error.masked_with("this value").to_string(),
    });
    let mut all: Vec<_> = found.filter(|violation| !is_left_alone(&violation.pointer)).collect();
    if all.len() > VIOLATIONS_MAX {
        let more = all.len() - VIOLATIONS_MAX;
        all.truncate(VIOLATIONS_MAX);
        all.push(Violation {
            pointer: String::new(),
            message: format!("and {more} more"),
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: &Value, values: &Value) -> Vec<(String, String)> {
        let all = violations(&schema.to_string(), values, &["redis".to_owned()]).unwrap();
        all.into_iter()
            .map(|violation| (violation.pointer, violation.message))
            .collect()
    }

    #[test]
    fn all_violations_are_listed_with_their_places_and_without_the_values() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "required": ["host"],
            "properties": {
                "replicas": { "type": "integer", "minimum": 1 },
                "auth": { "properties": { "pass~word/": { "type": "string", "minLength": 8 } } },
            },
        });
        let values = json!({ "replicas": 0, "auth": { "pass~word/": "hunter2" } });
        let all = found(&schema, &values);
        let pointers: Vec<_> = all.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers.len(), 3, "{all:?}");
        for pointer in ["", "/replicas", "/auth/pass~0word~1"] {
            assert!(pointers.contains(&pointer), "{pointer} is not in {all:?}");
        }
        assert!(all.iter().all(|(_, message)| !message.contains("hunter2")), "{all:?}");
    }

    #[test]
    fn what_is_a_subcharts_is_left_alone() {
        let schema = json!({ "properties": { "redis": { "required": ["port"] }, "own": { "type": "string" } } });
        let all = found(&schema, &json!({ "redis": {}, "own": 5 }));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, "/own");
    }

    #[test]
    fn more_violations_than_anybody_reads_are_counted() {
        let schema = json!({ "items": { "type": "string" } });
        let values: Vec<_> = (0..VIOLATIONS_MAX + 7).collect();
        let all = violations(&schema.to_string(), &json!(values), &[]).unwrap();
        assert_eq!(all.len(), VIOLATIONS_MAX + 1);
        assert_eq!(all[VIOLATIONS_MAX].message, "and 7 more");
    }

    #[test]
    fn nothing_is_fetched() {
        let schema = json!({ "$ref": "http://127.0.0.1:9/schema.json" });
        assert!(violations(&schema.to_string(), &json!({}), &[]).is_err());
    }
}
