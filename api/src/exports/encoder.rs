//! Evidence as bytes, a row at a time.

use chrono::SecondsFormat;
use domain::export::Format;
use eventstore::Identity;
use serde::Serialize;

use super::{csv, evidence::Evidence};

/// What the data of a `CloudEvent` of an export are; `docs/compliance.md` describes them.
pub const TYPE: &str = "charthouse.review-decision.v1";

/// Writes the rows of one export. Between two rows it remembers only whether there was one.
pub enum Encoder {
    Csv,
    Jsonl,
    Cloudevents { source: String, is_first: bool },
}

/// A decision as a `CloudEvents` 1.0 event of its own: a report about the event of the log that has its id.
#[derive(Serialize)]
struct CloudEvent<'a> {
    data: &'a Evidence,
    datacontenttype: &'static str,
    id: String,
    position: String,
    source: &'a str,
    specversion: &'static str,
    subject: String,
    time: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Encoder {
    /// `None` for a bundle, which is more than rows.
    pub fn new(format: Format, log: &Identity) -> Option<Self> {
        match format {
            Format::Csv => Some(Self::Csv),
            Format::Jsonl => Some(Self::Jsonl),
            Format::Cloudevents => Some(Self::Cloudevents {
                source: format!("charthouse:{}#review-decisions", log.log_id),
                is_first: true,
            }),
            Format::Zip => None,
        }
    }

    pub fn begin(&self, out: &mut Vec<u8>) {
        match self {
            Self::Csv => csv::header(out),
            Self::Jsonl => {}
            Self::Cloudevents { .. } => out.push(b'['),
        }
    }

    /// # Errors
    ///
    /// If a row cannot be JSON; every row can.
    pub fn row(&mut self, evidence: &Evidence, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        match self {
            Self::Csv => csv::row(evidence, out),
            Self::Jsonl => {
                serde_json::to_writer(&mut *out, evidence)?;
                out.push(b'\n');
            }
            Self::Cloudevents { source, is_first } => {
                out.extend_from_slice(if std::mem::take(is_first) { b"\n" } else { b",\n" });
                serde_json::to_writer(out, &CloudEvent::of(evidence, source))?;
            }
        }
        Ok(())
    }

    pub fn end(&self, out: &mut Vec<u8>) {
        match self {
            Self::Csv | Self::Jsonl => {}
            Self::Cloudevents { .. } => out.extend_from_slice(b"\n]\n"),
        }
    }
}

impl<'a> CloudEvent<'a> {
    fn of(evidence: &'a Evidence, source: &'a str) -> Self {
        Self {
            data: evidence,
            datacontenttype: "application/json",
            id: evidence.id.to_string(),
            position: evidence.position.to_string(),
            source,
            specversion: "1.0",
            subject: format!("app-{}", evidence.subject.app),
            time: evidence.decided_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            kind: TYPE,
        }
    }
}
