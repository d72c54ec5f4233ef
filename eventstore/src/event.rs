//! An event as it stands in the log.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::leaf::MalformedLeaf;
use crate::stream_name::StreamName;
use crate::transparency::merkle;

/// A place in the log: 0, 1, 2 … without gaps, equal to the leaf's index in the Merkle tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(u64);

impl Position {
    /// The place of the first event.
    pub const START: Self = Self(0);

    #[must_use]
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place right after this one: where a reader that has seen this one goes on.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many events a stream holds, and so also the 1-based number of an event in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// The revision of a stream without events.
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn new(revision: u64) -> Self {
        Self(revision)
    }

    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after one more event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event of the log. The leaf is the event; the other fields repeat what readers ask for most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub position: Position,
    pub stream: StreamName,
    /// The event's number in its stream, from 1.
    pub revision: Revision,
    pub id: Uuid,
    /// The type name, such as `VersionApproved`.
    pub name: String,
    /// The version of the data's schema, from 1.
    pub schema: u32,
    /// When it was recorded, to the millisecond; never earlier than the event before it.
    pub time: DateTime<Utc>,
    /// The account or process that acted.
    pub actor: String,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    /// The JSON of the data, a part of the leaf.
    pub data: Bytes,
    /// The stored bytes: RFC 8785 canonical JSON of a CloudEvents 1.0 envelope.
    pub leaf: Bytes,
}

impl Recorded {
    /// Reads the whole envelope without copying the data.
    ///
    /// # Errors
    ///
    /// [`MalformedLeaf`] if the bytes are not what this crate stores.
    pub fn envelope(&self) -> Result<Envelope<'_>, MalformedLeaf> {
        Envelope::parse(&self.leaf)
    }

    /// The RFC 6962 leaf hash, computed from the bytes.
    #[must_use]
    pub fn leaf_hash(&self) -> [u8; 32] {
        merkle::leaf_hash(&self.leaf)
    }
}

/// The attributes of a leaf, borrowed from its bytes.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    #[serde(rename = "causationid")]
    pub causation_id: Option<Uuid>,
    #[serde(rename = "commandid")]
    pub command_id: Option<Uuid>,
    #[serde(rename = "correlationid")]
    pub correlation_id: Uuid,
    #[serde(borrow)]
    pub data: &'a RawValue,
    /// Name and version of the data's schema, such as `VersionApproved/1`.
    #[serde(rename = "dataschema", borrow)]
    pub data_schema: Cow<'a, str>,
    pub id: Uuid,
    #[serde(borrow)]
    pub position: Cow<'a, str>,
    /// HMAC of the request behind the command, in hexadecimal; there exactly when `command_id` is.
    #[serde(rename = "requestmac", borrow)]
    pub request_mac: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub revision: Cow<'a, str>,
    /// `charthouse:` and the id of the log.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// The stream.
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    pub time: DateTime<Utc>,
    #[serde(rename = "type", borrow)]
    pub name: Cow<'a, str>,
}
