//! The audit trail: filters, causes and consequences, and the event behind each row.

use harness::{
    Person, Story, chart,
    helm::Helm,
    list,
    story::{settled, what_was_read},
    text, texts,
};
use serde_json::{Value, json};

const TRAIL: &str = "query($filter: AuditFilterInput, $first: Int, $after: String) { \
    auditTrail(filter: $filter, first: $first, after: $after) { \
    nodes { position eventId event correlationId causationId commandId leafHash submission versionNumber data } \
    pageInfo { hasNextPage endCursor } } }";

async fn events(person: &Person, filter: Value) -> Vec<String> {
    let trail = person.ask(TRAIL, json!({ "filter": filter, "first": 100 })).await;
    texts(&trail, "/auditTrail/nodes", "/event")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn filters_are_combined_and_pages_miss_nothing() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    story.submit(&app.version).await;
    story
        .reviewer
        .does("startReview", json!({ "version": app.version }))
        .await;
    let mut reject = what_was_read(&story.reviewer, &app.version).await;
    let submission = reject["submission"].clone();
    reject["reason"] = json!("no summary");
    story.reviewer.does("rejectVersion", reject).await;
    story.publish(&app.version).await;
    let other = story.version(&app.app, &chart("redis", "12.0.0")).await;

    let admin = &story.admin;
    assert_eq!(
        events(admin, json!({ "submission": submission })).await,
        ["VersionRejected", "ReviewStarted", "VersionSubmitted"]
    );
    assert_eq!(
        events(admin, json!({ "decision": "REJECTED" })).await,
        ["VersionRejected"]
    );
    assert_eq!(
        events(admin, json!({ "decision": "APPROVED" })).await,
        ["VersionApproved"]
    );
    assert_eq!(events(admin, json!({ "version": other })).await, ["VersionUploaded"]);
    let mine = story.isv.ask("{ viewer { account { id } } }", json!({})).await;
    let isv = text(&mine, "/viewer/account/id");
    let filter = json!({ "actor": isv, "app": app.app, "version": app.version, "workspace": story.workspace });
    assert_eq!(
        events(admin, filter).await,
        [
            "PublishedToStore",
            "VersionSubmitted",
            "VersionSubmitted",
            "VersionUploaded"
        ]
    );
    assert_eq!(
        events(admin, json!({ "actor": isv, "byCharthouse": true })).await,
        [""; 0]
    );
    assert!(
        events(admin, json!({ "byCharthouse": true }))
            .await
            .contains(&"ClusterRegistered".to_owned())
    );

    // Members see what happened in their workspace, and only there.
    let within = json!({ "workspace": story.workspace, "decision": "REJECTED" });
    assert_eq!(events(&story.isv, within.clone()).await, ["VersionRejected"]);
    assert_eq!(events(&story.stranger, within).await, [""; 0]);

    let whole = events(admin, json!({})).await;
    let (mut walked, mut after) = (vec![], Value::Null);
    loop {
        let page = admin.ask(TRAIL, json!({ "first": 7, "after": after })).await;
        walked.extend(
            texts(&page, "/auditTrail/nodes", "/event")
                .into_iter()
                .map(str::to_owned),
        );
        if page["auditTrail"]["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["auditTrail"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(walked, whole);
}

#[tokio::test]
async fn what_the_worker_did_names_the_event_that_asked_for_it() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let query = "query($filter: AuditFilterInput) { auditTrail(filter: $filter) { nodes { event eventId correlationId \
        causationId commandId causedBy { event causedBy { event } } consequences { event consequences { event } } \
        action { event } } } }";
    let trail = story
        .admin
        .ask(query, json!({ "filter": { "release": release } }))
        .await;
    // A name is taken in the same append as the release is asked for; it is about the release too.
    let nodes = list(&trail, "/auditTrail/nodes");
    let of = |event: &str| nodes.iter().find(|node| text(node, "/event") == event).unwrap();
    let (requested, started, installed) = (of("InstallRequested"), of("OperationStarted"), of("ReleaseInstalled"));
    assert_eq!(started["causationId"], requested["eventId"]);
    assert_eq!(installed["causationId"], started["eventId"]);
    assert!(requested["causationId"].is_null() && requested["commandId"].is_string());
    assert!(started["commandId"].is_null());
    for event in [started, installed] {
        assert_eq!(event["correlationId"], requested["correlationId"]);
    }
    assert_eq!(
        installed["causedBy"],
        json!({ "event": "OperationStarted", "causedBy": { "event": "InstallRequested" } })
    );
    assert_eq!(
        requested["consequences"],
        json!([{ "event": "OperationStarted", "consequences": [{ "event": "ReleaseInstalled" }] }])
    );
    let action = texts(installed, "/action", "/event");
    assert!(
        action.starts_with(&["InstallRequested"]) || action.contains(&"NameTaken"),
        "{action:?}"
    );
    assert!(
        action.ends_with(&["OperationStarted", "ReleaseInstalled"]),
        "{action:?}"
    );

    let correlation = text(installed, "/correlationId");
    let mut all = events(&story.admin, json!({ "correlationId": correlation })).await;
    all.reverse();
    assert_eq!(all, action);
}

#[tokio::test]
async fn a_row_leads_to_its_event_and_its_leaf() {
    let story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let trail = story.admin.ask(TRAIL, json!({ "first": 100 })).await;
    let nodes = list(&trail, "/auditTrail/nodes");
    for (n, node) in nodes.iter().enumerate() {
        assert_eq!(text(node, "/position"), (nodes.len() - 1 - n).to_string());
        assert!(text(node, "/leafHash").starts_with("sha256:"), "{node:#}");
        assert!(node["data"].is_object(), "{node:#}");
    }
    let hashes: std::collections::BTreeSet<_> = nodes.iter().map(|node| text(node, "/leafHash")).collect();
    assert_eq!(hashes.len(), nodes.len());
}
