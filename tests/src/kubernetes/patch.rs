//! How an object is changed by a PATCH, in the three ways that Helm uses.
//!
//! Lists are merged by their keys where Kubernetes does so for the built-in kinds; which lists these are is told by the
//! name of the field alone, not by a schema.

use serde_json::{Map, Value};

/// By which fields the items of a list are told apart; lists of other names are replaced as a whole.
const LIST_KEYS: [(&str, &[&str]); 17] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("volumes", &["name"]),
    ("env", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("secrets", &["name"]),
    ("resourceClaims", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "port"]),
    ("hostAliases", &["ip"]),
    ("conditions", &["type"]),
    ("ownerReferences", &["uid"]),
    ("topologySpreadConstraints", &["topologyKey"]),
    ("addresses", &["type"]),
    ("schedulingGates", &["name"]),
];

/// RFC 7386: null removes, objects are merged, everything else replaces.
pub(super) fn json_merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    let fields = as_object(target);
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            json_merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// As [`json_merge`], with lists merged by key, and the directives `$patch`, `$retainKeys` and
/// `$deleteFromPrimitiveList`. The order that `$setElementOrder` asks for is not kept: items stay where they are.
pub(super) fn strategic_merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if changes.get("$patch").is_some_and(|directive| directive == "replace") {
        *target = Value::Object(without_directives(changes));
        return;
    }
    let fields = as_object(target);
    if let Some(Value::Array(kept)) = changes.get("$retainKeys") {
        fields.retain(|name, _| kept.iter().any(|kept| kept == name));
    }
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(Value::Array(list)) = fields.get_mut(list) {
                remove_primitives(list, change);
            }
        } else if name.starts_with('$') {
            continue;
        } else if change.is_null() || change.get("$patch").is_some_and(|directive| directive == "delete") {
            fields.remove(name);
        } else if let (Some(key), Value::Array(items)) = (list_key(name, change), change) {
            merge_list(as_list(fields.entry(name).or_insert(Value::Null)), items, key);
        } else {
            strategic_merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// Server-side apply by one manager: what it wants is merged in, and what it wanted the last time and no longer wants is
/// removed. Whether another manager wants it is not asked, so there are no conflicts.
pub(super) fn apply(target: &mut Value, before: &Value, wanted: &Value) {
    remove_unwanted(target, before, wanted, "");
    strategic_merge(target, wanted);
}

fn remove_unwanted(target: &mut Value, before: &Value, wanted: &Value, field: &str) {
    match (target, before) {
        (Value::Object(target), Value::Object(before)) => {
            for (name, before) in before {
                match (target.get_mut(name), wanted.get(name)) {
                    (Some(target), Some(wanted)) => remove_unwanted(target, before, wanted, name),
                    (Some(_), None) => drop(target.remove(name)),
                    (None, _) => {}
                }
            }
        }
        (Value::Array(target), Value::Array(before)) => {
            let Some(key) = list_key(field, wanted) else { return };
            let same = |item: &Value, list: &Value| {
                let mut items = list.as_array().into_iter().flatten();
                items.find(|other| other[key] == item[key]).cloned()
            };
            let before = Value::Array(before.clone());
            target.retain(|item| same(item, &before).is_none() || same(item, wanted).is_some());
            for item in target {
                if let (Some(before), Some(wanted)) = (same(item, &before), same(item, wanted)) {
                    remove_unwanted(item, &before, &wanted, "");
                }
            }
        }
        _ => {}
    }
}

fn merge_list(target: &mut Vec<Value>, items: &[Value], key: &str) {
    for item in items {
        let known = target.iter().position(|known| known[key] == item[key]);
        let is_deletion = item["$patch"] == "delete";
        match known {
            Some(at) if is_deletion => drop(target.remove(at)),
            Some(at) => strategic_merge(&mut target[at], item),
            None if !is_deletion => target.push(item.clone()),
            None => {}
        }
    }
}

/// The key of a list of this name, if all its items have it.
fn list_key(field: &str, list: &Value) -> Option<&'static str> {
    let items = list.as_array()?;
    let (_, keys) = LIST_KEYS.iter().find(|(name, _)| *name == field)?;
    let has_key = |key: &&&str| items.iter().all(|item| item.get(**key).is_some());
    keys.iter().find(has_key).copied()
}

fn remove_primitives(list: &mut Vec<Value>, removed: &Value) {
    let removed = removed.as_array().map(Vec::as_slice).unwrap_or_default();
    list.retain(|item| !removed.contains(item));
}

fn without_directives(fields: &Map<String, Value>) -> Map<String, Value> {
    let plain = fields.iter().filter(|(name, _)| !name.starts_with('$'));
    plain.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The fields of an object; what is something else becomes an empty one.
fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it is an object now")
}

fn as_list(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = Value::Array(vec![]);
    }
    value.as_array_mut().expect("it is a list now")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_removes_by_null_and_replaces_lists() {
        let mut object = json!({ "data": { "a": "1", "b": "2" }, "rules": [1, 2] });
        json_merge(&mut object, &json!({ "data": { "a": null, "c": "3" }, "rules": [3] }));
        assert_eq!(object, json!({ "data": { "b": "2", "c": "3" }, "rules": [3] }));
    }

    #[test]
    fn a_strategic_patch_merges_lists_by_their_key_and_obeys_directives() {
        let mut pod = json!({
            "containers": [{ "name": "redis", "image": "redis:6", "args": ["-v"] }, { "name": "exporter" }],
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } },
            "finalizers": ["a", "b"],
        });
        let patch = json!({
            "$setElementOrder/containers": [{ "name": "redis" }],
            "containers": [{ "name": "redis", "image": "redis:7" }, { "name": "exporter", "$patch": "delete" }],
            "strategy": { "$retainKeys": ["type"], "type": "Recreate" },
            "$deleteFromPrimitiveList/finalizers": ["a"],
        });
        strategic_merge(&mut pod, &patch);
        let expected = json!({
            "containers": [{ "name": "redis", "image": "redis:7", "args": ["-v"] }],
            "strategy": { "type": "Recreate" },
            "finalizers": ["b"],
        });
        assert_eq!(pod, expected);
    }

    #[test]
    fn applying_again_removes_what_is_no_longer_wanted_and_leaves_what_others_added() {
        let mut live = json!({
            "spec": { "replicas": 2, "paused": false, "clusterIP": "10.0.0.1",
                "containers": [{ "name": "redis", "image": "redis:6", "tty": true }, { "name": "old" }, { "name": "injected" }] },
        });
        let before = json!({ "spec": { "replicas": 2, "paused": false,
            "containers": [{ "name": "redis", "image": "redis:6", "tty": true }, { "name": "old" }] } });
        let wanted = json!({ "spec": { "replicas": 3, "containers": [{ "name": "redis", "image": "redis:7" }] } });
        apply(&mut live, &before, &wanted);
        let expected = json!({
            "spec": { "replicas": 3, "clusterIP": "10.0.0.1",
                "containers": [{ "name": "redis", "image": "redis:7" }, { "name": "injected" }] },
        });
        assert_eq!(live, expected);
    }
}
