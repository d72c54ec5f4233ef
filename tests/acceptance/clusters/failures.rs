//! Whatever can go wrong ends in a failure with the real reason, and goes well when it is tried again.

use std::os::unix::fs::symlink;

use harness::{
    chart,
    chart::{Chart, workload},
    random::Random,
    story::settled,
    text,
};
use serde_json::{Value, json};

use super::{NAMESPACE, Site, charthouses_kubeconfig};

fn web() -> Chart {
    workload("web", "1.0.0")
}

impl Site {
    /// Installs a chart's draft as `web`, and waits for what comes of it.
    async fn install_draft(&self, chart: &Chart, values: Option<&str>) -> Value {
        let app = self.story.app(chart).await;
        let wanted = json!({ "project": self.story.project, "name": "web", "version": app.version, "values": values });
        let made = self.story.isv.does("installRelease", wanted).await;
        settled(&self.story.isv, text(&made, "/release/id")).await
    }
}

/// It failed for this reason, and nothing of it is counted as running.
fn failed(release: &Value, reason: &str) -> String {
    assert_eq!(text(release, "/status"), "FAILED", "{release:#}");
    assert_eq!(text(release, "/attempts/nodes/0/failure"), reason, "{release:#}");
    assert_eq!(release["revision"], json!(0), "{release:#}");
    text(release, "/id").to_owned()
}

async fn runs_after_a_retry(site: &Site, release: &str) {
    runs(site, &site.retry(release).await).await;
}

/// It is installed, once.
async fn runs(site: &Site, running: &Value) {
    assert_eq!(
        (text(running, "/status"), &running["revision"]),
        ("RUNNING", &json!(1)),
        "{running:#}"
    );
    assert_eq!(site.history("web").await.last().map(String::as_str), Some("deployed"));
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        site.kubernetes.disconnect().await;
        let release = failed(&site.install_draft(&web(), None).await, "CLUSTER_UNREACHABLE");
        site.kubernetes.connect();
        runs_after_a_retry(&site, &release).await;
    }
}

#[tokio::test]
async fn credentials_that_are_refused() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        site.kubernetes.revoke_credentials();
        let release = failed(&site.install_draft(&web(), None).await, "CREDENTIALS_REFUSED");
        let token = site.kubernetes.token_of_account("charthouse", "charthouse");
        let kubeconfig = site.kubernetes.kubeconfig_with(&token);
        let replaced = json!({ "cluster": site.cluster, "kubeconfig": kubeconfig });
        site.story.admin.does("replaceKubeconfig", replaced).await;
        let running = site.retry(&release).await;
        assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    }
}

#[tokio::test]
async fn a_namespace_that_is_gone() {
    let site = Site::begin("helm").await;
    // The project is there before its namespace goes.
    let first = site.install_draft(&web(), None).await;
    assert_eq!(text(&first, "/status"), "RUNNING", "{first:#}");
    site.kubernetes.delete("namespaces", "", NAMESPACE);
    let release = text(&first, "/id");
    let wanted = json!({ "release": release, "values": "greeting: again\n" });
    let lost = site.upgrade(wanted).await;
    assert_eq!(
        text(&lost, "/attempts/nodes/0/failure"),
        "NAMESPACE_MISSING",
        "{lost:#}"
    );
    site.story
        .isv
        .does("prepareProject", json!({ "project": site.story.project }))
        .await;
    let again = site.retry(release).await;
    assert_eq!(
        (text(&again, "/status"), &again["revision"]),
        ("RUNNING", &json!(2)),
        "{again:#}"
    );
}

#[tokio::test]
async fn a_name_that_somebody_elses_release_has() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        let packed = site.owner.file("web.tgz");
        std::fs::write(packed, chart("other", "1.0.0").packed()).unwrap();
        let words = [
            "install",
            "web",
            "web.tgz",
            "--namespace",
            NAMESPACE,
            "--create-namespace",
        ];
        site.owner.run(&words).await;
        let release = failed(&site.install_draft(&web(), None).await, "NAME_TAKEN");
        let map = site.kubernetes.get("configmaps", NAMESPACE, "web").unwrap();
        assert_eq!(
            text(&map, "/data/chart"),
            "other-1.0.0",
            "somebody else's is left alone"
        );
        site.owner.run(&["uninstall", "web", "--namespace", NAMESPACE]).await;
        runs_after_a_retry(&site, &release).await;
    }
}

#[tokio::test]
async fn a_chart_that_never_becomes_ready() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin_with(helm, "12s").await;
        site.kubernetes.hold_workloads();
        let release = failed(&site.install_draft(&web(), None).await, "NOT_READY");
        site.kubernetes.let_workloads_go();
        runs_after_a_retry(&site, &release).await;
    }
}

#[tokio::test]
async fn a_template_that_never_ends() {
    let mut site = Site::begin_with("helm", "4s").await;
    let loops = "{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}";
    let endless = format!("{{{{ if .Values.endless }}}}{loops}{{{{ end }}}}");
    let endless = web().file("templates/loop.yaml", endless);
    let release = failed(
        &site.install_draft(&endless, Some("endless: true\n")).await,
        "HELM_TIMEOUT",
    );
    assert_eq!(site.kubernetes.list("secrets", NAMESPACE), Vec::<Value>::new());
    site.story.server.stop().await;
    site.story.server.start_again_with("--helm-timeout", "40s").await;
    let corrected = json!({ "release": release, "values": "endless: false\n" });
    let running = site.upgrade(corrected).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
}

/// What cannot be compressed by much, and is a plain word to YAML.
fn noise(length: usize) -> String {
    let mut random = Random::seeded(1);
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letter = |_| char::from(letters[usize::try_from(random.below(letters.len() as u64)).unwrap()]);
    (0..length).map(letter).collect()
}

#[tokio::test]
async fn a_chart_that_is_larger_than_kubernetes_keeps() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        let released = site
            .install_draft(&web().file("noise.txt", noise(1_800_000)), None)
            .await;
        let release = failed(&released, "RELEASE_TOO_LARGE");
        assert_eq!(site.kubernetes.list("deployments", NAMESPACE), Vec::<Value>::new());
        // It is as large the second time: tried again, it fails again, and for the same reason.
        assert_eq!(failed(&site.retry(&release).await, "RELEASE_TOO_LARGE"), release);
        let apps = "query($id: ID!) { release(id: $id) { app { id } } }";
        let app = site.story.isv.ask(apps, json!({ "id": release })).await;
        let smaller = site
            .story
            .version(text(&app, "/release/app/id"), &workload("web", "1.0.1"))
            .await;
        let wanted = json!({ "release": release, "version": smaller });
        runs(&site, &site.upgrade(wanted).await).await;
    }
}

#[tokio::test]
async fn values_that_make_a_release_larger_than_kubernetes_keeps() {
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        // Helm keeps the values, and the manifest that shows them.
        let values = format!("greeting: {}\n", noise(900_000));
        let release = failed(&site.install_draft(&web(), Some(&values)).await, "RELEASE_TOO_LARGE");
        let smaller = json!({ "release": release, "values": "greeting: hi\n" });
        runs(&site, &site.upgrade(smaller).await).await;
    }
}

#[tokio::test]
async fn a_helm_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let helm = folder.path().join("helm");
    let mut site = Site::begin("helm").await;
    site.story.server.stop().await;
    site.story
        .server
        .start_again_with("--helm", helm.to_str().unwrap())
        .await;
    let release = failed(&site.install_draft(&web(), None).await, "HELM_MISSING");
    symlink(harness::helm::on_path(site.owner.program()), helm).unwrap();
    runs_after_a_retry(&site, &release).await;
}

#[tokio::test]
async fn a_cluster_in_trouble_while_helm_writes() {
    use harness::kubernetes::{Failure, Fault};
    for helm in ["helm", "helm4"] {
        let site = Site::begin(helm).await;
        site.kubernetes
            .fail(Fault::new(Failure::Answer(500)).of_writes().of_path("/deployments"));
        let release = failed(&site.install_draft(&web(), None).await, "HELM_FAILED");
        site.kubernetes.heal();
        runs_after_a_retry(&site, &release).await;
    }
}

#[tokio::test]
async fn a_project_whose_namespace_may_not_be_made_waits_for_the_rights() {
    let site = Site::begin("helm").await;
    let kubernetes = harness::kubernetes::Kubernetes::start().await;
    let kubeconfig = charthouses_kubeconfig(&kubernetes);
    let wanted = json!({ "name": "second", "kubeconfig": kubeconfig });
    let cluster = site.story.admin.does("registerCluster", wanted).await;
    kubernetes.change("clusterroles", "", "charthouse", |role| role["rules"] = json!([]));
    let wanted = json!({ "workspace": site.story.workspace, "name": "late", "cluster": cluster["cluster"]["id"] });
    let project = site.story.isv.does("createProject", wanted).await;
    let project = text(&project, "/project/id");
    let app = site.story.app(&web()).await;
    let wanted = json!({ "project": project, "name": "web", "version": app.version });
    let made = site.story.isv.does("installRelease", wanted).await;
    let release = text(&made, "/release/id");
    let ended = settled(&site.story.isv, release).await;
    assert_eq!(
        text(&ended, "/attempts/nodes/0/failure"),
        "PROJECT_NOT_READY",
        "{ended:#}"
    );
    let rules = super::documented_role()["rules"].take();
    kubernetes.change("clusterroles", "", "charthouse", |role| role["rules"] = rules);
    site.story
        .isv
        .does("retryOperation", json!({ "release": release }))
        .await;
    let running = settled(&site.story.isv, release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
}
