//! What is said to be allowed is what happens.

use harness::{Person, Story, chart, list, person::fresh_id, story::what_was_read, text};
use serde_json::{Value, json};

const VERSION: &str = "query($id: ID!) { version(id: $id) { \
    submission { id packageDigest listing { digest } } \
    allowedActions { action isAllowed isDone refusal { code reason message } } \
    app { id allowedActions { action isAllowed isDone refusal { code reason message } } } } }";

/// An upload of the person's own, if they may upload there at all.
async fn own_upload(story: &Story, person: &Person) -> String {
    let bytes = chart("redis", "11.3.4")
        .file("templates/other.yaml", "kind: Pod\n")
        .packed();
    let answer = person.post_upload(&story.workspace, "chart", bytes).await;
    match answer.status {
        201 => text(&answer.json(), "/uploadId").to_owned(),
        _ => "none".to_owned(),
    }
}

fn input(action: &str, seen: &Value, version: &str, upload: &str) -> Option<Value> {
    let zeros = json!(format!("sha256:{}", "0".repeat(64)));
    let of = |pointer: &str| seen.pointer(pointer).filter(|found| !found.is_null()).cloned();
    let app = seen["app"]["id"].clone();
    let submission = of("/submission/id").unwrap_or_else(|| json!(fresh_id().to_string()));
    let package = of("/submission/packageDigest").unwrap_or_else(|| zeros.clone());
    let listing = of("/submission/listing/digest").unwrap_or_else(|| zeros.clone());
    Some(match action {
        "replacePackage" => json!({ "version": version, "upload": upload }),
        "approveVersion" => json!({
            "version": version, "submission": submission, "packageDigest": package, "listingDigest": listing,
        }),
        "rejectVersion" => json!({
            "version": version, "submission": submission, "packageDigest": package, "listingDigest": listing,
            "reason": "no",
        }),
        "approveListing" => json!({ "app": app, "submission": fresh_id().to_string(), "listingDigest": zeros }),
        "rejectListing" => {
            json!({ "app": app, "submission": fresh_id().to_string(), "listingDigest": zeros, "reason": "no" })
        }
        "submitVersion" | "withdrawVersion" | "deleteVersion" | "startReview" | "releaseReview" | "publishVersion"
        | "suspendVersion" | "resumeVersion" => json!({ "version": version }),
        "deleteApp"
        | "submitListing"
        | "withdrawListing"
        | "startListingReview"
        | "releaseListingReview"
        | "resumeApp"
        | "suspendApp" => json!({ "app": app }),
        "editListing" => json!({ "app": app, "summary": "another" }),
        "assignCategory" => json!({ "app": app }),
        // They need an input that says nothing about the right to give it.
        "setIcon" | "moveApp" | "uploadVersion" => return None,
        other => panic!("the test does not know {other}"),
    })
}

/// Every action that is said not to be allowed is refused, with the code that was told, and leaves nothing.
async fn holds_for(story: &Story, person: &Person, version: &str, stage: &str) {
    let mut seen = person.ask(VERSION, json!({ "id": version })).await;
    let seen = seen["version"].take();
    if seen.is_null() {
        return;
    }
    let upload = own_upload(story, person).await;
    let of_app = list(&seen, "/app/allowedActions").iter();
    for said in list(&seen, "/allowedActions").iter().chain(of_app) {
        let action = text(said, "/action");
        assert_eq!(said["isAllowed"] == json!(true), said["refusal"].is_null(), "{said}");
        let Some(input) = input(action, &seen, version, &upload) else {
            continue;
        };
        let who = person.name;
        if said["isDone"] == json!(true) {
            let done = person.attempt(action, &input).await.unwrap();
            assert!(done.is_ok(), "{who} {action} {stage}: {done:?}");
        } else if said["isAllowed"] == json!(false) {
            let refusal = person.is_refused(action, input).await;
            assert_eq!(
                refusal.code,
                text(said, "/refusal/code"),
                "{who} {action} {stage}: {refusal:?}"
            );
            assert_eq!(
                refusal.message,
                text(said, "/refusal/message"),
                "{who} {action} {stage}"
            );
        }
    }
}

async fn holds(story: &Story, version: &str, stage: &str) {
    let before = story.events().await;
    for person in [
        &story.isv,
        &story.reviewer,
        &story.other_reviewer,
        &story.author_and_reviewer,
        &story.user,
        &story.admin,
        &story.stranger,
    ] {
        holds_for(story, person, version, stage).await;
    }
    assert_eq!(story.events().await, before, "{stage}");
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_with_the_code_that_was_told_at_every_stage() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    let only = json!({ "version": version });
    holds(&story, &version, "draft").await;
    story.author_and_reviewer.does("submitVersion", only.clone()).await;
    holds(&story, &version, "submitted").await;
    story.reviewer.does("startReview", only.clone()).await;
    holds(&story, &version, "in review").await;
    let read = what_was_read(&story.reviewer, &version).await;
    story.reviewer.does("approveVersion", read).await;
    holds(&story, &version, "approved").await;
    story.isv.does("publishVersion", only.clone()).await;
    holds(&story, &version, "published").await;
    story.admin.does("suspendVersion", only).await;
    holds(&story, &version, "suspended").await;
}

#[tokio::test]
async fn a_chart_name_that_another_app_has_in_the_store_stands_in_the_way_of_publishing() {
    let story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let upload = story
        .stranger
        .upload(&story.foreign_workspace, "chart", chart("redis", "1.0.0").packed())
        .await;
    let input = json!({ "workspace": story.foreign_workspace, "upload": upload });
    let app = story.stranger.does("uploadApp", input).await;
    let version = text(&app, "/app/versions/nodes/0/id");
    story
        .stranger
        .does("submitVersion", json!({ "version": version }))
        .await;
    story.reviewer.does("startReview", json!({ "version": version })).await;
    let read = what_was_read(&story.reviewer, version).await;
    story.reviewer.does("approveVersion", read).await;
    let seen = story.stranger.ask(VERSION, json!({ "id": version })).await;
    let all = list(&seen, "/version/allowedActions");
    let publish = all
        .iter()
        .find(|said| said["action"] == json!("publishVersion"))
        .unwrap();
    assert_eq!(text(publish, "/refusal/code"), "NAME_TAKEN");
    story
        .stranger
        .is_refused("publishVersion", json!({ "version": version }))
        .await
        .says("NAME_TAKEN", &[]);
}

#[tokio::test]
async fn a_release_says_what_its_project_lets_whom_do() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    harness::story::settled(&story.user, &release).await;
    let query = "query($id: ID!) { release(id: $id) { allowedActions { action isAllowed refusal { code } } } }";
    let seen = story.user.ask(query, json!({ "id": release })).await;
    let refused: Vec<_> = list(&seen, "/release/allowedActions")
        .iter()
        .filter(|action| action["isAllowed"] == json!(false))
        .map(|action| (text(action, "/action"), text(action, "/refusal/code")))
        .collect();
    assert_eq!(
        refused,
        [
            ("retryOperation", "NOTHING_FAILED"),
            ("cancelOperation", "NOTHING_TO_DO")
        ]
    );
    story
        .command_line()
        .run(&["account", "create", "watcher", "--role", "platform-regular"])
        .await;
    let place = ["--workspace", "acme", "--project", "prod"];
    let grant = [&["role", "grant", "watcher", "project-viewer"][..], &place].concat();
    story.command_line().run(&grant).await;
    let token = story.command_line().token("watcher").await;
    let watcher = Person::new("watcher", &token, story.server.address());
    let seen = watcher.ask(query, json!({ "id": release })).await;
    for action in list(&seen, "/release/allowedActions") {
        assert_eq!(text(action, "/refusal/code"), "FORBIDDEN", "{action}");
    }
}
