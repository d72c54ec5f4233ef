//! The controllers: what follows from a workload that is there.
//!
//! They act within the write that calls for them, so that no test waits for a clock. A workload is ready at once, unless
//! workloads are held, or an image is from a host below `.invalid`, which by RFC 2606 is never found. A Job is complete
//! at once, or has failed if its command is `false`.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    resource::{Key, Resource},
    selector::Selector,
    store::{Dependents, Store},
};

/// Whether the pods of a template run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    Ready,
    /// Not before workloads are let go.
    Held,
    /// Never: the image cannot be had.
    NoImage,
}

const WORKLOADS: [&str; 6] = [
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
    "pods",
    "persistentvolumeclaims",
];

/// Does what the controllers would do about an object that was written.
pub(super) fn settle(store: &mut Store, key: &Key) {
    let Some(object) = store.get(key).cloned() else { return };
    match key.plural.as_str() {
        "deployments" => deployment(store, key, &object),
        "statefulsets" => stateful_set(store, key, &object),
        "daemonsets" => daemon_set(store, key, &object),
        "jobs" => job(store, key, &object),
        "pods" if object["metadata"]["ownerReferences"].is_null() => lone_pod(store, key, &object),
        "persistentvolumeclaims" => {
            let status = json!({ "phase": "Bound", "accessModes": object["spec"]["accessModes"] });
            store.set_status(key, status);
        }
        "services" if object["spec"]["type"] == "LoadBalancer" => {
            store.set_status(
                key,
                json!({ "loadBalancer": { "ingress": [{ "hostname": "localhost" }] } }),
            );
        }
        _ => {}
    }
}

/// Looks at all workloads again, after something changed that concerns all of them.
pub(super) fn settle_all(store: &mut Store) {
    for plural in WORKLOADS {
        let resource = store.built_in(plural);
        let keys: Vec<_> = all(store, &resource).collect();
        for key in keys {
            settle(store, &key);
        }
    }
}

fn all(store: &Store, resource: &Resource) -> impl Iterator<Item = Key> {
    let everything = Selector::default();
    let found: Vec<_> = store
        .list(resource, "", &everything)
        .map(|(key, _)| key.clone())
        .collect();
    found.into_iter()
}

fn deployment(store: &mut Store, key: &Key, object: &Value) {
    let wanted = replicas(object);
    let template = &object["spec"]["template"];
    let outlook = outlook(store, template);
    let name = format!("{}-{}", key.name, hash(template));
    let sets = store.built_in("replicasets");
    let set = sets.key(&key.namespace, &name);
    if store.get(&set).is_none() {
        let mut template = template.clone();
        template["metadata"]["labels"]["pod-template-hash"] = hash(&object["spec"]["template"]).into();
        let labels = &template["metadata"]["labels"];
        let new = json!({
            "metadata": { "name": name, "labels": labels, "ownerReferences": [owner(object)],
                "annotations": { "deployment.kubernetes.io/revision": object["metadata"]["generation"].to_string() } },
            "spec": { "replicas": wanted, "selector": { "matchLabels": labels }, "template": template },
        });
        create(store, &sets, &key.namespace, new);
    }
    scale(store, &sets, &set, wanted);
    run_pods(store, &set, wanted, outlook);
    let ready = if outlook == Outlook::Ready { wanted } else { 0 };
    let older = store.owned_by(object).into_iter().filter(|owned| *owned != set);
    // The old pods stay until the new ones are ready.
    let mut kept = 0;
    for old in older.collect::<Vec<_>>() {
        match outlook {
            Outlook::Ready => store.delete(&old, Dependents::Deleted),
            Outlook::Held | Outlook::NoImage => kept += ready_replicas(store, &old),
        }
    }
    let status = counts(&store.get(&set).cloned().unwrap_or_default(), wanted, ready, &[]);
    store.set_status(&set, status);
    store.set_status(key, deployment_status(object, wanted, ready, kept));
}

/// Of `wanted` new pods some are ready, and some old ones are kept beside them.
fn deployment_status(object: &Value, wanted: u64, ready: u64, kept: u64) -> Value {
    let mut status = counts(object, wanted + kept, ready + kept, &[]);
    status["updatedReplicas"] = wanted.into();
    if ready < wanted {
        status["unavailableReplicas"] = (wanted - ready).into();
    }
    let is_available = if ready + kept >= wanted { "True" } else { "False" };
    let progress = if ready == wanted {
        "NewReplicaSetAvailable"
    } else {
        "ReplicaSetUpdated"
    };
    status["conditions"] = json!([
        { "type": "Available", "status": is_available, "reason": "MinimumReplicas" },
        { "type": "Progressing", "status": "True", "reason": progress },
    ]);
    status
}

fn stateful_set(store: &mut Store, key: &Key, object: &Value) {
    let wanted = replicas(object);
    let outlook = outlook(store, &object["spec"]["template"]);
    let claims = store.built_in("persistentvolumeclaims");
    for claim in object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        for number in 0..wanted {
            let name = claim["metadata"]["name"].as_str().unwrap_or_default();
            let mut claim = claim.clone();
            claim["metadata"]["name"] = format!("{name}-{}-{number}", key.name).into();
            if store
                .get(&claims.key(&key.namespace, claim["metadata"]["name"].as_str().unwrap_or_default()))
                .is_none()
            {
                create(store, &claims, &key.namespace, claim);
            }
        }
    }
    run_pods(store, key, wanted, outlook);
    let ready = if outlook == Outlook::Ready { wanted } else { 0 };
    let mut status = counts(object, wanted, ready, &["updatedReplicas", "currentReplicas"]);
    let revision = format!("{}-{}", key.name, hash(&object["spec"]["template"]));
    status["currentRevision"] = revision.clone().into();
    status["updateRevision"] = revision.into();
    store.set_status(key, status);
}

fn daemon_set(store: &mut Store, key: &Key, object: &Value) {
    let outlook = outlook(store, &object["spec"]["template"]);
    run_pods(store, key, 1, outlook);
    let ready = u64::from(outlook == Outlook::Ready);
    let status = json!({
        "observedGeneration": object["metadata"]["generation"], "numberMisscheduled": 0,
        "desiredNumberScheduled": 1, "currentNumberScheduled": 1, "updatedNumberScheduled": 1,
        "numberReady": ready, "numberAvailable": ready,
    });
    store.set_status(key, status);
}

fn job(store: &mut Store, key: &Key, object: &Value) {
    let is_over = object["status"]["conditions"].is_array();
    let outlook = outlook(store, &object["spec"]["template"]);
    if is_over {
        return;
    }
    run_pods(store, key, 1, outlook);
    let fails = || {
        let command = &object["spec"]["template"]["spec"]["containers"][0]["command"];
        matches!(command[0].as_str(), Some("false" | "/bin/false"))
    };
    let status = match outlook {
        Outlook::Held | Outlook::NoImage => {
            json!({ "active": 1, "startTime": object["metadata"]["creationTimestamp"] })
        }
        Outlook::Ready if fails() => json!({
            "failed": 1,
            "conditions": [{ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                "message": "Job has reached the specified backoff limit" }],
        }),
        Outlook::Ready => json!({
            "succeeded": object["spec"]["completions"],
            "completionTime": object["metadata"]["creationTimestamp"],
            "conditions": [{ "type": "Complete", "status": "True" }],
        }),
    };
    store.set_status(key, status);
}

fn lone_pod(store: &mut Store, key: &Key, object: &Value) {
    let outlook = outlook(store, object);
    let ends = matches!(object["spec"]["restartPolicy"].as_str(), Some("Never" | "OnFailure"));
    let fails = matches!(
        object["spec"]["containers"][0]["command"][0].as_str(),
        Some("false" | "/bin/false")
    );
    let mut status = pod_status(object, outlook);
    if ends && outlook == Outlook::Ready {
        status["phase"] = if fails { "Failed" } else { "Succeeded" }.into();
    }
    store.set_status(key, status);
}

/// As many pods as are wanted, of the newest template, and no others.
fn run_pods(store: &mut Store, owner_key: &Key, wanted: u64, outlook: Outlook) {
    let Some(owner_object) = store.get(owner_key).cloned() else {
        return;
    };
    let template = &owner_object["spec"]["template"];
    let pods = store.built_in("pods");
    let hash = hash(template);
    let names: Vec<_> = (0..wanted)
        .map(|number| format!("{}-{number}", owner_key.name))
        .collect();
    for old in store.owned_by(&owner_object) {
        let is_current = store
            .get(&old)
            .is_some_and(|pod| pod["metadata"]["annotations"]["template-hash"] == hash);
        if old.plural == "pods" && !(is_current && names.contains(&old.name)) {
            store.delete(&old, Dependents::Deleted);
        }
    }
    for name in names {
        let key = pods.key(&owner_key.namespace, &name);
        if store.get(&key).is_none() {
            let mut pod = json!({ "metadata": template["metadata"], "spec": template["spec"] });
            pod["metadata"]["name"] = name.into();
            pod["metadata"]["annotations"]["template-hash"] = hash.clone().into();
            pod["metadata"]["ownerReferences"] = json!([owner(&owner_object)]);
            create(store, &pods, &owner_key.namespace, pod);
        }
        store.set_status(&key, pod_status(template, outlook));
    }
}

fn pod_status(template: &Value, outlook: Outlook) -> Value {
    let is_ready = outlook == Outlook::Ready;
    let state = match outlook {
        Outlook::Ready => json!({ "running": {} }),
        Outlook::Held => json!({ "waiting": { "reason": "ContainerCreating" } }),
        Outlook::NoImage => json!({ "waiting": { "reason": "ImagePullBackOff", "message": "the image is not found" } }),
    };
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
    let containers = containers.map(|container| {
        json!({ "name": container["name"], "image": container["image"], "ready": is_ready, "restartCount": 0, "state": state })
    });
    let condition = |kind| json!({ "type": kind, "status": if is_ready { "True" } else { "False" } });
    json!({
        "phase": if is_ready { "Running" } else { "Pending" },
        "conditions": [condition("Ready"), condition("ContainersReady")],
        "containerStatuses": containers.collect::<Vec<_>>(),
    })
}

fn outlook(store: &Store, template: &Value) -> Outlook {
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
    let mut images = containers.filter_map(|container| container["image"].as_str());
    let is_nowhere = |image: &str| image.split('/').next().is_some_and(|host| host.ends_with(".invalid"));
    match images.any(is_nowhere) {
        true => Outlook::NoImage,
        false if store.holds_workloads => Outlook::Held,
        false => Outlook::Ready,
    }
}

/// How many there are and how many of them are ready; as Kubernetes does, zeros are left out.
fn counts(object: &Value, wanted: u64, ready: u64, also_wanted: &[&str]) -> Value {
    let mut status = json!({ "observedGeneration": object["metadata"]["generation"], "replicas": wanted });
    for field in also_wanted {
        status[*field] = wanted.into();
    }
    if ready > 0 {
        status["readyReplicas"] = ready.into();
        status["availableReplicas"] = ready.into();
    }
    status
}

fn ready_replicas(store: &Store, key: &Key) -> u64 {
    let status = store.get(key).map(|set| &set["status"]["readyReplicas"]);
    status.and_then(Value::as_u64).unwrap_or_default()
}

fn scale(store: &mut Store, sets: &Resource, key: &Key, wanted: u64) {
    if let Some(set) = store.get(key).filter(|set| set["spec"]["replicas"] != wanted) {
        let mut set = set.clone();
        set["spec"]["replicas"] = wanted.into();
        store.replace(sets, key, set, false).expect("a size is valid");
    }
}

/// What Kubernetes would refuse is not made: then there is less than the workload says.
fn create(store: &mut Store, resource: &Resource, namespace: &str, object: Value) {
    let _ = store.create(resource, namespace, object);
}

fn replicas(object: &Value) -> u64 {
    object["spec"]["replicas"].as_u64().unwrap_or(1)
}

fn owner(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

fn hash(template: &Value) -> String {
    let digest = Sha256::digest(template.to_string());
    hex(&digest[..5])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
