//! In-toto statements: what is said of a decision, and of a bundle as a whole.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use eventstore::transparency::SignedCheckpoint;
use serde::Serialize;
use serde_json::{Value, json};

use super::Ends;
use crate::exports::{Export, evidence::Evidence};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// What the predicate of a decision is; `docs/compliance.md` describes its fields.
pub const REVIEW_DECISION: &str = "https://charthouse.dev/attestation/review-decision/v1";
/// What the predicate of a bundle is.
pub const DECISION_EXPORT: &str = "https://charthouse.dev/attestation/decision-export/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<P> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Value>,
    predicate_type: &'static str,
    predicate: P,
}

#[derive(Serialize)]
struct Decision<'a> {
    #[serde(flatten)]
    evidence: &'a Evidence,
    log: Value,
}

/// The statement about one decision. Its subjects are the bytes that were decided about.
///
/// # Errors
///
/// If it cannot be JSON; every decision can.
pub fn of(evidence: &Evidence, checkpoint: &SignedCheckpoint) -> Result<Vec<u8>, serde_json::Error> {
    let decided = &evidence.subject;
    let subject = |name: String, digest: String| {
        let hex = digest.trim_start_matches("sha256:");
        json!({ "name": name, "digest": { "sha256": hex } })
    };
    let chart = decided.version.as_ref().zip(decided.package);
    let chart = chart.map(|(version, package)| {
        let name = format!("{}-{version}.tgz", decided.chart);
        subject(name, package.to_string())
    });
    let listing = subject(format!("{}.listing.json", decided.chart), decided.listing.to_string());
    serde_json::to_vec(&Statement {
        kind: STATEMENT,
        subject: chart.into_iter().chain([listing]).collect(),
        predicate_type: REVIEW_DECISION,
        predicate: Decision {
            evidence,
            log: json!({ "origin": checkpoint.checkpoint().origin }),
        },
    })
}

/// The statement about a bundle. Its subjects are the files that do not vouch for themselves.
///
/// # Errors
///
/// If it cannot be JSON; every export can.
pub fn manifest(
    export: &Export,
    checkpoint: &SignedCheckpoint,
    ends: Option<Ends>,
    files: &[(String, String)],
) -> Result<Vec<u8>, serde_json::Error> {
    let file = |(name, hex): &(String, String)| json!({ "name": name, "digest": { "sha256": hex } });
    let prepared = &export.prepared;
    serde_json::to_vec(&Statement {
        kind: STATEMENT,
        subject: files.iter().map(file).collect(),
        predicate_type: DECISION_EXPORT,
        predicate: json!({
            "export": prepared.export,
            "position": export.position.to_string(),
            "selection": prepared.selection,
            "logSize": prepared.size.to_string(),
            "count": prepared.count.to_string(),
            "population": ends,
            "log": { "origin": checkpoint.checkpoint().origin },
        }),
    })
}
