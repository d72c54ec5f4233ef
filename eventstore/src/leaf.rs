//! The exact bytes of an event.
//!
//! A leaf is RFC 8785 canonical JSON: attributes in the order of their names, no white space, one
//! spelling for every string and number. It is made once and never serialised again, because its
//! hash is in the Merkle tree. Nearly all of it is known before the event has a place in the log, so
//! the caller's task does the expensive part and the writer only splices position and time in.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::append::{AppendError, Context, InvalidAppend, NewEvent};
use crate::event::{Envelope, Position, Recorded, Revision};
use crate::stream_name::StreamName;

/// Largest leaf, in bytes: what fits a 16-bit length in an entry bundle.
pub const LEAF_BYTES_MAX: usize = 65_535;

/// Digits of the largest position. Size is checked with them, so that it never depends on the place.
const POSITION_DIGITS_MAX: usize = 20;
/// Length of a time such as `2026-11-22T16:41:40.123Z`.
const TIME_BYTES: usize = 24;
const DATA_DEPTH_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 100;
/// The largest integer every JSON reader keeps exactly (RFC 7493).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Stored bytes that are not an envelope this crate writes.
#[derive(Debug, thiserror::Error)]
pub enum MalformedLeaf {
    #[error("the leaf is not a JSON envelope")]
    Json(#[source] serde_json::Error),
    #[error("attribute {0:?} of the leaf is not what it should be")]
    Attribute(&'static str),
}

/// A leaf that lacks only its place: position and time.
#[derive(Debug)]
pub(crate) struct UnplacedLeaf {
    id: Uuid,
    name: String,
    schema: u32,
    revision: Revision,
    actor: String,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    /// Where the data lie in the leaf.
    data: Range<usize>,
    before_position: Vec<u8>,
    between: String,
    after_time: String,
}

impl UnplacedLeaf {
    pub(crate) fn new(
        log_id: Uuid,
        context: &Context,
        stream: &StreamName,
        revision: Revision,
        event: NewEvent,
    ) -> Result<Self, AppendError> {
        let NewEvent { id, name, schema, data } = event;
        check_name(&name, schema)?;
        check_data(&name, &data)?;

        let mut before_position = opening(context)?;
        let data_start = before_position.len();
        canonical(&data, &mut before_position)?;
        let data = data_start..before_position.len();
        let content_type = r#","datacontenttype":"application/json""#;
        before_position.extend_from_slice(
            format!(r#"{content_type},"dataschema":"{name}/{schema}","id":"{id}","position":""#).as_bytes(),
        );
        let request_mac = context.command.as_ref().map_or_else(String::new, |command| {
            format!(r#""requestmac":"{}","#, hex::encode(command.request))
        });
        let between = format!(
            r#"",{request_mac}"revision":"{revision}","source":"charthouse:{log_id}","specversion":"1.0","subject":"{stream}","time":""#
        );
        let after_time = format!(r#"","type":"{name}"}}"#);

        let leaf = Self {
            id,
            name,
            schema,
            revision,
            actor: context.actor.clone(),
            correlation_id: context.correlation_id,
            causation_id: context.causation_id,
            data,
            before_position,
            between,
            after_time,
        };
        let bytes = leaf.bytes_max();
        if bytes > LEAF_BYTES_MAX {
            return Err(AppendError::LeafTooLarge {
                bytes,
                limit: LEAF_BYTES_MAX,
            });
        }
        Ok(leaf)
    }

    /// Gives the event its place.
    pub(crate) fn place(&self, stream: &StreamName, position: Position, time: DateTime<Utc>) -> Recorded {
        let mut leaf = Vec::with_capacity(self.bytes_max());
        leaf.extend_from_slice(&self.before_position);
        leaf.extend_from_slice(position.to_string().as_bytes());
        leaf.extend_from_slice(self.between.as_bytes());
        leaf.extend_from_slice(time.to_rfc3339_opts(SecondsFormat::Millis, true).as_bytes());
        leaf.extend_from_slice(self.after_time.as_bytes());
        let leaf = Bytes::from(leaf);
        Recorded {
            position,
            stream: stream.clone(),
            revision: self.revision,
            id: self.id,
            name: self.name.clone(),
            schema: self.schema,
            time,
            actor: self.actor.clone(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            data: leaf.slice(self.data.clone()),
            leaf,
        }
    }

    fn bytes_max(&self) -> usize {
        let known = self.before_position.len() + self.between.len() + self.after_time.len();
        known + POSITION_DIGITS_MAX + TIME_BYTES
    }
}

/// Everything up to the data.
fn opening(context: &Context) -> Result<Vec<u8>, InvalidAppend> {
    let mut leaf = br#"{"actor":"#.to_vec();
    canonical(&context.actor, &mut leaf)?;
    if let Some(cause) = context.causation_id {
        leaf.extend_from_slice(format!(r#","causationid":"{cause}""#).as_bytes());
    }
    if let Some(command) = &context.command {
        leaf.extend_from_slice(format!(r#","commandid":"{}""#, command.id).as_bytes());
    }
    leaf.extend_from_slice(format!(r#","correlationid":"{}","data":"#, context.correlation_id).as_bytes());
    Ok(leaf)
}

fn canonical<T: serde::Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), InvalidAppend> {
    serde_json_canonicalizer::to_writer(value, into).map_err(InvalidAppend::NotCanonical)
}

fn check_name(name: &str, schema: u32) -> Result<(), InvalidAppend> {
    let starts_with_letter = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let allowed = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if starts_with_letter && allowed && name.len() <= NAME_BYTES_MAX && schema > 0 {
        Ok(())
    } else {
        Err(InvalidAppend::EventName {
            name: name.to_owned(),
            schema,
        })
    }
}

fn check_data(name: &str, data: &Value) -> Result<(), InvalidAppend> {
    let invalid = |problem| InvalidAppend::Data {
        name: name.to_owned(),
        problem,
    };
    if !data.is_object() {
        return Err(invalid("it is not an object"));
    }
    check_value(data, DATA_DEPTH_MAX).map_err(invalid)
}

fn check_value(value: &Value, depth_left: usize) -> Result<(), &'static str> {
    let depth_left = depth_left.checked_sub(1).ok_or("it nests deeper than 64 levels")?;
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match magnitude {
                Some(magnitude) if magnitude <= INTEGER_MAX => Ok(()),
                Some(_) => Err("it holds an integer beyond 2^53, which must be a decimal string"),
                None => Err("it holds a number that is not an integer"),
            }
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth_left)),
        Value::Object(members) => members.values().try_for_each(|member| check_value(member, depth_left)),
    }
}

impl<'a> Envelope<'a> {
    pub(crate) fn parse(leaf: &'a [u8]) -> Result<Self, MalformedLeaf> {
        serde_json::from_slice(leaf).map_err(MalformedLeaf::Json)
    }
}

/// What [`Recorded`] repeats of an envelope. Reading the rest as well would make replays slower.
#[derive(Deserialize)]
struct Attributes<'a> {
    #[serde(borrow)]
    actor: Cow<'a, str>,
    #[serde(rename = "causationid")]
    causation_id: Option<Uuid>,
    #[serde(rename = "correlationid")]
    correlation_id: Uuid,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(rename = "dataschema", borrow)]
    data_schema: Cow<'a, str>,
    id: Uuid,
    #[serde(borrow)]
    position: Cow<'a, str>,
    #[serde(borrow)]
    revision: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: DateTime<Utc>,
    #[serde(rename = "type", borrow)]
    name: Cow<'a, str>,
}

impl Recorded {
    /// Reads back what [`UnplacedLeaf::place`] made, so that the bytes are the only source of truth.
    pub(crate) fn from_leaf(position: Position, leaf: Bytes) -> Result<Self, MalformedLeaf> {
        let attributes: Attributes<'_> = serde_json::from_slice(&leaf).map_err(MalformedLeaf::Json)?;
        if attributes.position.parse() != Ok(position.get()) {
            return Err(MalformedLeaf::Attribute("position"));
        }
        let schema = attributes.data_schema.rsplit_once('/');
        let schema = schema.and_then(|(_, version)| version.parse().ok());
        let stream = attributes.subject.parse();
        let revision = attributes.revision.parse();
        Ok(Self {
            position,
            stream: stream.map_err(|_| MalformedLeaf::Attribute("subject"))?,
            revision: Revision::new(revision.map_err(|_| MalformedLeaf::Attribute("revision"))?),
            id: attributes.id,
            name: attributes.name.into_owned(),
            schema: schema.ok_or(MalformedLeaf::Attribute("dataschema"))?,
            time: attributes.time,
            actor: attributes.actor.into_owned(),
            correlation_id: attributes.correlation_id,
            causation_id: attributes.causation_id,
            data: leaf.slice_ref(attributes.data.get().as_bytes()),
            leaf,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::append::CommandKey;

    const EXAMPLE: &str = concat!(
        r#"{"actor":"account-1","causationid":"00000000-0000-0000-0000-000000000004","#,
        r#""commandid":"00000000-0000-0000-0000-000000000002","correlationid":"00000000-0000-0000-0000-000000000003","#,
        r#""data":{"app":"redis","version":"12.0.0"},"datacontenttype":"application/json","#,
        r#""dataschema":"VersionApproved/1","id":"00000000-0000-0000-0000-000000000001","position":"41","#,
        r#""requestmac":"abababababababababababababababababababababababababababababababab","revision":"7","#,
        r#""source":"charthouse:00000000-0000-0000-0000-000000000009","specversion":"1.0","subject":"app-1","#,
        r#""time":"2026-11-22T16:41:40.123Z","type":"VersionApproved"}"#
    );

    fn moment() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_365_700_123).unwrap()
    }

    fn context(actor: &str) -> Context {
        Context {
            actor: actor.to_owned(),
            command: Some(CommandKey {
                id: Uuid::from_u128(2),
                request: [0xab; 32],
            }),
            correlation_id: Uuid::from_u128(3),
            causation_id: Some(Uuid::from_u128(4)),
        }
    }

    fn leaf_of(context: &Context, data: Value) -> Result<UnplacedLeaf, AppendError> {
        let event = NewEvent {
            id: Uuid::from_u128(1),
            name: "VersionApproved".to_owned(),
            schema: 1,
            data,
        };
        UnplacedLeaf::new(
            Uuid::from_u128(9),
            context,
            &"app-1".parse().unwrap(),
            Revision::new(7),
            event,
        )
    }

    fn placed(context: &Context, data: Value) -> Recorded {
        leaf_of(context, data)
            .unwrap()
            .place(&"app-1".parse().unwrap(), Position::new(41), moment())
    }

    #[test]
    fn a_leaf_is_these_bytes_and_no_others() {
        let recorded = placed(&context("account-1"), json!({"version": "12.0.0", "app": "redis"}));
        assert_eq!(std::str::from_utf8(&recorded.leaf), Ok(EXAMPLE));
    }

    #[test]
    fn a_leaf_says_all_that_is_recorded() {
        let recorded = placed(&context("account-1"), json!({}));
        assert_eq!(
            Recorded::from_leaf(Position::new(41), recorded.leaf.clone()).unwrap(),
            recorded
        );
        let elsewhere = Recorded::from_leaf(Position::new(40), recorded.leaf.clone());
        assert!(matches!(elsewhere, Err(MalformedLeaf::Attribute("position"))));
    }

    #[test]
    fn data_without_one_spelling_is_refused() {
        let deep = (0..64).fold(json!({}), |inner, _| json!({ "in": inner }));
        for data in [
            json!(1),
            json!(null),
            json!([]),
            json!({"n": 1.5}),
            json!({"n": [1_u64 << 53]}),
            deep,
        ] {
            let refused = leaf_of(&context("account-1"), data.clone());
            assert!(
                matches!(refused, Err(AppendError::Invalid(InvalidAppend::Data { .. }))),
                "{data}"
            );
        }
    }

    #[test]
    fn a_leaf_may_have_65535_bytes_and_no_more() {
        let context = context("account-1");
        let empty = leaf_of(&context, json!({"t": ""})).unwrap().bytes_max();
        let text = |bytes: usize| json!({"t": "x".repeat(bytes - empty)});
        assert!(leaf_of(&context, text(LEAF_BYTES_MAX)).is_ok());
        let refused = leaf_of(&context, text(LEAF_BYTES_MAX + 1));
        assert!(matches!(
            refused,
            Err(AppendError::LeafTooLarge {
                bytes: 65_536,
                limit: 65_535
            })
        ));
    }

    fn data() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(INTEGER_MAX as i64)..=INTEGER_MAX as i64).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
            ]
        });
        prop::collection::hash_map(any::<String>(), value, 0..6).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_spliced_leaf_is_the_canonical_form_of_its_envelope(actor in any::<String>(), data in data(), has_command: bool) {
            let mut context = context(&actor);
            if !has_command {
                context.command = None;
                context.causation_id = None;
            }
            let recorded = placed(&context, data.clone());
            let whole: Value = serde_json::from_slice(&recorded.leaf).unwrap();
            prop_assert_eq!(&serde_json_canonicalizer::to_vec(&whole).unwrap(), &recorded.leaf);
            prop_assert_eq!(&whole["data"], &data);
            prop_assert_eq!(whole["actor"].as_str(), Some(actor.as_str()));
        }
    }
}
