//! The bodies of requests.

use serde_json::Value;

use super::{protobuf, status::Status};

/// Reads an object from JSON or protobuf.
///
/// # Errors
///
/// 400 if it is not one; 415 for a protobuf message of a kind that is read as JSON only.
pub(super) fn object(body: &[u8]) -> Result<Value, Status> {
    let object = if body.starts_with(protobuf::MAGIC) {
        protobuf::decode(body)?
    } else {
        let parsed = serde_json::from_slice(body);
        parsed.map_err(|error| Status::bad_request(format!("the object provided is unrecognized: {error}")))?
    };
    let Value::Object(fields) = &object else {
        return Err(Status::bad_request(
            "the object provided is unrecognized: it is no object",
        ));
    };
    let metadata = fields.get("metadata").unwrap_or(&Value::Null);
    let maps = [metadata, &metadata["labels"], &metadata["annotations"], &object["spec"]];
    if maps.iter().any(|map| !map.is_object() && !map.is_null()) {
        return Err(Status::bad_request(
            "metadata, labels, annotations and spec are objects",
        ));
    }
    Ok(object)
}

/// Options of a deletion; a body is optional there.
///
/// # Errors
///
/// As [`object`].
pub(super) fn options(body: &[u8]) -> Result<Value, Status> {
    if body.is_empty() { Ok(Value::Null) } else { object(body) }
}
