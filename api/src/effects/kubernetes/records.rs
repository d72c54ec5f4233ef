//! Helm's own records of a release: Secrets of its namespace, one for each revision, whose labels say what became of it.
//!
//! Helm 3 and 4 keep them alike. The labels tell what Helm really did without asking it, so nothing depends on its words.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{Client, KubernetesError};

/// Labels that Charthouse gives to what it installs.
pub(super) const RELEASE_LABEL: &str = "charthouse/release";
pub(super) const ATTEMPT_LABEL: &str = "charthouse/attempt";
/// What was deployed: a version by its bytes, and values.
pub(super) const DEPLOYMENT_LABEL: &str = "charthouse/deployment";

/// Largest record that is unpacked, in bytes; one that fits into a Secret has rarely a tenth of that.
const UNPACKED_MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The Secret's.
    name: String,
    pub(super) revision: u64,
    status: String,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Secrets {
    items: Vec<Secret>,
}

#[derive(Deserialize)]
struct Secret {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Record {
    /// Whether it is of a release that Charthouse installed under this id.
    pub(super) fn is_of(&self, release: &str) -> bool {
        self.label(RELEASE_LABEL) == Some(release)
    }

    /// Whether Helm finished deploying exactly this.
    pub(super) fn has_deployed(&self, deployment: &str) -> bool {
        self.status == "deployed" && self.label(DEPLOYMENT_LABEL) == Some(deployment)
    }

    pub(super) fn is_by(&self, attempt: &str) -> bool {
        self.label(ATTEMPT_LABEL) == Some(attempt)
    }

    /// Whether a Helm died over it. No living one has it: a release has one operation at a time.
    fn is_unfinished(&self) -> bool {
        self.status.starts_with("pending-") || self.status == "uninstalling"
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// What Helm recorded of `release`, the oldest first.
pub(super) async fn of(client: &Client, namespace: &str, release: &str) -> Result<Vec<Record>, KubernetesError> {
    let path = format!(
        "{}?labelSelector=owner%3Dhelm%2Cname%3D{release}",
        collection(namespace)
    );
    let Some(Secrets { items }) = client.get_metadata(&path).await? else {
        return Ok(vec![]);
    };
    let mut records: Vec<_> = items.into_iter().filter_map(|secret| record(secret.metadata)).collect();
    records.sort_by_key(|record| record.revision);
    Ok(records)
}

fn record(metadata: Metadata) -> Option<Record> {
    let revision = metadata.labels.get("version")?.parse().ok()?;
    let status = metadata.labels.get("status")?.clone();
    Some(Record {
        name: metadata.name,
        revision,
        status,
        labels: metadata.labels,
    })
}

/// Records as failed what a Helm that died left as under way, so that the next one goes on from what it had applied.
pub(super) async fn settle(client: &Client, namespace: &str, records: &[Record]) -> Result<(), KubernetesError> {
    for record in records.iter().filter(|record| record.is_unfinished()) {
        let path = format!("{}/{}", collection(namespace), record.name);
        let Some(mut secret) = client.get::<Value>(&path).await? else {
            continue;
        };
        let stored = secret["data"]["release"].as_str().unwrap_or_default();
        let failed = as_failed(stored).map_err(|error| KubernetesError::NotKubernetes {
            problem: format!("Helm's record {} is damaged: {error}", record.name),
        })?;
        secret["data"]["release"] = failed.into();
        secret["metadata"]["labels"]["status"] = "failed".into();
        client.replace(&path, &secret).await?;
    }
    Ok(())
}

/// Takes away all that Helm recorded, and with it all that it knows of the release.
pub(super) async fn forget(client: &Client, namespace: &str, records: &[Record]) -> Result<(), KubernetesError> {
    for record in records {
        let path = format!("{}/{}", collection(namespace), record.name);
        client.delete(&path).await?;
    }
    Ok(())
}

fn collection(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

/// A Secret's data is in base64, and what Helm puts there is JSON, compressed, in base64 again. All of it but the status
/// stays as it was written.
fn as_failed(stored: &str) -> std::io::Result<String> {
    let compressed = decode(&decode(stored.as_bytes())?)?;
    let mut unpacked = vec![];
    GzDecoder::new(compressed.as_slice())
        .take(UNPACKED_MAX_BYTES)
        .read_to_end(&mut unpacked)?;
    let mut release: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&unpacked)?;
    let info = release.get("info").map_or("{}", |info| info.get());
    let mut info: Value = serde_json::from_str(info)?;
    info["status"] = json!("failed");
    info["description"] = json!("Helm was stopped before it finished");
    release.insert("info".to_owned(), RawValue::from_string(info.to_string())?);
    let mut packed = GzEncoder::new(vec![], Compression::best());
    packed.write_all(&serde_json::to_vec(&release)?)?;
    Ok(STANDARD.encode(STANDARD.encode(packed.finish()?)))
}

fn decode(text: &[u8]) -> std::io::Result<Vec<u8>> {
    STANDARD.decode(text).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(status: &str, labels: &[(&str, &str)]) -> Record {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Record {
            name: "sh.helm.release.v1.redis.v1".to_owned(),
            revision: 1,
            status: status.to_owned(),
            labels: labels.collect(),
        }
    }

    #[test]
    fn what_is_under_way_without_a_helm_is_unfinished() {
        for (status, expected) in [
            ("pending-install", true),
            ("pending-upgrade", true),
            ("pending-rollback", true),
            ("uninstalling", true),
            ("deployed", false),
            ("failed", false),
            ("superseded", false),
        ] {
            assert_eq!(labelled(status, &[]).is_unfinished(), expected, "{status}");
        }
    }

    #[test]
    fn a_record_is_ours_by_its_labels_only() {
        let ours = labelled(
            "deployed",
            &[(RELEASE_LABEL, "1"), (ATTEMPT_LABEL, "2"), (DEPLOYMENT_LABEL, "3")],
        );
        assert!(ours.is_of("1") && ours.is_by("2") && ours.has_deployed("3"));
        assert!(!ours.is_of("2") && !ours.is_by("1") && !ours.has_deployed("1"));
        assert!(!labelled("deployed", &[]).is_of("1"));
        assert!(!labelled("failed", &[(DEPLOYMENT_LABEL, "3")]).has_deployed("3"));
    }

    #[test]
    fn a_record_is_made_a_failed_one_and_nothing_else_of_it_changes() {
        let release = r#"{"name":"redis","info":{"status":"pending-upgrade","notes":"n"},"manifest":"a: 1.0","version":2,"config":{"f":1.0}}"#;
        let mut packed = GzEncoder::new(vec![], Compression::best());
        packed.write_all(release.as_bytes()).unwrap();
        let stored = STANDARD.encode(STANDARD.encode(packed.finish().unwrap()));

        let failed = as_failed(&stored).unwrap();
        let compressed = decode(&decode(failed.as_bytes()).unwrap()).unwrap();
        let mut text = String::new();
        GzDecoder::new(compressed.as_slice()).read_to_string(&mut text).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let mut expected: Value = serde_json::from_str(release).unwrap();
        expected["info"]["status"] = "failed".into();
        expected["info"]["description"] = "Helm was stopped before it finished".into();
        assert_eq!(read, expected);
        assert!(text.contains(r#""config":{"f":1.0}"#), "{text}");
        assert!(as_failed("?").is_err());
    }
}
