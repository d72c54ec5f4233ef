use domain::cluster::{Found, Trouble};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use uuid::Uuid;

use super::{
    super::{KubernetesError, probe, trouble},
    scripted::{Scripted, client_of},
};

fn said(message: &str) -> Value {
    json!({ "kind": "Status", "message": message })
}

#[tokio::test]
async fn a_cluster_is_known_by_the_uid_of_kube_system() {
    let uid = Uuid::from_u128(7);
    let cluster = Scripted::answering(&[
        ("GET /version", 200, json!({ "gitVersion": "v1.36.0", "major": "1" })),
        (
            "GET /api/v1/namespaces/kube-system",
            200,
            json!({ "metadata": { "uid": uid } }),
        ),
    ])
    .await;
    let version = "v1.36.0".to_owned();
    assert_eq!(probe(&cluster.client).await.unwrap(), Found { uid, version });
    assert!(cluster.changes().is_empty());
}

#[tokio::test]
async fn what_is_no_kubernetes_is_said_to_be_none() {
    let uid = json!({ "metadata": { "uid": Uuid::nil() } });
    for (version, namespace) in [
        (json!({ "hello": "world" }), uid.clone()),
        (json!("hello"), uid.clone()),
        (json!({ "gitVersion": "two words" }), uid),
        (
            json!({ "gitVersion": "v1.36.0" }),
            json!({ "metadata": { "uid": "7" } }),
        ),
    ] {
        let cluster = Scripted::answering(&[
            ("GET /version", 200, version.clone()),
            ("GET /api/v1/namespaces/kube-system", 200, namespace),
        ])
        .await;
        let error = probe(&cluster.client).await.unwrap_err();
        assert!(
            matches!(error, KubernetesError::NotKubernetes { .. }),
            "{version}: {error}"
        );
        assert_eq!(trouble(&error), Trouble::Failed);
    }
}

#[tokio::test]
async fn refusals_are_told_apart_and_keep_the_cluster_s_words() {
    for (status, expected) in [
        (401, Trouble::CredentialsRefused),
        (403, Trouble::RightsMissing),
        (500, Trouble::Failed),
    ] {
        let cluster = Scripted::answering(&[("GET /version", status, said("so it is"))]).await;
        let error = probe(&cluster.client).await.unwrap_err();
        assert_eq!(trouble(&error), expected);
        assert!(error.to_string().contains("so it is"), "{error}");
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_there_and_one_that_is_not_trusted_are_two_things() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nobody = client_of(&format!("http://{address}"));
    let error = probe(&nobody).await.unwrap_err();
    assert_eq!(trouble(&error), Trouble::Unreachable);
    assert!(error.is_unreachable());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // What answers here does not speak TLS.
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let somebody = client_of(&format!("https://{address}"));
    assert_eq!(trouble(&probe(&somebody).await.unwrap_err()), Trouble::Untrusted);
}

#[tokio::test]
async fn a_request_shows_the_token_and_whom_it_is_made_as() {
    let cluster = Scripted::answering(&[("GET /version", 200, json!({}))]).await;
    let user = "system:serviceaccount:web:charthouse";
    for client in [cluster.client.clone(), cluster.client.acting_as(user)] {
        let _: Option<Value> = client.get("/version").await.unwrap();
    }
    let asked = cluster.asked();
    let impersonated: Vec<_> = asked
        .iter()
        .map(|asked| asked.headers.get("impersonate-user").map(String::as_str))
        .collect();
    assert_eq!(impersonated, [None, Some(user)]);
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == "Bearer secret")
    );
}

#[tokio::test]
async fn what_is_missing_is_no_failure_and_deleting_it_neither() {
    let cluster = Scripted::answering(&[("POST /there", 409, said("it exists"))]).await;
    assert_eq!(cluster.client.get::<Value>("/nothing").await.unwrap(), None);
    cluster.client.delete("/nothing").await.unwrap();
    let refused = cluster.client.create("/there", &json!({})).await.unwrap_err();
    assert!(matches!(refused, KubernetesError::Conflict { .. }), "{refused}");
}
