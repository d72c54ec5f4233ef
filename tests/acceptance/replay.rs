//! An auditor asks the log itself what was there on another day, and what changed since.

use std::path::Path;

use harness::{
    Story, chart,
    command_line::{run, told},
    list,
    story::{AppAndVersion, audit_trail},
    text, texts,
};
use serde_json::{Value, json};

/// The position of the last event so far.
async fn now(story: &Story) -> String {
    let trail = audit_trail(&story.admin).await;
    text(&trail[trail.len() - 1], "/position").to_owned()
}

/// An app that was published, rejected once before, and is suspended in the end.
struct Past {
    story: Story,
    app: AppAndVersion,
    drafted: String,
    published: String,
    suspended: String,
}

async fn past() -> Past {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let drafted = now(&story).await;
    story.publish(&app.version).await;
    let published = now(&story).await;
    let suspend = json!({ "app": app.app, "reason": "a CVE nobody answered" });
    story.reviewer.does("suspendApp", suspend).await;
    let suspended = now(&story).await;
    Past {
        story,
        app,
        drafted,
        published,
        suspended,
    }
}

async fn at(data: &Path, moment: &str, view: &[&str]) -> Value {
    let words = [&["--at", moment, "--json", "--view"], view].concat();
    told("replay", data, &words).await.json()
}

#[tokio::test]
async fn views_are_shown_as_they_were_beside_a_running_server_and_without_one() {
    let mut past = past().await;
    let data = past.story.server.data().to_owned();
    let store = async |moment: &str| at(&data, moment, &["store"]).await;
    assert_eq!(list(&store(&past.drafted).await, "/views/store").len(), 0);
    assert_eq!(list(&store(&past.suspended).await, "/views/store").len(), 0);
    let then = store(&past.published).await;
    assert_eq!(texts(&then, "/views/store", "/chart"), ["redis"]);
    assert_eq!(texts(&then, "/views/store", "/version"), ["11.3.4"]);
    assert_eq!(then["position"].to_string(), past.published);

    // A time is as good as a position, and both are what the API says of that moment.
    assert_eq!(store(text(&then, "/time")).await, then);
    let query = "query($asOf: AsOf) { store(asOf: $asOf) { nodes { chartName latestVersion { packageDigest } } } }";
    let asked = past
        .story
        .admin
        .ask(query, json!({ "asOf": { "position": past.published } }))
        .await;
    assert_eq!(
        texts(&asked, "/store/nodes", "/latestVersion/packageDigest"),
        texts(&then, "/views/store", "/package")
    );
    let app = at(&data, &past.published, &["app", "redis"]).await;
    assert_eq!(texts(&app, "/views/apps", "/status"), ["published"]);
    assert_eq!(texts(&app, "/views/versions", "/stage"), ["published"]);
    let audit = at(&data, "now", &["audit"]).await;
    assert_eq!(list(&audit, "/views/audit").len(), past.story.events().await);

    assert!(past.story.server.stop().await.success());
    assert_eq!(store(&past.published).await, then);
}

#[tokio::test]
async fn people_read_a_table_with_names_in_it() {
    let past = past().await;
    let data = past.story.server.data();
    let shown = told("replay", data, &["--at", &past.published, "--view", "decisions"])
        .await
        .output;
    let [title, headings, row] = shown.lines().collect::<Vec<_>>()[..3] else {
        panic!("{shown}")
    };
    assert!(
        title.starts_with(&format!("decisions after the event at {}, ", past.published)),
        "{title}"
    );
    assert!(headings.starts_with("POSITION  AT "), "{headings}");
    for part in ["reviewer", "approved", "redis", "11.3.4"] {
        assert!(row.contains(part), "{row}");
    }
    let accounts = told("replay", data, &["--at", "now", "--view", "accounts"])
        .await
        .output;
    assert!(accounts.contains("author-and-reviewer"), "{accounts}");
}

#[tokio::test]
async fn a_difference_tells_what_changed_and_which_events_did_it() {
    let past = past().await;
    let data = past.story.server.data();
    let diff = async |from: &str, to: &str, view: &str| {
        told("replay", data, &["--diff", from, to, "--json", "--view", view])
            .await
            .json()
    };
    let published = diff(&past.drafted, &past.published, "store").await;
    let [change] = list(&published, "/views/store") else {
        panic!("{published:#}")
    };
    assert_eq!(text(change, "/change"), "added");
    assert_eq!(texts(change, "/events", "/event"), ["PublishedToStore"]);
    let position = list(change, "/events")[0]["position"].to_string();
    let before = (position.parse::<u64>().unwrap() - 1).to_string();
    assert_eq!(
        list(&diff(&past.drafted, &before, "store").await, "/views/store").len(),
        0
    );
    assert_eq!(list(&diff(&before, &position, "store").await, "/views/store").len(), 1);

    let gone = diff(&past.published, &past.suspended, "store").await;
    assert_eq!(texts(&gone, "/views/store", "/change"), ["removed"]);
    assert_eq!(texts(&gone["views"]["store"][0], "/events", "/event"), ["Suspended"]);

    let app = diff(&past.published, &past.suspended, "apps").await;
    let change = &app["views"]["apps"][0];
    assert_eq!(
        change["fields"]["status"],
        json!({ "before": "published", "after": "suspended" })
    );
    // The reason is opened for whoever holds the key of the vault.
    assert_eq!(
        text(change, "/fields/suspension/after/reason/text"),
        "a CVE nobody answered"
    );

    let words = told(
        "replay",
        data,
        &["--diff", &past.published, "now", "--view", "app", "redis"],
    )
    .await
    .output;
    assert!(words.contains("status: published -> suspended"), "{words}");
    assert!(
        words.contains(&format!("by Suspended at {}, ", past.suspended)),
        "{words}"
    );
    assert!(words.contains(", reviewer"), "{words}");
    let nothing = diff(&past.published, &past.suspended, "categories").await;
    assert_eq!(list(&nothing, "/views/categories").len(), 0);
}

#[tokio::test]
async fn a_moment_or_a_view_that_is_not_there_is_refused_in_words() {
    let past = past().await;
    let data = past.story.server.data();
    for (words, said) in [
        (&["--at", "100000"][..], "position 100000 is still to come"),
        (&["--at", "2001-01-01"], "the log begins after"),
        (&["--at", "yesterday"], "a moment is a position"),
        (&["--at", "now", "--view", "shop"], "there is no view \"shop\""),
        (&["--at", "now", "--view", "app"], "name the app"),
        (&["--at", "now", "--view", "app", "kafka"], "there was no app kafka"),
        (&["--at", "now", "--view", "roles", "redis"], "cannot be narrowed"),
        (&["--diff", "5", "3"], "the first moment is after the second"),
    ] {
        let refused = run("replay", data, words).await;
        assert!(
            refused.status != 0 && refused.errors.contains(said),
            "{words:?}: {refused:?}"
        );
    }
    let nowhere = tempfile::tempdir().unwrap();
    let refused = run("replay", nowhere.path(), &["--at", "now"]).await;
    assert_ne!(refused.status, 0);
    assert_eq!(nowhere.path().read_dir().unwrap().count(), 0, "reading makes nothing");
    assert!(!past.app.app.is_empty());
}
