//! Many releases at once, by two workers on one PostgreSQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use harness::{
    kubernetes::{Failure, Fault, Kubernetes, Request},
    server::PATIENCE,
    story::{audit_trail, settled, settled_within},
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

/// Two workers that share the work for a project on a cluster.
async fn on_kubernetes(options: &[&str]) -> (Kubernetes, Fleet) {
    let kubernetes = Kubernetes::start().await;
    let mut fleet = Fleet::start(options).await;
    let wanted = json!({ "name": "production", "kubeconfig": charthouses_kubeconfig(&kubernetes) });
    let cluster = fleet.admin.does("registerCluster", wanted).await;
    let workspace = fleet.isv.ask("{ viewer { workspaces { id } } }", json!({})).await;
    let wanted = json!({ "workspace": text(&workspace, "/viewer/workspaces/0/id"), "name": "shop",
        "cluster": text(&cluster, "/cluster/id") });
    let project = fleet.isv.does("createProject", wanted).await;
    text(&project, "/project/id").clone_into(&mut fleet.project);
    (kubernetes, fleet)
}

#[tokio::test]
async fn releases_of_two_workers_are_each_installed_exactly_once() {
    let (kubernetes, fleet) = on_kubernetes(&["--helm-runs-max", "4"]).await;
    let mut ids = vec![];
    for number in 0..releases() {
        ids.push(fleet.install(&format!("cache-{number}")).await);
    }
    // All of them share two processors; the last one waits for all others.
    let patience = PATIENCE * u32::try_from(releases()).unwrap();
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
    let is_install = |request: &&Request| request.method == "POST" && request.path == "/api/v1/namespaces/shop/secrets";
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

#[tokio::test]
async fn the_work_of_a_worker_that_died_is_taken_over_by_another_and_done_once() {
    for helm in ["helm", "helm4"] {
        let options = ["--helm", helm, "--helm-timeout", "15s", "--worker-margin", "2s"];
        let (kubernetes, mut fleet) = on_kubernetes(&options).await;
        let hangs = Fault::new(Failure::Hang).of_writes().of_path("/configmaps");
        kubernetes.fail(hangs);
        let release = fleet.install("cache").await;
        until_a_write_hangs(&kubernetes).await;
        // Helm has written its record, and is about to apply.
        let first = fleet.last_at_work().await;
        fleet.worker(&first).kill().await;
        kubernetes.heal();

        let ended = settled(&fleet.isv, &release).await;
        assert_eq!(
            (text(&ended, "/status"), &ended["revision"]),
            ("RUNNING", &json!(1)),
            "{ended:#}"
        );
        assert_ne!(fleet.last_at_work().await, first);
        let records = kubernetes.list("secrets", "shop");
        let statuses = records.iter().map(|record| text(record, "/metadata/labels/status"));
        // What the dead one had begun was a failure, until there was something better.
        let statuses: Vec<_> = statuses.collect();
        assert_eq!(statuses, ["superseded", "deployed"], "one release, in two revisions");
        let map = kubernetes.get("configmaps", "shop", "cache").unwrap();
        assert_eq!(text(&map, "/data/chart"), "redis-11.3.4");
        let entries = audit_trail(&fleet.admin).await;
        let count = |event: &str| entries.iter().filter(|entry| entry["event"] == json!(event)).count();
        let events = ["OperationStarted", "ReleaseInstalled", "OperationFailed"].map(count);
        assert_eq!(events, [2, 1, 0], "two attempts, one outcome");

        // It comes back, and leaves alone what is done.
        let size = entries.len();
        fleet.worker(&first).start_again().await;
        let other = fleet.install("other").await;
        assert_eq!(text(&settled(&fleet.isv, &other).await, "/status"), "RUNNING");
        let entries = audit_trail(&fleet.admin).await;
        let of_release = harness::person::stream_of(&release);
        let is_of_it = |entry: &&serde_json::Value| text(entry, "/stream") == of_release;
        assert_eq!(entries[size..].iter().find(is_of_it), None);
    }
}

async fn until_a_write_hangs(kubernetes: &Kubernetes) {
    let started = Instant::now();
    let hangs =
        |request: &Request| request.is_write() && request.path.contains("/configmaps") && request.status.is_none();
    while !kubernetes.requests().iter().any(hangs) {
        assert!(started.elapsed() < PATIENCE, "nothing hangs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
