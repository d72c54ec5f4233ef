//! What is in a cluster from its beginning.

use serde_json::{Value, json};

/// What the role `edit` may do with what it lists; `view` may only read.
const WRITING: [&str; 8] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];
const READING: [&str; 3] = ["get", "list", "watch"];
const RBAC: &str = "rbac.authorization.k8s.io";

/// The objects, each with the plural of its resource; none needs one that comes after it.
pub(super) fn objects() -> Vec<(&'static str, Value)> {
    let named = |name: &str| json!({ "metadata": { "name": name } });
    let mut objects = vec![
        ("namespaces", named("default")),
        ("namespaces", named("kube-public")),
        ("namespaces", named("kube-system")),
        ("nodes", named("node-0")),
        (
            "storageclasses",
            json!({ "metadata": { "name": "standard" }, "provisioner": "example.org/nothing" }),
        ),
    ];
    objects.extend(roles().map(|role| ("clusterroles", role)));
    objects.extend(bindings().map(|binding| ("clusterrolebindings", binding)));
    objects
}

/// The roles for users that every cluster has, with the rules that matter to the resources there are here.
fn roles() -> impl Iterator<Item = Value> {
    let everything = json!([
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] },
        { "nonResourceURLs": ["*"], "verbs": ["*"] },
    ]);
    let edit = workloads(&WRITING, true);
    let mut admin = edit.clone();
    admin.push(json!({ "apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": WRITING }));
    let open = json!([
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/readyz",
        "/openapi/*",
        "/version"
    ]);
    [
        ("cluster-admin", everything),
        ("admin", admin.into()),
        ("edit", edit.into()),
        ("view", workloads(&READING, false).into()),
        (
            "system:discovery",
            json!([{ "nonResourceURLs": open, "verbs": ["get"] }]),
        ),
    ]
    .into_iter()
    .map(|(name, rules)| json!({ "metadata": { "name": name }, "rules": rules }))
}

fn workloads(verbs: &[&str], and_secrets: bool) -> Vec<Value> {
    let rule =
        |group: &str, resources: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
    let mut rules = vec![
        rule(
            "",
            &[
                "configmaps",
                "endpoints",
                "persistentvolumeclaims",
                "pods",
                "serviceaccounts",
                "services",
            ],
        ),
        rule("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
        rule("autoscaling", &["horizontalpodautoscalers"]),
        rule("batch", &["cronjobs", "jobs"]),
        rule("networking.k8s.io", &["ingresses", "networkpolicies"]),
        rule("policy", &["poddisruptionbudgets"]),
        json!({
            "apiGroups": [""],
            "resources": ["events", "limitranges", "namespaces", "pods/log", "resourcequotas"],
            "verbs": READING,
        }),
    ];
    if and_secrets {
        rules.push(rule("", &["secrets"]));
    }
    rules
}

fn bindings() -> impl Iterator<Item = Value> {
    [
        ("cluster-admin", "cluster-admin", "system:masters"),
        ("system:discovery", "system:discovery", "system:authenticated"),
    ]
    .into_iter()
    .map(|(name, role, group)| {
        json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": RBAC, "kind": "Group", "name": group }],
        })
    })
}
