//! `checkRelease` tells how what was applied is now, by looking at the cluster, and records only what is new.

use harness::{
    Person, chart,
    chart::{Chart, workload},
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};

use super::{NAMESPACE, Site};

const HEALTH: &str = "query($id: ID!) { release(id: $id) { health { status findings since } } }";

/// A story in which a chart runs as `web`, and the id of the release.
async fn running(helm: &str, chart: &Chart) -> (Site, String) {
    let site = Site::begin(helm).await;
    let app = site.story.app(chart).await;
    let wanted = json!({ "project": site.story.project, "name": "web", "version": app.version });
    let made = site.story.isv.does("installRelease", wanted).await;
    let release = text(&made, "/release/id").to_owned();
    let running = settled(&site.story.isv, &release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    (site, release)
}

/// Looks, and answers what the release's health is then.
async fn checked(person: &Person, release: &str) -> Value {
    person.does("checkRelease", json!({ "release": release })).await;
    person.ask(HEALTH, json!({ "id": release })).await["release"]["health"].take()
}

fn is(health: &Value, status: &str, findings: &[&str]) {
    assert_eq!(text(health, "/status"), status, "{health:#}");
    let found = health["findings"].as_str().unwrap_or_default();
    let found: Vec<_> = found.lines().collect();
    assert_eq!(found, findings, "{health:#}");
}

async fn recorded(site: &Site) -> usize {
    let entries = audit_trail(&site.story.admin).await;
    let changes = entries.iter().filter(|entry| entry["event"] == json!("HealthChanged"));
    changes.count()
}

#[tokio::test]
async fn a_release_as_it_was_applied_is_ready_and_looking_again_records_nothing() {
    for helm in ["helm", "helm4"] {
        let (site, release) = running(helm, &workload("web", "1.0.0")).await;
        let isv = &site.story.isv;
        let unseen = isv.ask(HEALTH, json!({ "id": release })).await;
        assert_eq!(unseen["release"]["health"], Value::Null, "nobody looked yet");
        let first = checked(isv, &release).await;
        is(&first, "READY", &[]);
        assert_eq!(checked(isv, &release).await, first);
        assert_eq!(recorded(&site).await, 1);
        let before = site.kubernetes.requests().len();
        checked(isv, &release).await;
        let mut looks = site.kubernetes.requests().split_off(before);
        looks.retain(|request| request.is_write() && !request.query.contains("dryRun=All"));
        assert!(looks.is_empty(), "looking changes nothing: {looks:#?}");
    }
}

#[tokio::test]
async fn what_was_edited_behind_its_back_has_drifted_until_it_is_put_right() {
    for helm in ["helm", "helm4"] {
        let (site, release) = running(helm, &workload("web", "1.0.0")).await;
        let isv = &site.story.isv;
        is(&checked(isv, &release).await, "READY", &[]);
        let change = |plural, change: fn(&mut Value)| site.kubernetes.change(plural, NAMESPACE, "web", change);
        change("configmaps", |map| map["data"]["greeting"] = json!("tampered with"));
        change("deployments", |deployment| deployment["spec"]["replicas"] = json!(3));
        let map = "ConfigMap shop/web: it is not as it was applied";
        let drifted = checked(isv, &release).await;
        is(
            &drifted,
            "DRIFTED",
            &[map, "Deployment web: it is not as it was applied"],
        );
        assert_eq!(checked(isv, &release).await, drifted);
        change("deployments", |deployment| deployment["spec"]["replicas"] = json!(1));
        is(&checked(isv, &release).await, "DRIFTED", &[map]);
        change("configmaps", |map| map["data"]["greeting"] = json!("hello"));
        is(&checked(isv, &release).await, "READY", &[]);
        assert_eq!(recorded(&site).await, 4, "ready, drifted, drifted otherwise, ready");
    }
}

#[tokio::test]
async fn what_others_add_to_an_object_is_no_drift() {
    let (site, release) = running("helm", &workload("web", "1.0.0")).await;
    site.kubernetes.change("deployments", NAMESPACE, "web", |deployment| {
        deployment["metadata"]["annotations"]["example.org/seen"] = json!("yes");
        deployment["spec"]["paused"] = json!(false);
    });
    is(&checked(&site.story.isv, &release).await, "READY", &[]);
}

#[tokio::test]
async fn what_is_not_ready_is_degraded_and_what_is_gone_is_missing_which_is_worse() {
    for helm in ["helm", "helm4"] {
        let (site, release) = running(helm, &workload("web", "1.0.0")).await;
        let isv = &site.story.isv;
        site.kubernetes.hold_workloads();
        // Its pods are looked at again when it is touched.
        site.kubernetes.change("deployments", NAMESPACE, "web", |deployment| {
            deployment["metadata"]["annotations"]["example.org/touched"] = json!("yes");
        });
        let unready = "Deployment web: 0 of 1 are ready";
        is(&checked(isv, &release).await, "DEGRADED", &[unready]);
        site.kubernetes.delete("services", NAMESPACE, "web");
        let service = "Service web: it is not there";
        let mut both = vec![unready, service];
        let missing = checked(isv, &release).await;
        // In the order of the manifest, which is Helm's.
        if text(&missing, "/findings").starts_with(service) {
            both.reverse();
        }
        is(&missing, "MISSING", &both);
        site.kubernetes.let_workloads_go();
        is(&checked(isv, &release).await, "MISSING", &[service]);
        // An upgrade puts back what is missing.
        let again = json!({ "release": release, "values": "greeting: again\n" });
        assert_eq!(text(&site.upgrade(again).await, "/status"), "RUNNING");
        is(&checked(isv, &release).await, "READY", &[]);
    }
}

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: wide
rules:
- apiGroups: ['']
  resources: [pods]
  verbs: [get]
";

#[tokio::test]
async fn an_app_that_may_reach_further_is_looked_at_as_far_as_it_reaches() {
    let site = Site::begin("helm").await;
    site.kubernetes
        .change("clusterrolebindings", "", "cluster-admin", |binding| {
            binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": "charthouse", "namespace": "charthouse" },
            { "kind": "Group", "name": "system:masters" }]);
        });
    let isv = &site.story.isv;
    let wide = chart("wide", "1.0.0").file("templates/role.yaml", ROLE);
    let app = site.story.published(&wide).await;
    let scope = json!({ "cluster": site.cluster, "app": app.app });
    site.story.admin.does("allowClusterScope", scope.clone()).await;
    let wanted = json!({ "project": site.story.project, "name": "wide", "version": app.version });
    let made = isv.does("installRelease", wanted).await;
    let release = text(&made, "/release/id");
    assert_eq!(text(&settled(isv, release).await, "/status"), "RUNNING");
    is(&checked(isv, release).await, "READY", &[]);

    let verbs = |verbs: Value| move |role: &mut Value| role["rules"][0]["verbs"] = verbs;
    site.kubernetes
        .change("clusterroles", "", "wide", verbs(json!(["get", "delete"])));
    is(
        &checked(isv, release).await,
        "DRIFTED",
        &["ClusterRole wide: it is not as it was applied"],
    );
    site.kubernetes.delete("clusterroles", "", "wide");
    is(
        &checked(isv, release).await,
        "MISSING",
        &["ClusterRole wide: it is not there"],
    );

    // As its project, Charthouse may not look there: it says so, and guesses nothing.
    site.story.admin.does("forbidClusterScope", scope).await;
    let events = recorded(&site).await;
    let refused = isv.is_refused("checkRelease", json!({ "release": release })).await;
    refused.says("RELEASE_NOT_SEEN", &["may not", "clusterroles"]);
    assert_eq!(recorded(&site).await, events);
}

#[tokio::test]
async fn a_look_that_shows_nothing_is_refused_and_not_recorded() {
    let (site, release) = running("helm", &workload("web", "1.0.0")).await;
    let isv = &site.story.isv;
    is(&checked(isv, &release).await, "READY", &[]);
    let look = json!({ "release": release });
    site.kubernetes.disconnect().await;
    isv.is_refused("checkRelease", look.clone())
        .await
        .says("RELEASE_NOT_SEEN", &["does not answer"]);
    let known = isv.ask(HEALTH, json!({ "id": release })).await;
    assert_eq!(
        text(&known, "/release/health/status"),
        "READY",
        "it is what was seen last"
    );
    site.kubernetes.connect();
    site.story
        .stranger
        .is_refused("checkRelease", look.clone())
        .await
        .says("NOT_FOUND", &[]);
    isv.does("uninstallRelease", look.clone()).await;
    settled(isv, &release).await;
    isv.is_refused("checkRelease", look)
        .await
        .says("RELEASE_NOT_RUNNING", &[]);
    assert_eq!(recorded(&site).await, 1);
}
