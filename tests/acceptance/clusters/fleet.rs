//! Many releases at once, by two workers on one PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    kubernetes::Kubernetes,
    story::{audit_trail, settled_within},
    text,
};
use serde_json::json;

use super::charthouses_kubeconfig;
use crate::workers::Fleet;

/// How many; `CHARTHOUSE_TEST_RELEASES` says otherwise.
fn releases() -> usize {
    let asked = std::env::var("CHARTHOUSE_TEST_RELEASES").ok();
    asked.and_then(|releases| releases.parse().ok()).unwrap_or(20)
}

#[tokio::test]
async fn releases_of_two_workers_are_each_installed_exactly_once() {
    let kubernetes = Kubernetes::start().await;
    let mut fleet = Fleet::start(&["--helm-runs-max", "4"]).await;
    let wanted = json!({ "name": "production", "kubeconfig": charthouses_kubeconfig(&kubernetes) });
    let cluster = fleet.admin.does("registerCluster", wanted).await;
    let workspace = fleet.isv.ask("{ viewer { workspaces { id } } }", json!({})).await;
    let wanted = json!({ "workspace": text(&workspace, "/viewer/workspaces/0/id"), "name": "shop",
        "cluster": text(&cluster, "/cluster/id") });
    let project = fleet.isv.does("createProject", wanted).await;
    text(&project, "/project/id").clone_into(&mut fleet.project);

    let mut ids = vec![];
    for number in 0..releases() {
        ids.push(fleet.install(&format!("cache-{number}")).await);
    }
    // All of them share two processors; the last one waits for all others.
    let patience = harness::server::PATIENCE * u32::try_from(releases()).unwrap();
    for id in &ids {
        let ended = settled_within(&fleet.isv, id, patience).await;
        assert_eq!(
            (text(&ended, "/status"), &ended["revision"]),
            ("RUNNING", &json!(1)),
            "{ended:#}"
        );
    }

    let secrets = kubernetes.list("secrets", "shop");
    let names: BTreeSet<_> = secrets
        .iter()
        .map(|secret| text(secret, "/metadata/labels/name"))
        .collect();
    assert_eq!(
        (secrets.len(), names.len()),
        (releases(), releases()),
        "one revision of each"
    );
    let requests = kubernetes.requests();
    let is_install = |request: &&harness::kubernetes::Request| {
        request.method == "POST" && request.path == "/api/v1/namespaces/shop/secrets"
    };
    assert_eq!(
        requests.iter().filter(is_install).count(),
        releases(),
        "Helm ran once for each"
    );
    let entries = audit_trail(&fleet.admin).await;
    let mut shares = BTreeMap::new();
    for event in ["OperationStarted", "ReleaseInstalled"] {
        let of_event: Vec<_> = entries.iter().filter(|entry| entry["event"] == json!(event)).collect();
        let streams: BTreeSet<_> = of_event.iter().map(|entry| text(entry, "/stream")).collect();
        assert_eq!(
            (of_event.len(), streams.len()),
            (releases(), releases()),
            "{event}: each exactly once"
        );
        for started in of_event.iter().filter_map(|entry| entry["data"]["worker"].as_str()) {
            *shares.entry(started.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(shares.len(), 2, "both worked: {shares:?}");
}
