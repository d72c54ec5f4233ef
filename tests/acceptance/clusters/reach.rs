//! What a chart reaches for beyond its project's namespace, it does not get.

use harness::{
    chart,
    chart::Chart,
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};

use super::Site;

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: mine\nroleRef:\n  \
    apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: cluster-admin\nsubjects:\n- kind: ServiceAccount\n  \
    name: charthouse\n  namespace: lab\n";

/// A victim's Secret in another namespace of the same cluster, and a stranger with a project of their own there.
async fn with_a_stranger(helm: &str) -> (Site, String) {
    let site = Site::begin(helm).await;
    let named = |kind: &str, name: &str| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
    site.kubernetes.create(named("Namespace", "victim"));
    let mut secret = named("Secret", "password");
    secret["metadata"]["namespace"] = json!("victim");
    secret["stringData"] = json!({ "word": "do-not-tell" });
    site.kubernetes.create(secret);
    let wanted = json!({ "workspace": site.story.foreign_workspace, "name": "attic", "cluster": site.cluster, "namespace": "lab" });
    let project = site.story.stranger.does("createProject", wanted).await;
    let project = text(&project, "/project/id").to_owned();
    (site, project)
}

impl Site {
    /// The stranger test-installs a draft of their own, and it fails; answers why, and what was said.
    async fn stranger_fails(&self, project: &str, name: &str, chart: &Chart) -> (String, String) {
        let stranger = &self.story.stranger;
        let upload = stranger
            .upload(&self.story.foreign_workspace, "chart", chart.packed())
            .await;
        let made = { json!({ "workspace": self.story.foreign_workspace, "upload": upload }) };
        let made = stranger.does("uploadApp", made).await;
        let version = text(&made, "/app/versions/nodes/0/id");
        let wanted = json!({ "project": project, "name": name, "version": version });
        let made = stranger.does("installRelease", wanted).await;
        let ended = settled(stranger, text(&made, "/release/id")).await;
        assert_eq!(text(&ended, "/status"), "FAILED", "{ended:#}");
        let attempt = &ended["attempts"]["nodes"][0];
        (
            text(attempt, "/failure").to_owned(),
            text(attempt, "/output").to_owned(),
        )
    }
}

#[tokio::test]
async fn objects_of_the_whole_cluster_and_of_other_namespaces_are_refused_with_a_list() {
    for helm in ["helm", "helm4"] {
        let (site, project) = with_a_stranger(helm).await;
        let elsewhere = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: planted\n  namespace: victim\n";
        let hook = BINDING.replace(
            "  name: mine\n",
            "  name: mine\n  annotations:\n    helm.sh/hook: pre-install\n",
        );
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ships.example.org\n";
        for (name, chart, offender) in [
            (
                "binding",
                chart("binding", "1.0.0").file("templates/binding.yaml", BINDING),
                "ClusterRoleBinding",
            ),
            (
                "hook",
                chart("hook", "1.0.0").file("templates/hook.yaml", hook),
                "ClusterRoleBinding",
            ),
            (
                "elsewhere",
                chart("elsewhere", "1.0.0").file("templates/other.yaml", elsewhere),
                "victim",
            ),
            (
                "crd",
                chart("crd", "1.0.0").file("crds/ships.yaml", definition),
                "CustomResourceDefinition",
            ),
        ] {
            let (reason, said) = site.stranger_fails(&project, name, &chart).await;
            assert_eq!(reason, "SCOPE_REFUSED", "{name}: {said}");
            assert!(said.contains(offender), "{name}: {said}");
        }
        nothing_was_reached(&site);
    }
}

#[tokio::test]
async fn a_lookup_of_another_tenants_secret_shows_nothing() {
    for helm in ["helm", "helm4"] {
        let (site, project) = with_a_stranger(helm).await;
        let spy = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: loot\ndata:\n  word: {{ toJson (lookup \"v1\" \"Secret\" \"victim\" NAME) | quote }}\n";
        for (name, wanted) in [("one", "\"password\""), ("all", "\"\"")] {
            let chart = chart(name, "1.0.0").file("templates/spy.yaml", spy.replace("NAME", wanted));
            let (reason, said) = site.stranger_fails(&project, name, &chart).await;
            assert_eq!(reason, "HELM_FAILED");
            assert!(said.contains("forbidden"), "{said}");
            assert!(
                !said.contains("do-not-tell") && !said.contains("ZG8tbm90LXRlbGw="),
                "{said}"
            );
        }
        assert_eq!(site.kubernetes.get("configmaps", "lab", "loot"), None);
        nothing_was_reached(&site);
    }
}

#[tokio::test]
async fn what_a_template_makes_only_with_a_cluster_at_hand_meets_the_projects_rights() {
    for helm in ["helm", "helm4"] {
        let (site, project) = with_a_stranger(helm).await;
        let hidden = format!(
            "{{{{- if (lookup \"v1\" \"ServiceAccount\" \"lab\" \"charthouse\").metadata }}}}\n{BINDING}{{{{- end }}}}\n"
        );
        let chart = chart("hidden", "1.0.0").file("templates/hidden.yaml", hidden);
        let (reason, said) = site.stranger_fails(&project, "hidden", &chart).await;
        assert_eq!(reason, "HELM_FAILED", "{said}");
        assert!(said.contains("forbidden"), "{said}");
        nothing_was_reached(&site);
    }
}

fn nothing_was_reached(site: &Site) {
    assert_eq!(site.kubernetes.get("clusterrolebindings", "", "mine"), None);
    assert_eq!(site.kubernetes.get("configmaps", "victim", "planted"), None);
    assert_eq!(
        site.kubernetes
            .get("customresourcedefinitions", "", "ships.example.org"),
        None
    );
}

#[tokio::test]
async fn an_administrator_can_let_one_app_reach_further_and_take_it_back() {
    let site = Site::begin("helm").await;
    // Charthouse's own account gets what such an app needs.
    site.kubernetes
        .change("clusterrolebindings", "", "cluster-admin", |binding| {
            binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": "charthouse", "namespace": "charthouse" },
            { "kind": "Group", "name": "system:masters" }]);
        });
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: wide\nrules: []\n";
    let app = site
        .story
        .published(&chart("wide", "1.0.0").file("templates/role.yaml", role))
        .await;
    let wanted = json!({ "project": site.story.project, "name": "wide", "version": app.version });
    let made = site.story.isv.does("installRelease", wanted).await;
    let release = text(&made, "/release/id");
    let refused = settled(&site.story.isv, release).await;
    assert_eq!(
        text(&refused, "/attempts/nodes/0/failure"),
        "SCOPE_REFUSED",
        "{refused:#}"
    );

    let scope = json!({ "cluster": site.cluster, "app": app.app });
    site.story.isv.is_refused("allowClusterScope", scope.clone()).await;
    site.story.admin.does("allowClusterScope", scope.clone()).await;
    let running = site.retry(release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    assert!(site.kubernetes.get("clusterroles", "", "wide").is_some());

    site.story.admin.does("forbidClusterScope", scope).await;
    let wanted = json!({ "release": release, "values": "greeting: again\n" });
    let refused = site.upgrade(wanted).await;
    assert_eq!(
        text(&refused, "/attempts/nodes/0/failure"),
        "SCOPE_REFUSED",
        "{refused:#}"
    );
    let recorded: Vec<Value> = audit_trail(&site.story.admin).await;
    let count = |event: &str| recorded.iter().filter(|entry| entry["event"] == json!(event)).count();
    assert_eq!((count("ClusterScopeAllowed"), count("ClusterScopeForbidden")), (1, 1));
}
