use serde_json::{Value, json};

use super::{super::scope, scripted::Scripted};

fn resources() -> [(&'static str, u16, Value); 2] {
    let kind =
        |name: &str, kind: &str, namespaced: bool| json!({ "name": name, "kind": kind, "namespaced": namespaced });
    [
        (
            "GET /api/v1",
            200,
            json!({ "resources": [
                kind("configmaps", "ConfigMap", true),
                kind("namespaces", "Namespace", false),
                kind("namespaces/status", "Namespace", true),
            ] }),
        ),
        (
            "GET /apis/rbac.authorization.k8s.io/v1",
            200,
            json!({ "resources": [kind("clusterrolebindings", "ClusterRoleBinding", false)] }),
        ),
    ]
}

async fn refusal(manifest: &str) -> Option<String> {
    let cluster = Scripted::answering(&resources()).await;
    let checked = scope::check(&cluster.client, manifest, "web").await;
    assert!(cluster.changes().is_empty());
    checked.err().map(|error| error.to_string())
}

fn object(api_version: &str, kind: &str, metadata: &str) -> String {
    format!("---\napiVersion: {api_version}\nkind: {kind}\nmetadata: {metadata}\n")
}

#[tokio::test]
async fn what_stays_in_its_namespace_is_in_scope() {
    let manifest = object("v1", "ConfigMap", "{name: a}") + &object("v1", "ConfigMap", "{name: b, namespace: web}");
    assert_eq!(refusal(&manifest).await, None);
    assert_eq!(refusal("").await, None);
}

#[tokio::test]
async fn everything_beyond_the_namespace_is_listed() {
    let manifest = [
        object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "{name: evil}"),
        object("v1", "ConfigMap", "{name: a}"),
        object("v1", "ConfigMap", "{name: b, namespace: other}"),
        object("v1", "Namespace", "{name: mine}"),
    ];
    assert_eq!(
        refusal(&manifest.concat()).await.unwrap(),
        "the chart reaches beyond the namespace web: ClusterRoleBinding evil, ConfigMap other/b, Namespace mine"
    );
}

#[tokio::test]
async fn what_hides_in_a_list_is_found_and_what_cannot_be_read_is_refused() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: mine}}\n";
    assert!(refusal(list).await.unwrap().ends_with("Namespace mine"));
    assert_eq!(
        refusal("a: [").await.unwrap(),
        "it cannot be seen what the chart reaches"
    );
}
