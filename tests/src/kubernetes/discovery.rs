//! What a client finds out before it does anything: the version, the groups and their resources.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{api::Answer, call::Call, resource::Resource};

/// As a server answers that can tell everything at once.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// A document that describes nothing: a version 2 in protobuf. Clients then check nothing themselves.
const OPENAPI_V2: &[u8] = b"\x0a\x032.0";

/// The document at a path, if there is one.
pub(super) fn document(call: &Call, resources: &[Resource]) -> Option<Answer> {
    let accepts_all = call
        .header("accept")
        .is_some_and(|accept| accept.contains("g=apidiscovery.k8s.io;v=v2;"));
    let json = |value| Answer::Json(200, value);
    Some(match call.path() {
        "/healthz" | "/livez" | "/readyz" => Answer::Bytes("text/plain", b"ok".to_vec()),
        "/version" => json(version()),
        "/api" if accepts_all => Answer::Bytes(AGGREGATED, aggregated(resources, true)),
        "/apis" if accepts_all => Answer::Bytes(AGGREGATED, aggregated(resources, false)),
        "/api" => json(json!({ "kind": "APIVersions", "versions": ["v1"] })),
        "/apis" => json(groups(resources)),
        "/openapi/v2" => {
            let kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
            Answer::Bytes(kind, OPENAPI_V2.to_vec())
        }
        "/openapi/v3" => json(json!({ "paths": {} })),
        path => {
            let api_version = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
            json(group_version(api_version, resources)?)
        }
    })
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2025-08-27T10:17:27Z", "goVersion": "go1.24.6", "compiler": "gc", "platform": "linux/amd64",
    })
}

/// The resources by group and version.
fn by_version(resources: &[Resource]) -> BTreeMap<(&str, &str), Vec<&Resource>> {
    let mut versions = BTreeMap::<_, Vec<_>>::new();
    for resource in resources {
        let version = (resource.group.as_str(), resource.version.as_str());
        versions.entry(version).or_default().push(resource);
    }
    versions
}

fn groups(resources: &[Resource]) -> Value {
    let mut groups = BTreeMap::<&str, Vec<Value>>::new();
    for (group, version) in by_version(resources).into_keys().filter(|(group, _)| !group.is_empty()) {
        let version = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
        groups.entry(group).or_default().push(version);
    }
    let groups = groups.into_iter();
    let groups =
        groups.map(|(name, versions)| json!({ "name": name, "preferredVersion": versions[0], "versions": versions }));
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>() })
}

fn group_version(api_version: &str, resources: &[Resource]) -> Option<Value> {
    let mut listed = vec![];
    for resource in resources
        .iter()
        .filter(|resource| resource.api_version() == api_version)
    {
        let Resource {
            plural,
            kind,
            is_namespaced,
            short_names,
            ..
        } = resource;
        listed.push(json!({
            "name": plural, "singularName": kind.to_lowercase(), "namespaced": is_namespaced, "kind": kind,
            "verbs": VERBS, "shortNames": short_names,
        }));
        if resource.has_status() {
            let name = format!("{plural}/status");
            let verbs = ["get", "patch", "update"];
            listed.push(
                json!({ "name": name, "singularName": "", "namespaced": is_namespaced, "kind": kind, "verbs": verbs }),
            );
        }
    }
    let document = |resources: Vec<Value>| json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources });
    (!listed.is_empty()).then(|| document(listed))
}

/// Everything about the core group, or about all others, in one document.
fn aggregated(resources: &[Resource], is_core: bool) -> Vec<u8> {
    let mut groups = BTreeMap::<&str, Vec<Value>>::new();
    for ((group, version), resources) in by_version(resources) {
        if group.is_empty() == is_core {
            let resources: Vec<_> = resources.into_iter().map(discovered).collect();
            let version = json!({ "version": version, "resources": resources, "freshness": "Current" });
            groups.entry(group).or_default().push(version);
        }
    }
    let items = groups.into_iter();
    let items = items.map(|(name, versions)| json!({ "metadata": { "name": name }, "versions": versions }));
    let kind = "APIGroupDiscoveryList";
    let document = json!({
        "kind": kind, "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items.collect::<Vec<_>>(),
    });
    document.to_string().into_bytes()
}

fn discovered(resource: &Resource) -> Value {
    let kind = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let status = json!({ "subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"] });
    json!({
        "resource": resource.plural, "responseKind": kind, "singularResource": resource.kind.to_lowercase(),
        "scope": if resource.is_namespaced { "Namespaced" } else { "Cluster" },
        "verbs": VERBS, "shortNames": resource.short_names,
        "subresources": if resource.has_status() { vec![status] } else { vec![] },
    })
}
