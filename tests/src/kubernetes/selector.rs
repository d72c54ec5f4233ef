//! Selectors: which objects of a list are asked for.

use serde_json::Value;

use super::status::Status;

/// What an object has to be like to be listed.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

/// One requirement on the value of a label or a field.
#[derive(Debug, Clone)]
struct Requirement {
    key: String,
    must: Must,
}

#[derive(Debug, Clone)]
enum Must {
    Exist,
    NotExist,
    BeIn(Vec<String>),
    NotBeIn(Vec<String>),
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector` of a query.
    ///
    /// # Errors
    ///
    /// 400 if one of them is malformed.
    pub(super) fn of(labels: Option<&str>, fields: Option<&str>) -> Result<Self, Status> {
        let parsed = |text: Option<&str>| -> Result<Vec<_>, Status> {
            let parts = split(text.unwrap_or_default());
            parts.into_iter().map(requirement).collect()
        };
        Ok(Self {
            labels: parsed(labels)?,
            fields: parsed(fields)?,
        })
    }

    pub(super) fn selects(&self, object: &Value) -> bool {
        let label = |key: &str| object["metadata"]["labels"][key].as_str();
        let field = |key: &str| Some(field(object, key));
        self.labels
            .iter()
            .all(|requirement| requirement.is_met(label(&requirement.key)))
            && self
                .fields
                .iter()
                .all(|requirement| requirement.is_met(field(&requirement.key)))
    }
}

/// The value at a path with dots. An absent field is an empty one.
fn field<'a>(object: &'a Value, path: &str) -> &'a str {
    let at = path.split('.').fold(object, |at, part| &at[part]);
    at.as_str().unwrap_or_default()
}

impl Requirement {
    fn is_met(&self, value: Option<&str>) -> bool {
        let is_in = |values: &[String]| value.is_some_and(|value| values.iter().any(|known| known == value));
        match &self.must {
            Must::Exist => value.is_some(),
            Must::NotExist => value.is_none(),
            Must::BeIn(values) => is_in(values),
            Must::NotBeIn(values) => !is_in(values),
        }
    }
}

/// The parts between commas that are not in parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let is_between = |letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    let parts = text.split(is_between).map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

fn requirement(text: &str) -> Result<Requirement, Status> {
    let with = |key: &str, must| Requirement {
        key: key.trim().to_owned(),
        must,
    };
    if let Some((key, values)) = text.split_once(" notin ") {
        return Ok(with(key, Must::NotBeIn(listed(values)?)));
    }
    if let Some((key, values)) = text.split_once(" in ") {
        return Ok(with(key, Must::BeIn(listed(values)?)));
    }
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(with(key, Must::NotBeIn(one(value))));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(with(key, Must::BeIn(one(value))));
    }
    Ok(match text.strip_prefix('!') {
        Some(key) => with(key, Must::NotExist),
        None => with(text, Must::Exist),
    })
}

fn listed(values: &str) -> Result<Vec<String>, Status> {
    let inside = values.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let inside = inside.ok_or_else(|| Status::bad_request(format!("unable to parse requirement: {values}")))?;
    Ok(inside.split(',').map(|value| value.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(labels: &str) -> bool {
        let object = json!({ "metadata": { "labels": { "owner": "helm", "name": "cache" } } });
        Selector::of(Some(labels), None).unwrap().selects(&object)
    }

    #[test]
    fn labels_are_compared_listed_and_looked_for() {
        for selector in [
            "",
            "owner=helm,name==cache",
            "name in (db, cache),owner",
            "status!=deployed",
            "status notin (failed),!status",
        ] {
            assert!(selects(selector), "{selector}");
        }
        for selector in [
            "owner=helm,name=db",
            "status",
            "name notin (cache)",
            "!owner",
            "status in (a)",
        ] {
            assert!(!selects(selector), "{selector}");
        }
    }

    #[test]
    fn fields_are_found_by_their_path() {
        let object = json!({ "metadata": { "name": "hook" } });
        let selector = |text| Selector::of(None, Some(text)).unwrap();
        assert!(selector("metadata.name=hook").selects(&object));
        assert!(!selector("metadata.name=other").selects(&object));
        assert!(selector("status.phase!=Running").selects(&object));
    }
}
