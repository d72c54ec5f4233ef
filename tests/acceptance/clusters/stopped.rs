//! Operations that are cancelled, forced, or left by a worker that is gone: what is said and what is left.

use std::time::{Duration, Instant};

use harness::{
    chart::workload,
    kubernetes::{Failure, Fault, Kubernetes},
    list,
    server::PATIENCE,
    story::settled,
    text,
};
use serde_json::json;

use super::{NAMESPACE, Site};

/// Waits until an object is on the cluster.
async fn until_there(kubernetes: &Kubernetes, plural: &str, name: &str) {
    let started = Instant::now();
    while kubernetes.get(plural, NAMESPACE, name).is_none() {
        assert!(started.elapsed() < PATIENCE, "there is no {plural} {name}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Site {
    async fn begin_install(&self) -> String {
        let app = self.story.app(&workload("web", "1.0.0")).await;
        let wanted = json!({ "project": self.story.project, "name": "web", "version": app.version });
        let made = self.story.isv.does("installRelease", wanted).await;
        text(&made, "/release/id").to_owned()
    }

    /// The objects that the last attempt left behind, in order of their names.
    async fn removed_by_force(&self, release: &str) -> Vec<String> {
        let forced = json!({ "release": release, "force": true });
        self.story.isv.does("uninstallRelease", forced).await;
        let gone = settled(&self.story.isv, release).await;
        assert_eq!(text(&gone, "/status"), "UNINSTALLED", "{gone:#}");
        let left = list(&gone, "/attempts/nodes/0/leftBehind").iter();
        let mut left: Vec<_> = left.map(|line| line.as_str().unwrap().to_owned()).collect();
        left.sort();
        left
    }
}

#[tokio::test]
async fn a_cancelled_installation_keeps_what_helm_had_said() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        site.kubernetes.hold_workloads();
        let release = site.begin_install().await;
        // Helm says that it installs, applies, and waits for what cannot become ready.
        until_there(&site.kubernetes, "deployments", "web").await;
        let isv = &site.story.isv;
        isv.does("cancelOperation", json!({ "release": release })).await;
        let cancelled = settled(isv, &release).await;
        let attempt = &cancelled["attempts"]["nodes"][0];
        assert_eq!(attempt["isCancelled"], json!(true), "{cancelled:#}");
        let said = text(attempt, "/output");
        assert!(
            said.starts_with("the operation was cancelled; Helm had said:\n"),
            "{said}"
        );
        assert!(
            said.contains("Release \"web\" does not exist. Installing it now."),
            "{said}"
        );
        site.kubernetes.let_workloads_go();
        assert_eq!(text(&site.retry(&release).await, "/status"), "RUNNING");
        assert_eq!(site.history("web").await.last().map(String::as_str), Some("deployed"));
    }
}

#[tokio::test]
async fn a_forced_removal_names_what_the_cluster_still_has_and_nothing_else() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        let release = site.begin_install().await;
        assert_eq!(text(&settled(&site.story.isv, &release).await, "/status"), "RUNNING");
        site.kubernetes.delete("services", NAMESPACE, "web");
        let stays = Fault::new(Failure::Answer(500))
            .of_method("DELETE")
            .of_path("/deployments");
        site.kubernetes.fail(stays);
        let left = site.removed_by_force(&release).await;
        assert_eq!(
            left,
            ["Deployment web"],
            "Helm took the ConfigMap, somebody the Service"
        );
        assert_eq!(
            site.history("web").await,
            Vec::<String>::new(),
            "Helm knows nothing of it any more"
        );
    }
}

#[tokio::test]
async fn without_helm_a_forced_removal_names_what_was_applied_and_is_there() {
    let mut site = Site::begin("helm").await;
    let release = site.begin_install().await;
    assert_eq!(text(&settled(&site.story.isv, &release).await, "/status"), "RUNNING");
    site.kubernetes.delete("configmaps", NAMESPACE, "web");
    site.story.server.stop().await;
    site.story.server.start_again_with("--helm", "/nowhere/helm").await;
    let left = site.removed_by_force(&release).await;
    assert_eq!(left, ["Deployment web", "Service web"]);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_leaves_it_open_what_is_still_there() {
    let site = Site::begin("helm").await;
    let release = site.begin_install().await;
    assert_eq!(text(&settled(&site.story.isv, &release).await, "/status"), "RUNNING");
    site.kubernetes.disconnect().await;
    let left = site.removed_by_force(&release).await;
    assert_eq!(
        left,
        [
            "ConfigMap shop/web (perhaps)",
            "Deployment web (perhaps)",
            "Service web (perhaps)"
        ]
    );
}
