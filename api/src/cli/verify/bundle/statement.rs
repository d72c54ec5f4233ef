//! A signed statement of a bundle, and whether it says what the log says.

use std::collections::BTreeMap;

use eventstore::transparency::VerifierKey;
use serde_json::Value;

use super::super::verdict::{Finding, Verdict};
use crate::exports::bundle::dsse::{Envelope, InvalidEnvelope};

pub struct Statement {
    name: String,
    json: Value,
}

impl Statement {
    /// The statement in an envelope that one of the keys signed.
    pub fn read(name: &str, envelope: &str, keys: &[VerifierKey]) -> Result<Self, Finding> {
        let damaged = |error: serde_json::Error| Verdict::DamagedBundle.says(format!("{name} is damaged: {error}"));
        let envelope: Envelope = serde_json::from_str(envelope).map_err(damaged)?;
        let statement = envelope.verify(keys).map_err(|error| {
            let verdict = match error {
                InvalidEnvelope::UnknownKey => Verdict::BadSignature,
                InvalidEnvelope::Altered | InvalidEnvelope::Payload => Verdict::AlteredStatement,
            };
            verdict.says(format!("{name}: {error}"))
        })?;
        Ok(Self {
            name: name.to_owned(),
            json: serde_json::from_slice(&statement).map_err(damaged)?,
        })
    }

    /// That a text of the statement is this one.
    pub fn agrees(&self, path: &[&str], expected: &str) -> Result<(), Finding> {
        let found = self.text(path);
        if found == Some(expected) {
            return Ok(());
        }
        let words = format!(
            "{} says {} is {found:?}, and not {expected:?}",
            self.name,
            path.join(".")
        );
        Err(Verdict::AlteredStatement.says(words))
    }

    /// The files it is about, with their SHA-256.
    pub fn subjects(&self) -> Result<BTreeMap<String, String>, Finding> {
        let subjects = self.json["subject"].as_array().into_iter().flatten();
        let read = |subject: &Value| {
            let (name, digest) = (subject["name"].as_str()?, subject["digest"]["sha256"].as_str()?);
            Some((name.to_owned(), digest.to_owned()))
        };
        let subjects: Option<_> = subjects.map(read).collect();
        subjects.ok_or_else(|| Verdict::AlteredStatement.says(format!("{} has a subject without a digest", self.name)))
    }

    /// That it says of a decision what its event says.
    pub fn is_about(&self, event: &Value) -> Result<(), Finding> {
        let data = &event["data"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let reviewer = text(&event["actor"]);
        let reviewer = reviewer.strip_prefix("account-").unwrap_or_default();
        let decision = match event["type"].as_str() {
            Some("VersionApproved" | "ListingApproved") => "approved",
            Some("VersionRejected" | "ListingRejected") => "rejected",
            _ => return Err(Verdict::OtherProof.says(format!("{} is about an event that decides nothing", self.name))),
        };
        let app = text(&event["subject"]);
        let app = app.strip_prefix("app-").unwrap_or_default();
        for (path, expected) in [
            (["predicate", "id"].as_slice(), text(&event["id"]).as_str()),
            (&["predicate", "position"], &text(&event["position"])),
            (&["predicate", "decidedAt"], &text(&event["time"])),
            (&["predicate", "decision"], decision),
            (&["predicate", "reviewer", "id"], reviewer),
            (&["predicate", "subject", "app"], app),
            (&["predicate", "subject", "listing"], &text(&data["listing"])),
            (&["predicate", "submission", "id"], &text(&data["submission"])),
        ] {
            self.agrees(path, expected)?;
        }
        if data["digest"].is_string() {
            self.agrees(&["predicate", "subject", "package"], &text(&data["digest"]))?;
            self.agrees(&["predicate", "subject", "version"], &text(&data["version"]))?;
        }
        let digests: Vec<_> = self.subjects()?.into_values().collect();
        let decided = ["digest", "listing"]
            .into_iter()
            .filter_map(|field| data[field].as_str());
        for digest in decided {
            let hex = digest.trim_start_matches("sha256:");
            if !digests.iter().any(|subject| subject == hex) {
                let words = format!("{} does not name {digest}, which was decided about", self.name);
                return Err(Verdict::AlteredStatement.says(words));
            }
        }
        Ok(())
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        path.iter().fold(&self.json, |value, part| &value[*part]).as_str()
    }
}
