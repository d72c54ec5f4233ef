//! A kubeconfig is read strictly before anything is stored, sent or run.

use harness::{Story, kubernetes::Kubernetes};
use serde_json::{Value, json};

use super::charthouses_kubeconfig;

/// A good kubeconfig as JSON, to be spoilt.
fn good(kubernetes: &Kubernetes) -> Value {
    serde_yaml::from_str(&kubernetes.kubeconfig()).unwrap()
}

#[tokio::test]
async fn what_would_run_read_or_trust_anything_is_refused_by_name_and_nothing_comes_of_it() {
    let kubernetes = Kubernetes::start().await;
    let story = Story::begin().await;
    let before = story.events().await;
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("it-ran");
    let exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [trace] });
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, kubernetes.token()).unwrap();

    let cluster = "/clusters/0/cluster";
    let user = "/users/0/user";
    for (place, field, value, code) in [
        (user, "exec", exec, "KUBECONFIG_EXEC"),
        (
            user,
            "auth-provider",
            json!({ "name": "gcp" }),
            "KUBECONFIG_AUTH_PROVIDER",
        ),
        (user, "tokenFile", json!(token_file), "KUBECONFIG_FILE"),
        (user, "client-key", json!("/etc/shadow"), "KUBECONFIG_FILE"),
        (user, "client-certificate", json!("/etc/passwd"), "KUBECONFIG_FILE"),
        (
            cluster,
            "certificate-authority",
            json!("/etc/ssl/certs/ca-certificates.crt"),
            "KUBECONFIG_FILE",
        ),
        (cluster, "insecure-skip-tls-verify", json!(true), "KUBECONFIG_INSECURE"),
        (cluster, "proxy-url", json!("http://127.0.0.1:1"), "KUBECONFIG_PROXY"),
        (
            cluster,
            "server",
            json!("http://kubernetes.example.org"),
            "KUBECONFIG_SERVER",
        ),
        (cluster, "server", json!("file:///etc/passwd"), "KUBECONFIG_SERVER"),
        (
            cluster,
            "certificate-authority-data",
            Value::Null,
            "KUBECONFIG_AUTHORITY",
        ),
        (user, "token", Value::Null, "KUBECONFIG_CREDENTIALS"),
        (user, "as", json!("system:admin"), "KUBECONFIG_UNSUPPORTED"),
        ("", "current-context", json!("another"), "KUBECONFIG_CONTEXT"),
        ("", "contexts", json!([]), "KUBECONFIG_CONTEXT"),
    ] {
        let mut spoilt = good(&kubernetes);
        let fields = spoilt.pointer_mut(place).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(fields.remove(field)),
            value => drop(fields.insert(field.to_owned(), value)),
        }
        let wanted = json!({ "name": "spoilt", "kubeconfig": spoilt.to_string() });
        let refusal = story.admin.is_refused("registerCluster", wanted).await;
        assert_eq!(refusal.code, code, "{field}: {refusal:?}");
    }
    for (text, code) in [
        ("{{ not: yaml", "KUBECONFIG_INVALID"),
        ("- a list", "KUBECONFIG_INVALID"),
        ("users: []\nusers: []\n", "KUBECONFIG_INVALID"),
        ("", "KUBECONFIG_CONTEXT"),
        ("&a [*a, *a]", "KUBECONFIG_INVALID"),
    ] {
        let wanted = json!({ "name": "spoilt", "kubeconfig": text });
        assert_eq!(
            story.admin.is_refused("registerCluster", wanted).await.code,
            code,
            "{text}"
        );
    }
    let large = format!("# {}\n{}", "x".repeat(70_000), kubernetes.kubeconfig());
    let wanted = json!({ "name": "spoilt", "kubeconfig": large });
    assert_eq!(
        story.admin.is_refused("registerCluster", wanted).await.code,
        "KUBECONFIG_TOO_LARGE"
    );

    assert!(!trace.exists(), "no program of a kubeconfig's choice runs");
    assert_eq!(kubernetes.requests().len(), 0, "nobody was asked");
    assert_eq!(story.events().await, before, "nothing was recorded");
}

#[tokio::test]
async fn a_cluster_is_registered_once_by_token_or_certificate_and_only_if_it_is_the_one() {
    let kubernetes = Kubernetes::start().await;
    let story = Story::begin().await;
    let register = |name: &str, kubeconfig: &str| json!({ "name": name, "kubeconfig": kubeconfig });
    let certificate = kubernetes.kubeconfig_with_certificate();
    story
        .admin
        .does("registerCluster", register("first", &certificate))
        .await;
    let again = register("second", &kubernetes.kubeconfig());
    assert_eq!(
        story.admin.is_refused("registerCluster", again).await.code,
        "CLUSTER_EXISTS"
    );
    let stranger = register("third", &charthouses_kubeconfig(&Kubernetes::start().await));
    story.isv.is_refused("registerCluster", stranger.clone()).await;
    // That cluster is gone by now.
    assert_eq!(
        story.admin.is_refused("registerCluster", stranger).await.code,
        "CLUSTER_UNREACHABLE"
    );

    let other = Kubernetes::start().await;
    let mut untrusted = good(&other);
    untrusted["clusters"][0]["cluster"]["certificate-authority-data"] =
        good(&kubernetes)["clusters"][0]["cluster"]["certificate-authority-data"].clone();
    let refusal = story
        .admin
        .is_refused("registerCluster", register("fourth", &untrusted.to_string()))
        .await;
    assert_eq!(refusal.code, "CLUSTER_UNTRUSTED");
    let unknown = register("fifth", &other.kubeconfig_with("unknown"));
    assert_eq!(
        story.admin.is_refused("registerCluster", unknown).await.code,
        "CLUSTER_CREDENTIALS_REFUSED"
    );
    let powerless = register("sixth", &other.kubeconfig_with(&other.token_of_user("nobody")));
    assert_eq!(
        story.admin.is_refused("registerCluster", powerless).await.code,
        "CLUSTER_RIGHTS_MISSING"
    );
}

#[tokio::test]
async fn a_cluster_tells_its_version_and_whether_it_is_there_and_says_so_once() {
    let kubernetes = Kubernetes::start().await;
    let story = Story::begin().await;
    let wanted = json!({ "name": "first", "kubeconfig": charthouses_kubeconfig(&kubernetes) });
    let registered = story.admin.does("registerCluster", wanted).await;
    assert_eq!(registered["cluster"]["version"], json!("v1.34.0"));
    let check = json!({ "cluster": registered["cluster"]["id"] });
    let before = story.events().await;
    kubernetes.disconnect().await;
    for _ in 0..2 {
        let lost = story.admin.does("checkCluster", check.clone()).await;
        assert_eq!(lost["cluster"]["reachable"], json!(false), "{lost}");
    }
    kubernetes.connect();
    for _ in 0..2 {
        let found = story.admin.does("checkCluster", check.clone()).await;
        assert_eq!(found["cluster"]["reachable"], json!(true), "{found}");
    }
    assert_eq!(
        story.events().await,
        before + 2,
        "what did not change is not recorded again"
    );
}
