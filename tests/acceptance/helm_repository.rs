//! The store and the workspaces, as Helm sees them.

use harness::{Person, Story, chart, helm::Helm, person::Answer};
use reqwest::{Method, header::IF_NONE_MATCH};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn add(helm: &Helm, name: &str, person: &Person, path: &str) {
    let url = person.url(path);
    helm.run(&[
        "repo",
        "add",
        name,
        &url,
        "--username",
        "x",
        "--password",
        person.token(),
        "--force-update",
    ])
    .await;
}

/// The versions Helm finds: name, version and description, the highest first.
async fn search(helm: &Helm, word: &str) -> Vec<[String; 3]> {
    helm.run(&["repo", "update"]).await;
    let found: Value = serde_json::from_str(
        &helm
            .run(&["search", "repo", word, "--versions", "--output", "json"])
            .await,
    )
    .unwrap();
    let found = found.as_array().unwrap().iter();
    found
        .map(|entry| ["name", "version", "description"].map(|field| entry[field].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn helm_finds_and_pulls_from_the_store_exactly_what_was_uploaded() {
    let helm = Helm::installed().await;
    let story = Story::begin().await;
    let (old, new) = (chart("redis", "11.3.4"), chart("redis", "12.0.0"));
    let app = story.published(&old).await;
    let next = story.version(&app.app, &new).await;
    add(&helm, "store", &story.user, "/charts/store").await;
    assert_eq!(search(&helm, "store/").await.len(), 1, "a draft is not in the store");
    story.publish(&next).await;
    let found = search(&helm, "store/redis").await;
    assert_eq!(
        found,
        ["12.0.0", "11.3.4"].map(|version| ["store/redis", version, "Keeps redis things"].map(str::to_owned))
    );

    for (version, chart) in [("11.3.4", old), ("12.0.0", new)] {
        helm.run(&["pull", "store/redis", "--version", version]).await;
        let pulled = std::fs::read(helm.file(&format!("redis-{version}.tgz"))).unwrap();
        assert_eq!(sha256(&pulled), sha256(&chart.packed()));
        let index = story.user.get("/charts/store/index.yaml").await.text();
        assert!(index.contains(&sha256(&pulled)), "the index names the digest");
    }
    let rendered = helm
        .run(&[
            "template",
            "cache",
            "store/redis",
            "--version",
            "12.0.0",
            "--set",
            "greeting=hi",
        ])
        .await;
    assert!(rendered.contains("greeting: \"hi\""));
}

#[tokio::test]
async fn what_is_suspended_disappears_for_helm_and_comes_back() {
    let helm = Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&next).await;
    add(&helm, "store", &story.user, "/charts/store").await;
    let versions = async || {
        search(&helm, "store/")
            .await
            .into_iter()
            .map(|[_, version, _]| version)
            .collect::<Vec<_>>()
    };
    assert_eq!(versions().await, ["12.0.0", "11.3.4"]);

    story.reviewer.does("suspendVersion", json!({ "version": next })).await;
    assert_eq!(versions().await, ["11.3.4"]);
    assert_eq!(story.user.get("/charts/store/redis-12.0.0.tgz").await.status, 404);
    story.reviewer.does("suspendApp", json!({ "app": app.app })).await;
    assert!(versions().await.is_empty());
    assert_eq!(story.user.get("/charts/store/redis-11.3.4.tgz").await.status, 404);
    story.reviewer.does("resumeApp", json!({ "app": app.app })).await;
    story.reviewer.does("resumeVersion", json!({ "version": next })).await;
    assert_eq!(versions().await, ["12.0.0", "11.3.4"]);
}

#[tokio::test]
async fn a_workspace_is_a_repository_of_its_drafts_for_its_members_only() {
    let helm = Helm::installed().await;
    let story = Story::begin().await;
    story.app(&chart("redis", "11.3.4")).await;
    add(&helm, "acme", &story.isv, "/charts/workspaces/acme").await;
    assert_eq!(search(&helm, "acme/").await.len(), 1);

    let url = story.stranger.url("/charts/workspaces/acme");
    let words = [
        "repo",
        "add",
        "theirs",
        &url,
        "--username",
        "x",
        "--password",
        story.stranger.token(),
    ];
    assert!(!helm.attempt(&words).await.status.success());
    let known = story.stranger.get("/charts/workspaces/acme/index.yaml").await;
    let unknown = story.stranger.get("/charts/workspaces/nothing/index.yaml").await;
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
    assert_eq!(known.status, 404);
}

#[tokio::test]
async fn an_index_that_has_not_changed_is_not_sent_again() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let path = "/charts/store/index.yaml";
    let tag = story.user.get(path).await.header("etag").to_owned();
    let again = async || {
        Answer::to(story.user.request(Method::GET, path).header(IF_NONE_MATCH, &tag))
            .await
            .status
    };
    assert_eq!(again().await, 304);
    story
        .reviewer
        .does("suspendVersion", json!({ "version": app.version }))
        .await;
    assert_eq!(again().await, 200);
}
