//! Why a version is where it is, asked of the log and of the API.

use harness::{
    Story, chart,
    command_line::{run, told},
    list,
    story::what_was_read,
    text, texts,
};
use serde_json::json;

const EXPLAIN: &str = "query($id: ID!, $asOf: AsOf) { version(id: $id, asOf: $asOf) { explanation { isInStore \
    reasons { code message } steps { position at event message stageBefore stageAfter wasInStore isInStore submission \
    packageDigest listingDigest policyDigest decision authority reason actor { name } } } } }";

#[tokio::test]
async fn the_chain_of_facts_is_told_alike_by_the_command_line_and_the_api() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    story.submit(&app.version).await;
    story
        .reviewer
        .does("startReview", json!({ "version": app.version }))
        .await;
    let mut reject = what_was_read(&story.reviewer, &app.version).await;
    reject["reason"] = json!("no summary");
    story.reviewer.does("rejectVersion", reject).await;
    story.publish(&app.version).await;
    let upgrade = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&upgrade).await;

    let data = story.server.data();
    let told_offline = told("explain", data, &["redis", "11.3.4", "--json"]).await.json();
    let asked = story.isv.ask(EXPLAIN, json!({ "id": app.version })).await;
    let explanation = &asked["version"]["explanation"];
    let events = [
        "VersionUploaded",
        "VersionSubmitted",
        "ReviewStarted",
        "VersionRejected",
        "VersionSubmitted",
        "ReviewStarted",
        "VersionApproved",
        "PublishedToStore",
        "PublishedToStore",
    ];
    assert_eq!(texts(&told_offline, "/steps", "/event"), events);
    assert_eq!(texts(explanation, "/steps", "/event"), events);
    assert_eq!(texts(&told_offline, "/reasons", "/code"), ["BELOW_HIGHER"]);
    assert_eq!(texts(explanation, "/reasons", "/code"), ["BELOW_HIGHER"]);
    assert_eq!(
        texts(explanation, "/reasons", "/message"),
        ["it is published, and the store offers 12.0.0 before it"]
    );
    let rejected = &list(explanation, "/steps")[3];
    assert_eq!(
        (text(rejected, "/reason"), text(rejected, "/decision")),
        ("no summary", "REJECTED")
    );
    assert_eq!(
        (text(rejected, "/stageBefore"), text(rejected, "/stageAfter")),
        ("IN_REVIEW", "REJECTED")
    );
    assert_eq!(text(&told_offline, "/steps/3/reason"), "no summary");
    assert_eq!(text(&told_offline, "/steps/3/actorName"), "reviewer");
    for (offline, online) in [
        ("package", "packageDigest"),
        ("listing", "listingDigest"),
        ("policy", "policyDigest"),
    ] {
        let pointer = |name| format!("/steps/1/{name}");
        assert_eq!(
            text(&told_offline, &pointer(offline)),
            text(explanation, &pointer(online))
        );
    }

    let then = json!({ "position": text(rejected, "/position") });
    let asked = story
        .admin
        .ask(EXPLAIN, json!({ "id": app.version, "asOf": then }))
        .await;
    assert_eq!(list(&asked, "/version/explanation/steps").len(), 4);
    assert_eq!(
        texts(&asked, "/version/explanation/reasons", "/code"),
        ["NOT_PUBLISHED"]
    );

    let words = told("explain", data, &["redis", "11.3.4"]).await.output;
    for part in [
        "redis 11.3.4 is published and is in the store:",
        "reviewer: rejected: exactly this archive with this listing (VersionRejected)",
        "reason: no summary",
        "in review -> rejected",
        "version 12.0.0 was published to the store; the store offers 12.0.0 before this one now",
    ] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
}

#[tokio::test]
async fn what_hides_a_version_is_named_each_with_its_code() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let reasons = async || {
        let asked = story.isv.ask(EXPLAIN, json!({ "id": app.version })).await;
        let explanation = &asked["version"]["explanation"];
        let codes = texts(explanation, "/reasons", "/code").join(" ");
        (explanation["isInStore"].as_bool().unwrap(), codes)
    };
    assert_eq!(reasons().await, (true, "OFFERED_FIRST".to_owned()));
    story
        .reviewer
        .does("suspendApp", json!({ "app": app.app, "reason": "CVE" }))
        .await;
    assert_eq!(reasons().await, (false, "APP_SUSPENDED".to_owned()));
    story
        .isv
        .does("suspendVersion", json!({ "version": app.version, "reason": "broken" }))
        .await;
    assert_eq!(reasons().await, (false, "VERSION_SUSPENDED APP_SUSPENDED".to_owned()));
    story.reviewer.does("resumeApp", json!({ "app": app.app })).await;
    assert_eq!(reasons().await, (false, "VERSION_SUSPENDED".to_owned()));
}

#[tokio::test]
async fn the_story_of_a_version_is_for_insiders_and_of_what_exists() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    for (person, is_told) in [
        (&story.isv, true),
        (&story.reviewer, true),
        (&story.admin, true),
        (&story.user, false),
        (&story.stranger, false),
    ] {
        let asked = person.ask(EXPLAIN, json!({ "id": app.version })).await;
        assert!(asked["version"].is_object(), "{} sees it in the store", person.name);
        assert_eq!(asked["version"]["explanation"].is_object(), is_told, "{}", person.name);
    }
    for words in [["kafka", "1.0.0"], ["redis", "1.0.0"]] {
        let refused = run("explain", story.server.data(), &words).await;
        assert!(
            refused.status != 0 && refused.errors.contains("there was no version"),
            "{refused:?}"
        );
    }
}
