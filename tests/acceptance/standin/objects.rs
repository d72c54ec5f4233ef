//! Objects: what is valid, who wins, and what a watcher sees.

use harness::{kubernetes::Kubernetes, text};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

fn request(kubernetes: &Kubernetes, method: Method, path: &str) -> RequestBuilder {
    let client = reqwest::Client::new();
    client
        .request(method, format!("{}{path}", kubernetes.url()))
        .bearer_auth(kubernetes.token())
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn secret(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { "word": "hello" } })
}

const SECRETS: &str = "/api/v1/namespaces/default/secrets";

#[tokio::test]
async fn whoever_wrote_first_wins() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let post = async |object: Value| answer(request(&kubernetes, Method::POST, SECRETS).json(&object)).await;
    let (status, mut first) = post(secret("a")).await;
    assert_eq!((status, text(&first, "/data/word")), (201, "aGVsbG8="));
    let (status, refusal) = post(secret("a")).await;
    assert_eq!((status, text(&refusal, "/reason")), (409, "AlreadyExists"));

    let mut second = first.clone();
    first["data"]["word"] = json!("Zmlyc3Q=");
    second["data"]["word"] = json!("c2Vjb25k");
    let path = format!("{SECRETS}/a");
    let put = async |object: Value| answer(request(&kubernetes, Method::PUT, &path).json(&object)).await;
    assert_eq!(put(first).await.0, 200);
    let (status, refusal) = put(second).await;
    assert_eq!((status, text(&refusal, "/reason")), (409, "Conflict"));
}

#[tokio::test]
async fn what_kubernetes_would_refuse_is_refused() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let post = async |path: &str, object: Value| answer(request(&kubernetes, Method::POST, path).json(&object)).await.0;
    for name in ["Upper", "under_score", "-a", "a..b", ""] {
        assert_eq!(post(SECRETS, secret(name)).await, 422, "{name:?}");
    }
    let mut labelled = secret("b");
    labelled["metadata"]["labels"] = json!({ "a": "not a label" });
    assert_eq!(post(SECRETS, labelled).await, 422);
    assert_eq!(post("/api/v1/namespaces/nowhere/secrets", secret("b")).await, 404);
    assert_eq!(post("/api/v1/namespaces/default/unknowns", secret("b")).await, 404);
    assert_eq!(post("/api/v1/namespaces/default/pods", secret("b")).await, 400);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let dry = request(&kubernetes, Method::POST, &format!("{SECRETS}?dryRun=All")).json(&secret("a"));
    assert_eq!(answer(dry).await.0, 201);
    assert_eq!(kubernetes.get("secrets", "default", "a"), None);
}

#[tokio::test]
async fn an_object_with_a_finalizer_is_gone_when_its_finalizer_is() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let mut object = secret("a");
    object["metadata"]["namespace"] = json!("default");
    object["metadata"]["finalizers"] = json!(["example.org/slow"]);
    kubernetes.create(object);
    let path = format!("{SECRETS}/a");
    assert_eq!(answer(request(&kubernetes, Method::DELETE, &path)).await.0, 200);
    assert!(
        text(
            &kubernetes.get("secrets", "default", "a").unwrap(),
            "/metadata/deletionTimestamp"
        )
        .contains('T')
    );
    kubernetes.change("secrets", "default", "a", |secret| {
        secret["metadata"]["finalizers"] = json!([]);
    });
    assert_eq!(kubernetes.get("secrets", "default", "a"), None);
}

#[tokio::test]
async fn a_watcher_sees_what_is_there_and_then_what_happens() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let labelled = |name: &str| {
        json!({ "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": "default", "labels": { "app": "a" } } })
    };
    kubernetes.create(labelled("before"));
    let path = "/api/v1/namespaces/default/configmaps?watch=true&labelSelector=app%3Da&sendInitialEvents=true&timeoutSeconds=60";
    let mut response = request(&kubernetes, Method::GET, path).send().await.unwrap();
    kubernetes.create(labelled("after"));
    kubernetes.change("configmaps", "default", "before", |map| {
        map["metadata"]["labels"] = json!({});
    });
    kubernetes.change("configmaps", "default", "after", |map| {
        map["data"] = json!({ "a": "b" });
    });
    kubernetes.delete("configmaps", "default", "after");
    let mut lines = String::new();
    while lines.lines().count() < 6 {
        lines.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen = events.iter().map(|event| {
        (
            text(event, "/type"),
            event.pointer("/object/metadata/name").and_then(Value::as_str),
        )
    });
    let expected = [
        ("ADDED", Some("before")),
        ("BOOKMARK", None),
        ("ADDED", Some("after")),
        ("DELETED", Some("before")),
        ("MODIFIED", Some("after")),
        ("DELETED", Some("after")),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_custom_resource_is_known_as_long_as_it_is_defined() {
    let kubernetes = Kubernetes::start_without_tls().await;
    let path = "/apis/example.org/v1/namespaces/default/ships";
    assert_eq!(answer(request(&kubernetes, Method::GET, path)).await.0, 404);
    kubernetes.create(
        json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "ships.example.org" },
        "spec": { "group": "example.org", "scope": "Namespaced", "names": { "plural": "ships", "kind": "Ship" },
            "versions": [{ "name": "v1", "served": true, "storage": true }] } }),
    );
    let ship = json!({ "metadata": { "name": "argo" } });
    assert_eq!(
        answer(request(&kubernetes, Method::POST, path).json(&ship)).await.0,
        201
    );
    assert_eq!(
        answer(request(&kubernetes, Method::GET, path)).await.1["items"][0]["kind"],
        json!("Ship")
    );
    kubernetes.delete("customresourcedefinitions", "", "ships.example.org");
    assert_eq!(answer(request(&kubernetes, Method::GET, path)).await.0, 404);
}
