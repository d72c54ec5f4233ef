//! What a new object has to be like, and what is filled in for it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{resource::Resource, status::Status};

/// Of the data of a Secret or a `ConfigMap`.
const DATA_MAX_BYTES: usize = 1024 * 1024;

/// # Errors
///
/// 422 with what is wrong: names, labels, the size of data.
pub(super) fn validate(resource: &Resource, object: &Value) -> Result<(), Status> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let invalid = |why: String| resource.invalid(name, &why);
    let is_valid = match resource.plural.as_str() {
        "namespaces" | "services" => is_label_name(name),
        // Names of roles may have any characters that a path may have.
        "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" => {
            !name.is_empty() && !name.contains(['/', '%'])
        }
        _ => is_domain_name(name),
    };
    if !is_valid {
        return Err(invalid(format!("metadata.name: Invalid value: \"{name}\"")));
    }
    for (key, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        if !value.as_str().is_some_and(is_label_value) {
            return Err(invalid(format!("metadata.labels: Invalid value: {value} of {key}")));
        }
    }
    if matches!(resource.plural.as_str(), "secrets" | "configmaps") && data_bytes(object) > DATA_MAX_BYTES {
        let why = format!("data: Too long: may not be more than {DATA_MAX_BYTES} bytes");
        return Err(invalid(why));
    }
    Ok(())
}

/// # Errors
///
/// 422 if a field differs that cannot be changed.
pub(super) fn validate_change(resource: &Resource, before: &Value, after: &Value) -> Result<(), Status> {
    let fixed: &[&str] = match resource.plural.as_str() {
        "deployments" | "replicasets" | "daemonsets" => &["/spec/selector"],
        "statefulsets" => &["/spec/selector", "/spec/serviceName", "/spec/volumeClaimTemplates"],
        "jobs" => &["/spec/selector", "/spec/template"],
        "rolebindings" | "clusterrolebindings" => &["/roleRef"],
        "persistentvolumeclaims" => &["/spec/storageClassName", "/spec/accessModes"],
        _ => &[],
    };
    let name = before["metadata"]["name"].as_str().unwrap_or_default();
    match fixed.iter().find(|field| before.pointer(field) != after.pointer(field)) {
        Some(field) => {
            let field = field.trim_start_matches('/').replace('/', ".");
            Err(resource.invalid(name, &format!("{field}: Invalid value: field is immutable")))
        }
        None => Ok(()),
    }
}

/// Fills in what clients leave out, as far as Helm or a reader of the object minds.
pub(super) fn fill_in(resource: &Resource, object: &mut Value) {
    match resource.plural.as_str() {
        "secrets" => take_string_data(object),
        "namespaces" => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            default(&mut object["status"], "phase", json!("Active"));
        }
        "deployments" => {
            let rolling = json!({ "maxSurge": "25%", "maxUnavailable": "25%" });
            default(&mut object["spec"], "replicas", json!(1));
            default(
                &mut object["spec"],
                "strategy",
                json!({ "type": "RollingUpdate", "rollingUpdate": rolling }),
            );
        }
        "statefulsets" | "daemonsets" => {
            let rolling = json!({ "type": "RollingUpdate" });
            default(&mut object["spec"], "updateStrategy", rolling);
            if resource.plural == "statefulsets" {
                default(&mut object["spec"], "replicas", json!(1));
            }
        }
        "replicasets" => default(&mut object["spec"], "replicas", json!(1)),
        "jobs" => {
            default(&mut object["spec"], "completions", json!(1));
            default(&mut object["spec"], "backoffLimit", json!(6));
        }
        "services" => {
            default(&mut object["spec"], "type", json!("ClusterIP"));
            if object["spec"]["type"] != "ExternalName" {
                default(&mut object["spec"], "clusterIP", json!("10.96.0.10"));
            }
        }
        _ => {}
    }
}

fn default(object: &mut Value, field: &str, value: Value) {
    if object[field].is_null() {
        object[field] = value;
    }
}

fn take_string_data(secret: &mut Value) {
    if let Value::Object(plain) = secret["stringData"].take() {
        for (name, value) in plain {
            secret["data"][name] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
        }
    }
    if let Some(fields) = secret.as_object_mut() {
        fields.remove("stringData");
    }
    default(secret, "type", json!("Opaque"));
}

fn data_bytes(object: &Value) -> usize {
    let values = |field: &str| object[field].as_object().into_iter().flat_map(|data| data.values());
    let encoded = values("data").chain(values("binaryData")).filter_map(Value::as_str);
    match object["kind"] == "Secret" {
        true => encoded.map(|text| text.trim_end_matches('=').len() * 3 / 4).sum(),
        false => encoded.map(str::len).sum(),
    }
}

/// RFC 1123, with dots: the name of most objects.
fn is_domain_name(name: &str) -> bool {
    (1..=253).contains(&name.len()) && name.split('.').all(is_part)
}

/// RFC 1123, without dots: namespaces and services.
fn is_label_name(name: &str) -> bool {
    name.len() <= 63 && is_part(name)
}

fn is_part(part: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && part.bytes().all(is_allowed) && !part.starts_with('-') && !part.ends_with('-')
}

fn is_label_value(value: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = value.as_bytes().first().into_iter().chain(value.as_bytes().last());
    value.len() <= 63 && value.bytes().all(is_allowed) && ends.into_iter().all(u8::is_ascii_alphanumeric)
}
