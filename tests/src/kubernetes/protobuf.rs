//! The bodies that Go clients send in the protobuf encoding of Kubernetes: those of the few kinds that Helm handles by
//! typed clients.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::status::Status;

/// What an encoded object begins with; a message `runtime.Unknown` follows.
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// The object in a body that begins with [`MAGIC`].
///
/// # Errors
///
/// 415 for a kind that is not read, 400 if it is cut off.
pub(super) fn decode(body: &[u8]) -> Result<Value, Status> {
    let unknown = Message(body.strip_prefix(MAGIC).unwrap_or_default()).fields()?;
    let about = unknown.message(1).fields()?;
    let (api_version, kind) = (about.text(1), about.text(2));
    let raw = unknown.message(2).fields()?;
    let mut object = match kind.as_str() {
        "DeleteOptions" => delete_options(&raw)?,
        "Namespace" => json!({}),
        "Secret" => json!({ "data": raw.pairs(2, base64)?, "type": raw.text(3) }),
        "ConfigMap" => json!({ "data": raw.pairs(2, plain)? }),
        _ => return Err(Status::unsupported(format!("{kind} is read as JSON only"))),
    };
    if kind != "DeleteOptions" {
        object["metadata"] = metadata(&raw.message(1))?;
    }
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn metadata(message: &Message<'_>) -> Result<Value, Status> {
    let fields = message.fields()?;
    let mut metadata = json!({ "labels": fields.pairs(11, plain)?, "annotations": fields.pairs(12, plain)? });
    for (number, name) in [
        (1, "name"),
        (2, "generateName"),
        (3, "namespace"),
        (5, "uid"),
        (6, "resourceVersion"),
    ] {
        let text = fields.text(number);
        if !text.is_empty() {
            metadata[name] = text.into();
        }
    }
    Ok(metadata)
}

fn delete_options(fields: &Fields<'_>) -> Result<Value, Status> {
    let preconditions = fields.message(2).fields()?;
    Ok(json!({
        "propagationPolicy": fields.text(4),
        "preconditions": { "uid": preconditions.text(1), "resourceVersion": preconditions.text(2) },
    }))
}

fn plain(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// An encoded message.
struct Message<'a>(&'a [u8]);

/// The fields of a message that hold bytes: texts, maps and messages. Numbers are passed over; none is needed.
struct Fields<'a>(Vec<(u64, &'a [u8])>);

impl<'a> Message<'a> {
    fn fields(&self) -> Result<Fields<'a>, Status> {
        let mut rest = self.0;
        let mut fields = vec![];
        while !rest.is_empty() {
            let tag = varint(&mut rest)?;
            match tag & 7 {
                0 => drop(varint(&mut rest)?),
                1 => drop(take(&mut rest, 8)?),
                2 => {
                    let length = varint(&mut rest)?;
                    fields.push((tag >> 3, take(&mut rest, length)?));
                }
                5 => drop(take(&mut rest, 4)?),
                _ => return Err(cut_off()),
            }
        }
        Ok(Fields(fields))
    }
}

impl<'a> Fields<'a> {
    fn all(&self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |field| field.0 == number)
            .map(|field| field.1)
    }

    /// An absent message is an empty one.
    fn message(&self, number: u64) -> Message<'a> {
        Message(self.all(number).last().unwrap_or_default())
    }

    fn text(&self, number: u64) -> String {
        plain(self.message(number).0)
    }

    /// A map: each entry is a message with a key and a value.
    fn pairs(&self, number: u64, value: impl Fn(&[u8]) -> String) -> Result<Map<String, Value>, Status> {
        let pair = |entry| {
            let entry = Message(entry).fields()?;
            Ok((entry.text(1), value(entry.message(2).0).into()))
        };
        self.all(number).map(pair).collect()
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Status> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first().ok_or_else(cut_off)?;
        *rest = after;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(cut_off())
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], Status> {
    let length = usize::try_from(length).map_err(|_| cut_off())?;
    let (taken, after) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    *rest = after;
    Ok(taken)
}

fn cut_off() -> Status {
    Status::bad_request("the body is no protobuf message")
}
