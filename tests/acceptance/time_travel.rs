//! What the store showed on another day, and who may ask.

use harness::{
    Person, Story, chart, list,
    story::{AppAndVersion, audit_trail},
    text, texts,
};
use serde_json::{Value, json};

const STORE: &str = "query($asOf: AsOf, $search: String) { store(asOf: $asOf, search: $search) { nodes { \
    chartName latestVersion { number stage } category { name apps } \
    app { status listing { digest } latestVersion { number } versions { nodes { number stage } } } } } }";
const APP: &str = "query($id: ID!, $asOf: AsOf, $first: Int) { app(id: $id, asOf: $asOf) { status \
    listing { digest } draftListing { digest } latestVersion { number } \
    versions(first: $first) { nodes { number stage app { status } } pageInfo { hasNextPage } } } }";
const VERSION: &str = "query($id: ID!, $asOf: AsOf) { version(id: $id, asOf: $asOf) { stage app { status } } }";
const QUEUE: &str = "query($asOf: AsOf) { reviewQueue(asOf: $asOf) { nodes { version { number stage } } } }";
const CATEGORIES: &str = "query($asOf: AsOf) { categories(asOf: $asOf) { nodes { name apps } uncategorisedApps } }";

/// The moment right after the last event so far.
async fn now(story: &Story) -> Value {
    let trail = audit_trail(&story.admin).await;
    json!({ "position": text(&trail[trail.len() - 1], "/position") })
}

fn at(as_of: &Value) -> Value {
    json!({ "asOf": as_of })
}

/// An app with two published versions, of which the first is suspended later, and with it the app.
struct Past {
    story: Story,
    app: AppAndVersion,
    upgrade: String,
    submitted: Value,
    first: Value,
    both: Value,
    edited: Value,
}

async fn past() -> Past {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    story.submit(&app.version).await;
    let submitted = now(&story).await;
    story
        .isv
        .does("withdrawVersion", json!({ "version": app.version }))
        .await;
    story.publish(&app.version).await;
    let first = now(&story).await;
    let upgrade = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&upgrade).await;
    let both = now(&story).await;
    let listing = json!({ "app": app.app, "displayName": "Redis 12" });
    story.isv.does("editListing", listing).await;
    let edited = now(&story).await;
    story
        .isv
        .does("suspendVersion", json!({ "version": upgrade, "reason": "broken" }))
        .await;
    Past {
        story,
        app,
        upgrade,
        submitted,
        first,
        both,
        edited,
    }
}

async fn app_then(person: &Person, app: &AppAndVersion, as_of: &Value) -> Value {
    person.ask(APP, json!({ "id": app.app, "asOf": as_of })).await["app"].take()
}

fn numbers(app: &Value) -> Vec<&str> {
    texts(app, "/versions/nodes", "/number")
}

#[tokio::test]
async fn the_store_is_shown_as_it_was_with_all_that_it_leads_to() {
    let Past {
        story,
        submitted,
        first,
        both,
        ..
    } = past().await;
    let admin = &story.admin;
    let before = admin.ask(STORE, at(&submitted)).await;
    assert!(list(&before, "/store/nodes").is_empty());
    let then = admin.ask(STORE, at(&first)).await;
    assert_eq!(text(&then, "/store/nodes/0/latestVersion/number"), "11.3.4");
    assert_eq!(numbers(&then["store"]["nodes"][0]["app"]), ["11.3.4"]);
    let later = admin.ask(STORE, at(&both)).await;
    assert_eq!(text(&later, "/store/nodes/0/latestVersion/number"), "12.0.0");
    assert_eq!(text(&later, "/store/nodes/0/latestVersion/stage"), "PUBLISHED");
    assert_eq!(numbers(&later["store"]["nodes"][0]["app"]), ["12.0.0", "11.3.4"]);
    let today = admin.ask(STORE, json!({})).await;
    assert_eq!(text(&today, "/store/nodes/0/latestVersion/number"), "11.3.4");
    let shelves = admin.ask(CATEGORIES, at(&submitted)).await;
    assert_eq!(shelves.pointer("/categories/uncategorisedApps"), Some(&json!(0)));
    let queue = admin.ask(QUEUE, at(&submitted)).await;
    assert_eq!(text(&queue, "/reviewQueue/nodes/0/version/stage"), "SUBMITTED");
    assert!(list(&admin.ask(QUEUE, json!({})).await, "/reviewQueue/nodes").is_empty());
}

#[tokio::test]
async fn a_time_names_the_last_event_until_then() {
    let Past { story, both, .. } = past().await;
    let trail = audit_trail(&story.admin).await;
    let entry = trail
        .iter()
        .find(|entry| entry["position"] == both["position"])
        .unwrap();
    let time = json!({ "time": text(entry, "/at") });
    let (by_time, by_position) = (
        story.admin.ask(STORE, at(&time)).await,
        story.admin.ask(STORE, at(&both)).await,
    );
    assert_eq!(by_time, by_position);
}

#[tokio::test]
async fn a_workspace_looks_at_its_own_past_and_others_see_what_was_shown_then_and_still_is() {
    let Past {
        story,
        app,
        upgrade,
        submitted,
        first,
        both,
        edited,
    } = past().await;
    let own = app_then(&story.isv, &app, &submitted).await;
    assert_eq!(
        (text(&own, "/status"), numbers(&own)),
        ("IN_DEVELOPMENT", vec!["11.3.4"])
    );
    assert_eq!(text(&own, "/versions/nodes/0/stage"), "SUBMITTED");
    let own = app_then(&story.isv, &app, &edited).await;
    assert_eq!(text(&own, "/latestVersion/number"), "12.0.0");
    assert_ne!(own.pointer("/draftListing/digest"), own.pointer("/listing/digest"));

    for (as_of, seen) in [
        (&submitted, None),
        (&first, Some(vec!["11.3.4"])),
        (&both, Some(vec!["11.3.4"])),
    ] {
        let foreign = app_then(&story.stranger, &app, as_of).await;
        assert_eq!(foreign.is_null(), seen.is_none());
        assert_eq!((!foreign.is_null()).then(|| numbers(&foreign)), seen);
    }
    let foreign = app_then(&story.stranger, &app, &both).await;
    assert_eq!(
        (&foreign["latestVersion"], &foreign["draftListing"]),
        (&Value::Null, &Value::Null)
    );
    let page = json!({ "id": app.app, "asOf": both, "first": 1 });
    let page = story.stranger.ask(APP, page).await;
    assert_eq!(numbers(&page["app"]), ["11.3.4"]);
    assert_eq!(page.pointer("/app/versions/pageInfo/hasNextPage"), Some(&json!(false)));

    let suspended = json!({ "id": upgrade, "asOf": both });
    assert_eq!(
        story.stranger.ask(VERSION, suspended.clone()).await["version"],
        Value::Null
    );
    assert_eq!(
        text(&story.admin.ask(VERSION, suspended.clone()).await, "/version/stage"),
        "PUBLISHED"
    );
    assert_eq!(
        text(&story.isv.ask(VERSION, suspended).await, "/version/app/status"),
        "PUBLISHED"
    );
}

#[tokio::test]
async fn history_does_not_open_what_was_never_shown() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let draft = now(&story).await;
    story.publish(&app.version).await;
    assert_eq!(app_then(&story.admin, &app, &draft).await, Value::Null);
    assert_eq!(
        text(&app_then(&story.isv, &app, &draft).await, "/status"),
        "IN_DEVELOPMENT"
    );
}

#[tokio::test]
async fn the_past_of_the_store_is_for_whoever_may_see_history() {
    let Past { story, first, .. } = past().await;
    for person in [&story.isv, &story.reviewer, &story.user] {
        for query in [STORE, CATEGORIES] {
            person
                .is_denied(query, at(&first))
                .await
                .says("FORBIDDEN", &["history.view"]);
        }
    }
    story
        .reviewer
        .is_denied(QUEUE, at(&first))
        .await
        .says("FORBIDDEN", &["history.view"]);
    story
        .isv
        .is_denied(QUEUE, at(&first))
        .await
        .says("FORBIDDEN", &["review.view"]);
    story
        .nobody()
        .is_denied(STORE, at(&first))
        .await
        .says("UNAUTHENTICATED", &[]);
}

#[tokio::test]
async fn a_moment_that_never_was_is_refused() {
    let Past { story, app, first, .. } = past().await;
    let events = story.events().await.to_string();
    for (as_of, code) in [
        (json!({ "position": events }), "AS_OF_FUTURE"),
        (json!({ "position": "18446744073709551615" }), "AS_OF_FUTURE"),
        (json!({ "time": "2999-01-01T00:00:00Z" }), "AS_OF_FUTURE"),
        (json!({ "time": "1999-01-01T00:00:00Z" }), "AS_OF_BEFORE_LOG"),
    ] {
        for query in [STORE, CATEGORIES, QUEUE] {
            story.admin.is_denied(query, at(&as_of)).await.says(code, &[]);
        }
        let id = json!({ "id": app.app, "asOf": as_of });
        story.isv.is_denied(APP, id).await.says(code, &[]);
    }
    for (search, shown) in [("redis", 1), ("12", 0)] {
        let both = json!({ "asOf": first, "search": search });
        let found = story.admin.ask(STORE, both).await;
        assert_eq!(harness::list(&found, "/store/nodes").len(), shown, "{search}");
    }
    for as_of in [json!({}), json!({ "position": "1", "time": "1999-01-01T00:00:00Z" })] {
        let refused = story.admin.is_denied(STORE, at(&as_of)).await;
        assert!(
            ["BAD_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&refused.code.as_str()),
            "{refused:?}"
        );
    }
}
