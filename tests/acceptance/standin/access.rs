//! Roles are enforced, for tokens and for whoever is impersonated.

use harness::{kubernetes::Kubernetes, text};
use reqwest::Method;
use serde_json::{Value, json};

use super::cluster;

const ACCOUNT: &str = "system:serviceaccount:shop:deployer";

/// A namespace with an account that may do everything in it and nothing elsewhere.
fn with_account(kubernetes: &Kubernetes) {
    let rbac = "rbac.authorization.k8s.io";
    let role = json!({ "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": { "name": "all", "namespace": "shop" },
        "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] });
    let binding = json!({ "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": { "name": "all", "namespace": "shop" },
        "roleRef": { "apiGroup": rbac, "kind": "Role", "name": "all" },
        "subjects": [{ "kind": "ServiceAccount", "name": "deployer", "namespace": "shop" }] });
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "deployer", "namespace": "shop" } });
    kubernetes.create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }));
    for object in [account, role, binding] {
        kubernetes.create(object);
    }
}

/// What the API answers to one request.
async fn answer(kubernetes: &Kubernetes, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", kubernetes.url()));
    let response = request.bearer_auth(token).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn helm_acts_as_whom_it_impersonates_and_can_do_no_more() {
    let (kubernetes, helms) = cluster().await;
    with_account(&kubernetes);
    for (number, helm) in helms.iter().enumerate() {
        let name = format!("web-{number}");
        let install = [
            "install",
            &name,
            "web.tgz",
            "--wait",
            "--timeout",
            "20s",
            "--kube-as-user",
            ACCOUNT,
        ];
        let before = kubernetes.requests().len();
        helm.run(&[&install[..], &["--namespace", "shop"]].concat()).await;
        let requests = kubernetes.requests().split_off(before);
        assert!(
            requests
                .iter()
                .all(|request| request.sender.as_deref() == Some("owner"))
        );
        assert!(
            requests.iter().all(|request| request.user.as_deref() == Some(ACCOUNT)),
            "{requests:#?}"
        );
        assert!(requests.iter().any(harness::kubernetes::Request::is_write));

        let said = helm.fails(&[&install[..], &["--namespace", "default"]].concat()).await;
        assert!(said.contains("forbidden") && said.contains(ACCOUNT), "{said}");
    }
    assert_eq!(kubernetes.list("secrets", "default"), Vec::<Value>::new());
}

#[tokio::test]
async fn an_account_with_its_own_token_is_known_as_long_as_it_is_there() {
    let kubernetes = Kubernetes::start_without_tls().await;
    with_account(&kubernetes);
    let path = "/api/v1/namespaces/shop/serviceaccounts/deployer/token";
    let (status, request) = answer(&kubernetes, kubernetes.token(), Method::POST, path, json!({})).await;
    assert_eq!(status, 201);
    let token = text(&request, "/status/token");
    let secrets = |namespace| format!("/api/v1/namespaces/{namespace}/secrets");
    let get = async |path: &str| answer(&kubernetes, token, Method::GET, path, json!({})).await;
    assert_eq!(get(&secrets("shop")).await.0, 200);
    let (status, refusal) = get(&secrets("default")).await;
    assert_eq!(status, 403);
    let said = format!(
        "secrets is forbidden: User \"{ACCOUNT}\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\""
    );
    assert_eq!(text(&refusal, "/message"), said);
    assert_eq!(get("/api/v1/namespaces").await.0, 403);
    assert_eq!(
        get("/api/v1/namespaces/shop").await.0,
        200,
        "a namespace is inside itself"
    );
    kubernetes.delete("serviceaccounts", "shop", "deployer");
    assert_eq!(get(&secrets("shop")).await.0, 401);
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have() {
    let kubernetes = Kubernetes::start_without_tls().await;
    with_account(&kubernetes);
    let token = kubernetes.token_of_account("shop", "deployer");
    let bind = |role: &str| json!({ "metadata": { "name": role }, "roleRef": { "kind": "ClusterRole", "name": role } });
    let path = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings";
    let post = async |path: &str, body| answer(&kubernetes, &token, Method::POST, path, body).await.0;
    assert_eq!(
        post(path, bind("edit")).await,
        201,
        "it has all of that in its own namespace"
    );
    assert_eq!(
        post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", bind("view")).await,
        403
    );

    let limited = kubernetes.token_of_user("limited");
    kubernetes.create(
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "maker" },
        "rules": [{ "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"] },
            { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }] }),
    );
    kubernetes.create(json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "maker" },
        "roleRef": { "kind": "ClusterRole", "name": "maker" }, "subjects": [{ "kind": "User", "name": "limited" }] }));
    let role = |name: &str, verb: &str| json!({ "metadata": { "name": name }, "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": [verb] }] });
    let path = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles";
    let make = async |body| answer(&kubernetes, &limited, Method::POST, path, body).await;
    assert_eq!(make(role("reader", "get")).await.0, 201);
    let (status, refusal) = make(role("writer", "*")).await;
    assert_eq!(status, 403);
    assert!(text(&refusal, "/message").contains("not currently held"), "{refusal}");
}

#[tokio::test]
async fn whoever_may_not_impersonate_does_not() {
    let (kubernetes, helms) = cluster().await;
    with_account(&kubernetes);
    helms[0].use_cluster(&kubernetes.kubeconfig_with(&kubernetes.token_of_user("somebody")));
    helms[0]
        .fails(&["list", "--namespace", "shop", "--kube-as-user", ACCOUNT])
        .await;
    let requests = kubernetes.requests();
    assert!(
        requests.iter().all(|request| request.status == Some(403)),
        "{requests:#?}"
    );
}

#[tokio::test]
async fn one_can_ask_what_one_may_do() {
    let kubernetes = Kubernetes::start_without_tls().await;
    with_account(&kubernetes);
    let token = kubernetes.token_of_account("shop", "deployer");
    for (namespace, allowed) in [("shop", true), ("default", false)] {
        let asked = json!({ "spec": { "resourceAttributes": { "verb": "create", "resource": "pods", "namespace": namespace } } });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let (status, review) = answer(&kubernetes, &token, Method::POST, path, asked).await;
        assert_eq!(
            (status, &review["status"]["allowed"]),
            (201, &json!(allowed)),
            "{namespace}"
        );
    }
}

#[tokio::test]
async fn a_client_certificate_is_as_good_as_a_token_until_it_is_revoked() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        helm.use_cluster(&kubernetes.kubeconfig_with_certificate());
        helm.run(&["list"]).await;
    }
    kubernetes.revoke_credentials();
    for helm in &helms {
        helm.fails(&["list"]).await;
    }
}
