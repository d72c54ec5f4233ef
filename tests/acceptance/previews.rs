//! What an upgrade would change, seen before it is asked for.

use harness::{Story, chart, helm::Helm, list, story::settled, text};
use serde_json::{Value, json};

const QUERY: &str = "query($release: ID!, $version: ID, $values: String) { \
    upgradePreview(release: $release, version: $version, values: $values) { \
    versionNumber values oldDefaults newDefaults manifestDiff \
    changes { pointer oldDefault newDefault ownValue isConflict } userErrors { code pointer } } }";

async fn preview(story: &Story, variables: Value) -> Value {
    let mut answer = story.user.ask(QUERY, variables).await;
    answer["upgradePreview"].take()
}

#[tokio::test]
async fn a_preview_shows_old_and_new_defaults_own_values_conflicts_and_what_would_change_on_the_cluster() {
    Helm::installed().await;
    let story = Story::begin().await;
    let first = chart("redis", "11.3.4").file("values.yaml", "# old\ngreeting: hello\nport: 6379\nextra: {a: 1}\n");
    let app = story.published(&first).await;
    let second = chart("redis", "12.0.0").file("values.yaml", "# new\ngreeting: welcome\nport: 6380\nmode: fast\n");
    let second = story.version(&app.app, &second).await;
    story.publish(&second).await;
    let release = story
        .install("cache", &app.version, Some("greeting: hey # mine\n"))
        .await;
    settled(&story.user, &release).await;
    let events = story.events().await;

    let seen = preview(&story, json!({ "release": release, "version": second })).await;
    assert_eq!(text(&seen, "/versionNumber"), "12.0.0");
    assert_eq!(text(&seen, "/values"), "greeting: hey # mine\n");
    assert!(text(&seen, "/oldDefaults").starts_with("# old") && text(&seen, "/newDefaults").starts_with("# new"));
    let change = |pointer: &str, old: Option<&str>, new: Option<&str>, own: Option<&str>, is_conflict: bool| json!({ "pointer": pointer, "oldDefault": old, "newDefault": new, "ownValue": own, "isConflict": is_conflict });
    let expected = [
        change("/extra/a", Some("1"), None, None, false),
        change(
            "/greeting",
            Some("\"hello\""),
            Some("\"welcome\""),
            Some("\"hey\""),
            true,
        ),
        change("/mode", None, Some("\"fast\""), None, false),
        change("/port", Some("6379"), Some("6380"), None, false),
    ];
    assert_eq!(seen["changes"], json!(expected));
    let diff = text(&seen, "/manifestDiff");
    for line in [
        "--- runs",
        "+++ would run",
        "-  chart: redis-11.3.4",
        "+  chart: redis-12.0.0",
    ] {
        assert!(diff.contains(line), "{line} is not in {diff}");
    }
    assert!(!diff.contains("-  greeting"), "the own value stays: {diff}");
    assert_eq!(seen["userErrors"], json!([]));
    assert_eq!(story.events().await, events, "a preview changes nothing");

    // What it showed is what happens.
    story
        .user
        .does("upgradeRelease", json!({ "release": release, "version": second }))
        .await;
    settled(&story.user, &release).await;
    let now = preview(&story, json!({ "release": release })).await;
    assert_eq!((&now["changes"], text(&now, "/manifestDiff")), (&json!([]), ""));
}

#[tokio::test]
async fn a_preview_says_why_the_upgrade_would_be_refused() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let schema = r#"{ "properties": { "greeting": { "maxLength": 3 }, "port": { "type": "integer" } } }"#;
    let strict = story
        .version(&app.app, &chart("redis", "12.0.0").file("values.schema.json", schema))
        .await;
    story.publish(&strict).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let values = "greeting: hello\nport: http\n";
    let seen = preview(
        &story,
        json!({ "release": release, "version": strict, "values": values }),
    )
    .await;
    let mut pointers: Vec<_> = list(&seen, "/userErrors")
        .iter()
        .map(|error| text(error, "/pointer"))
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/greeting", "/port"]);
    assert_eq!(seen["manifestDiff"], Value::Null);

    story
        .reviewer
        .does("suspendVersion", json!({ "version": strict }))
        .await;
    let seen = preview(&story, json!({ "release": release, "version": strict })).await;
    let code = text(&seen, "/userErrors/0/code");
    assert!(["NOT_FOUND", "VERSION_NOT_INSTALLABLE"].contains(&code), "{seen:#}");
    assert_eq!(
        seen["newDefaults"],
        Value::Null,
        "nothing is shown of what may not be installed"
    );
}

#[tokio::test]
async fn a_preview_that_helm_does_not_render_tells_helms_words() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let query =
        "query($release: ID!, $values: String) { upgradePreview(release: $release, values: $values) { manifestDiff } }";
    let values = "impossible: two masters\n";
    story
        .user
        .is_denied(query, json!({ "release": release, "values": values }))
        .await
        .says("PREVIEW_FAILED", &["this cannot be: two masters"]);
}
