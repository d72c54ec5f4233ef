//! How what was applied is now. Looking changes nothing.
//!
//! Whether an object drifted is left to the cluster: it is asked what applying the manifest again would make of the object,
//! without doing it. So quantities, defaults and what others own are compared as the cluster understands them.

use domain::health::Health;
use futures_util::future::try_join_all;
use serde_json::Value;

use super::{Client, KubernetesError, inventory::Kinds};
use crate::effects::manifest::{Object, Unreadable, objects};

/// Objects looked at together.
const LOOKS_MAX: usize = 8;
/// What differs between two reads of the same object.
const VOLATILE: [&str; 4] = ["managedFields", "resourceVersion", "generation", "uid"];

/// Why it is not known how a release is.
#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    #[error("the manifest cannot be read")]
    Unreadable(#[from] Unreadable),
    #[error("the cluster does not tell")]
    Kubernetes(#[from] KubernetesError),
}

/// The worst that was found, and the objects that are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub health: Health,
    pub words: Vec<String>,
}

/// Looks at every object of a manifest that was applied in `namespace`.
///
/// # Errors
///
/// [`Unseen`] if one of them could not be looked at.
pub async fn look(client: &Client, namespace: &str, manifest: &str) -> Result<Findings, Unseen> {
    let applied = objects(manifest)?;
    let kinds = Kinds::of(client, &applied).await?;
    let mut found = vec![];
    for some in applied.chunks(LOOKS_MAX) {
        let looks: Vec<_> = some
            .iter()
            .map(|object| look_at(client, &kinds, namespace, object))
            .collect();
        found.extend(try_join_all(looks).await?);
    }
    let mut findings = Findings {
        health: Health::Ready,
        words: vec![],
    };
    for (object, (health, words)) in applied.iter().zip(found) {
        findings.health = findings.health.max(health);
        if health != Health::Ready {
            findings.words.push(format!("{object}: {words}"));
        }
    }
    Ok(findings)
}

async fn look_at(
    client: &Client,
    kinds: &Kinds,
    namespace: &str,
    object: &Object,
) -> Result<(Health, String), KubernetesError> {
    let missing = |words: &str| (Health::Missing, words.to_owned());
    let Some(path) = kinds.path(object, namespace) else {
        let is_unnamed = object.name.is_empty();
        // The cluster named it, so it cannot be found by the manifest.
        return Ok(if is_unnamed {
            ready()
        } else {
            missing("the cluster does not know its kind")
        });
    };
    let Some(live) = client.get::<Value>(&path).await? else {
        let goes_by_itself = object.fields["spec"].get("ttlSecondsAfterFinished").is_some();
        return Ok(if goes_by_itself {
            ready()
        } else {
            missing("it is not there")
        });
    };
    if let Some(problem) = unready(&live) {
        return Ok((Health::Degraded, problem));
    }
    let Ok(applied) = serde_json::to_value(&object.fields) else {
        return Ok(ready());
    };
    match client.apply_dry(&path, &applied).await {
        Ok(again) => {
            let is_same = steady(again) == steady(live);
            let drifted = || (Health::Drifted, "it is not as it was applied".to_owned());
            Ok(if is_same { ready() } else { drifted() })
        }
        // What the project may not change, it cannot compare.
        Err(KubernetesError::RightsMissing { .. }) => Ok(ready()),
        Err(KubernetesError::Refused { status: 422, message }) => Ok((Health::Drifted, message)),
        Err(error) => Err(error),
    }
}

const fn ready() -> (Health, String) {
    (Health::Ready, String::new())
}

/// The object without what changes by itself.
fn steady(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| !VOLATILE.contains(&name.as_str()));
    }
    object
}

/// Why an object is not ready, by its own status; `None` if it is, or has no such thing.
fn unready(live: &Value) -> Option<String> {
    let (spec, status) = (&live["spec"], &live["status"]);
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let of_replicas = |ready: &Value, wanted: u64| {
        let is_seen = count(&status["observedGeneration"]) >= count(&live["metadata"]["generation"]);
        let ready = count(ready);
        (!is_seen || ready < wanted).then(|| format!("{ready} of {wanted} are ready"))
    };
    let replicas = spec["replicas"].as_u64().unwrap_or(1);
    match live["kind"].as_str().unwrap_or_default() {
        "Deployment" => of_replicas(&status["availableReplicas"], replicas),
        "StatefulSet" | "ReplicaSet" => of_replicas(&status["readyReplicas"], replicas),
        "DaemonSet" => of_replicas(&status["numberReady"], count(&status["desiredNumberScheduled"])),
        "Job" => condition(status, "Failed").map(|message| format!("it failed: {message}")),
        "PersistentVolumeClaim" => phase_other_than(status, &["Bound"]),
        "Pod" => phase_other_than(status, &["Running", "Succeeded"]),
        _ => None,
    }
}

fn phase_other_than(status: &Value, good: &[&str]) -> Option<String> {
    let phase = status["phase"].as_str().unwrap_or("Unknown");
    (!good.contains(&phase)).then(|| format!("it is {phase}"))
}

/// The message of a condition that holds.
fn condition(status: &Value, kind: &str) -> Option<String> {
    let conditions = status["conditions"].as_array()?;
    let holds = conditions
        .iter()
        .find(|it| it["type"] == kind && it["status"] == "True")?;
    Some(holds["message"].as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workload_is_ready_when_as_many_as_are_wanted_are() {
        let deployment = |replicas: u64, available: u64, seen: u64| {
            json!({
                "kind": "Deployment",
                "metadata": { "generation": 2 },
                "spec": { "replicas": replicas },
                "status": { "observedGeneration": seen, "availableReplicas": available },
            })
        };
        assert_eq!(unready(&deployment(2, 2, 2)), None);
        assert_eq!(unready(&deployment(2, 1, 2)), Some("1 of 2 are ready".to_owned()));
        assert_eq!(unready(&deployment(2, 2, 1)), Some("2 of 2 are ready".to_owned()));
        assert_eq!(unready(&deployment(0, 0, 2)), None);
    }

    #[test]
    fn a_job_is_in_trouble_only_if_it_failed_and_a_claim_if_it_is_not_bound() {
        let job = |status: &str| {
            let failed = json!({ "type": "Failed", "status": status, "message": "too often" });
            json!({ "kind": "Job", "status": { "conditions": [failed] } })
        };
        assert_eq!(unready(&job("False")), None);
        assert_eq!(unready(&job("True")), Some("it failed: too often".to_owned()));
        let claim = |phase: &str| json!({ "kind": "PersistentVolumeClaim", "status": { "phase": phase } });
        assert_eq!(unready(&claim("Bound")), None);
        assert_eq!(unready(&claim("Pending")), Some("it is Pending".to_owned()));
        assert_eq!(unready(&json!({ "kind": "ConfigMap" })), None);
    }

    #[test]
    fn what_changes_by_itself_is_no_drift() {
        let object = |version: &str, image: &str| {
            json!({
                "metadata": { "name": "a", "resourceVersion": version, "managedFields": [version] },
                "spec": { "image": image },
                "status": { "replicas": version },
            })
        };
        assert_eq!(steady(object("1", "a")), steady(object("2", "a")));
        assert_ne!(steady(object("1", "a")), steady(object("1", "b")));
    }
}
