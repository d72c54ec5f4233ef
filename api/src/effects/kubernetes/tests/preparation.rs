use domain::{
    ids::ProjectId,
    names::Namespace,
    project::{Preparation, PreparationFailure},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::preparation::{prepare, user_of},
    scripted::Scripted,
};

const NAMESPACE: &str = "GET /api/v1/namespaces/web";
const ACCOUNT: &str = "GET /api/v1/namespaces/web/serviceaccounts/charthouse";
const BINDING: &str = "GET /apis/rbac.authorization.k8s.io/v1/namespaces/web/rolebindings/charthouse";
const MAKE_NAMESPACE: &str = "POST /api/v1/namespaces";
const MAKE_ACCOUNT: &str = "POST /api/v1/namespaces/web/serviceaccounts";
const MAKE_BINDING: &str = "POST /apis/rbac.authorization.k8s.io/v1/namespaces/web/rolebindings";

fn id(number: u128) -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(number))
}

fn namespace() -> Namespace {
    "web".parse().unwrap()
}

fn owned_by(project: ProjectId) -> Value {
    json!({ "metadata": { "labels": { "charthouse/project": project.to_string() }, "resourceVersion": "5" } })
}

fn nobody_s() -> Value {
    json!({ "metadata": { "resourceVersion": "5" } })
}

fn binding() -> Value {
    json!({
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": "charthouse", "namespace": "web" }],
    })
}

async fn failure(cluster: &Scripted) -> Option<PreparationFailure> {
    let prepared = prepare(&cluster.client, id(1), &namespace(), Preparation { adopt: false }).await;
    prepared.err().map(|unprepared| unprepared.reason())
}

#[tokio::test]
async fn what_is_missing_is_made_and_limited_to_the_namespace() {
    let cluster = Scripted::answering(&[
        (MAKE_NAMESPACE, 201, json!({})),
        (MAKE_ACCOUNT, 201, json!({})),
        (MAKE_BINDING, 201, json!({})),
    ])
    .await;
    assert_eq!(failure(&cluster).await, None);
    assert_eq!(cluster.changes(), [MAKE_NAMESPACE, MAKE_ACCOUNT, MAKE_BINDING]);
    let asked = cluster.asked();
    let body = |what: &str| &asked.iter().find(|asked| asked.what == what).unwrap().body;
    assert_eq!(
        body(MAKE_NAMESPACE)["metadata"]["labels"]["charthouse/project"],
        id(1).to_string()
    );
    assert_eq!(body(MAKE_BINDING)["roleRef"], binding()["roleRef"]);
    assert_eq!(body(MAKE_BINDING)["subjects"], binding()["subjects"]);
    assert_eq!(user_of(&namespace()), "system:serviceaccount:web:charthouse");
}

#[tokio::test]
async fn preparing_again_changes_nothing() {
    let cluster = Scripted::answering(&[
        (NAMESPACE, 200, owned_by(id(1))),
        (ACCOUNT, 200, json!({})),
        (BINDING, 200, binding()),
    ])
    .await;
    assert_eq!(failure(&cluster).await, None);
    assert!(cluster.changes().is_empty());
}

#[tokio::test]
async fn another_worker_that_makes_the_same_does_not_matter() {
    let exists = || json!({ "message": "it exists" });
    let cluster = Scripted::answering(&[
        (NAMESPACE, 404, json!({})),
        (NAMESPACE, 200, owned_by(id(1))),
        (MAKE_NAMESPACE, 409, exists()),
        (MAKE_ACCOUNT, 409, exists()),
        (MAKE_BINDING, 409, exists()),
    ])
    .await;
    assert_eq!(failure(&cluster).await, None);
}

#[tokio::test]
async fn a_namespace_that_is_not_the_project_s_is_left_alone() {
    let deleted = json!({ "metadata": { "deletionTimestamp": "2026-11-22T16:41:40Z" } });
    for (found, expected) in [
        (owned_by(id(2)), PreparationFailure::NamespaceTaken),
        (nobody_s(), PreparationFailure::NamespaceExists),
        (deleted, PreparationFailure::NamespaceTerminating),
    ] {
        let cluster = Scripted::answering(&[(NAMESPACE, 200, found)]).await;
        assert_eq!(failure(&cluster).await, Some(expected));
        assert!(cluster.changes().is_empty());
    }
}

#[tokio::test]
async fn nobody_s_namespace_is_taken_over_only_if_that_was_decided_and_nobody_was_first() {
    let patch = "PATCH /api/v1/namespaces/web";
    let adopt = Preparation { adopt: true };
    for (status, expected) in [(200, None), (409, Some(PreparationFailure::ClusterFailed))] {
        let cluster = Scripted::answering(&[
            (NAMESPACE, 200, nobody_s()),
            (patch, status, json!({})),
            (ACCOUNT, 200, json!({})),
            (BINDING, 200, binding()),
        ])
        .await;
        let prepared = prepare(&cluster.client, id(1), &namespace(), adopt).await;
        assert_eq!(prepared.err().map(|unprepared| unprepared.reason()), expected);
        let asked = cluster.asked();
        let change = &asked.iter().find(|asked| asked.what == patch).unwrap().body;
        assert_eq!(change["metadata"]["resourceVersion"], "5");
        assert_eq!(change["metadata"]["labels"]["charthouse/project"], id(1).to_string());
    }
    let taken = Scripted::answering(&[(NAMESPACE, 200, owned_by(id(2)))]).await;
    let refused = prepare(&taken.client, id(1), &namespace(), adopt).await.unwrap_err();
    assert_eq!(refused.reason(), PreparationFailure::NamespaceTaken);
}

#[tokio::test]
async fn what_the_cluster_refuses_is_the_reason() {
    for (status, expected) in [
        (401, PreparationFailure::CredentialsRefused),
        (403, PreparationFailure::RightsMissing),
        (500, PreparationFailure::ClusterFailed),
    ] {
        let cluster = Scripted::answering(&[(NAMESPACE, status, json!({}))]).await;
        assert_eq!(failure(&cluster).await, Some(expected));
    }
    let mut foreign = binding();
    foreign["roleRef"]["name"] = "cluster-admin".into();
    let cluster = Scripted::answering(&[
        (NAMESPACE, 200, owned_by(id(1))),
        (ACCOUNT, 200, json!({})),
        (BINDING, 200, foreign),
    ])
    .await;
    assert_eq!(failure(&cluster).await, Some(PreparationFailure::ClusterFailed));
}
