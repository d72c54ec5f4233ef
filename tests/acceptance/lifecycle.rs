//! The life of an app, from its first upload to the day its name is free again.
//!
//! Every answer and every query is held against what was just done, with no waiting: what a mutation answers is up to
//! date, and so is every query after it.

use harness::{
    Story, chart, list, picture,
    questions::{STORE, queue_length, status, store},
    story::{event_names, settled, what_was_read},
    text, texts,
};
use serde_json::{Value, json};

#[tokio::test]
async fn an_uploaded_chart_is_an_app_with_a_draft_and_a_listing_drafted_from_the_chart() {
    let story = Story::begin().await;
    let upload = story.upload_chart(&chart("redis", "11.3.4")).await;
    let payload = story
        .isv
        .does("uploadApp", json!({ "workspace": story.workspace, "upload": upload }))
        .await;
    assert_eq!(text(&payload, "/app/chartName"), "redis");
    assert_eq!(text(&payload, "/app/status"), "IN_DEVELOPMENT");
    assert_eq!(
        text(&payload, "/app/draftListing/content/summary"),
        "Keeps redis things"
    );
    assert_eq!(payload["app"]["listing"], Value::Null);
    assert_eq!(texts(&payload, "/app/versions/nodes", "/stage"), ["DRAFT"]);

    let mine = "query($id: ID!) { apps(workspace: $id, first: 1) { nodes { id versions(first: 1) { nodes { number chart { \
        appVersion readme readmeHtml values files { path sizeBytes } } } } } } }";
    let mine = story.isv.ask(mine, json!({ "id": story.workspace })).await;
    let app = &mine["apps"]["nodes"][0];
    assert_eq!(app["id"], payload["app"]["id"]);
    let version = &app["versions"]["nodes"][0];
    assert_eq!(text(version, "/number"), "11.3.4");
    assert_eq!(text(version, "/chart/appVersion"), "7.4");
    assert_eq!(text(version, "/chart/values"), "# what it says\ngreeting: hello\n");
    assert!(text(version, "/chart/readmeHtml").contains("<h1>redis</h1>"));
    let files = texts(version, "/chart/files", "/path");
    assert_eq!(
        files,
        ["Chart.yaml", "README.md", "templates/configmap.yaml", "values.yaml"]
    );
    assert!(store(&story.user, json!({})).await.is_empty());
}

#[tokio::test]
async fn a_version_is_rejected_with_a_reason_corrected_resubmitted_approved_and_published() {
    let story = Story::begin().await;
    let (isv, reviewer) = (&story.isv, &story.reviewer);
    let app = story.app(&chart("redis", "11.3.4")).await;
    let version = app.version.as_str();

    let listing = json!({ "app": app.app, "displayName": "Redis", "summary": "A chart", "keywords": ["cache"] });
    let edited = isv.does("editListing", listing).await;
    assert_eq!(text(&edited, "/app/draftListing/content/displayName"), "Redis");
    let icon = isv.upload(&story.workspace, "icon", picture::png(96, 96)).await;
    let with_icon = isv.does("setIcon", json!({ "app": app.app, "upload": icon })).await;
    let icon_path = text(&with_icon, "/app/draftListing/content/iconPath");
    let served = isv.get(icon_path).await;
    assert_eq!((served.status, served.header("content-type")), (200, "image/png"));
    assert_eq!(served.body, picture::png(96, 96));

    let submitted = isv.does("submitVersion", json!({ "version": version })).await;
    assert_eq!(text(&submitted, "/version/stage"), "SUBMITTED");
    assert_eq!(
        submitted["version"]["submission"]["packageDigest"],
        submitted["version"]["packageDigest"]
    );
    assert_eq!(
        submitted["version"]["submission"]["listing"]["digest"],
        with_icon["app"]["draftListing"]["digest"]
    );
    assert_eq!(queue_length(reviewer).await, 1);

    let started = reviewer.does("startReview", json!({ "version": version })).await;
    assert_eq!(
        (
            text(&started, "/version/stage"),
            text(&started, "/version/reviewer/name")
        ),
        ("IN_REVIEW", "reviewer")
    );
    let mut read = what_was_read(reviewer, version).await;
    read["reason"] = json!("The summary does not say what it is for.");
    let rejected = reviewer.does("rejectVersion", read).await;
    assert_eq!(text(&rejected, "/version/stage"), "REJECTED");
    assert_eq!(queue_length(reviewer).await, 0);

    let seen = "query($id: ID!) { version(id: $id) { stage decision { decision reason by { name } } } }";
    let seen = isv.ask(seen, json!({ "id": version })).await;
    assert_eq!(
        text(&seen, "/version/decision/reason"),
        "The summary does not say what it is for."
    );
    assert_eq!(text(&seen, "/version/decision/decision"), "REJECTED");

    let summary = "An in-memory store for caches and queues";
    isv.does("editListing", json!({ "app": app.app, "summary": summary }))
        .await;
    isv.does("submitVersion", json!({ "version": version })).await;
    reviewer.does("startReview", json!({ "version": version })).await;
    let approved = reviewer
        .does("approveVersion", what_was_read(reviewer, version).await)
        .await;
    assert_eq!(text(&approved, "/version/stage"), "APPROVED");
    assert!(
        store(&story.user, json!({})).await.is_empty(),
        "approved is not yet published"
    );

    let published = isv.does("publishVersion", json!({ "version": version })).await;
    assert_eq!(text(&published, "/version/stage"), "PUBLISHED");
    assert_eq!(status(&story.user, &app.app).await, "PUBLISHED");
    let found = story.user.ask(STORE, json!({ "search": "queues" })).await;
    assert_eq!(text(&found, "/store/nodes/0/displayName"), "Redis");
    assert_eq!(text(&found, "/store/nodes/0/summary"), summary);
    assert_eq!(text(&found, "/store/nodes/0/latestVersion/number"), "11.3.4");
    assert_eq!(
        story.user.get(text(&found, "/store/nodes/0/iconPath")).await.status,
        200
    );

    let decisions =
        "query($app: ID) { decisions(filter: { app: $app }) { nodes { decision reason reviewer { name } } } }";
    let decisions = isv.ask(decisions, json!({ "app": app.app })).await;
    assert_eq!(
        texts(&decisions, "/decisions/nodes", "/decision"),
        ["APPROVED", "REJECTED"]
    );
    assert_eq!(
        texts(&decisions, "/decisions/nodes", "/reviewer/name"),
        ["reviewer", "reviewer"]
    );
}

#[tokio::test]
async fn a_release_is_installed_upgraded_with_values_and_reconfigured() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    let installed = settled(&story.user, &release).await;
    assert_eq!(
        (text(&installed, "/status"), &installed["revision"]),
        ("RUNNING", &json!(1))
    );
    assert_eq!(text(&installed, "/observed/versionNumber"), "11.3.4");

    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&next).await;
    let latest = story
        .user
        .ask(
            "query($id: ID!) { app(id: $id) { latestVersion { number } } }",
            json!({ "id": app.app }),
        )
        .await;
    assert_eq!(text(&latest, "/app/latestVersion/number"), "12.0.0");
    let values = "# mine\ngreeting: good day\n";
    story
        .user
        .does(
            "upgradeRelease",
            json!({ "release": release, "version": next, "values": values }),
        )
        .await;
    let upgraded = settled(&story.user, &release).await;
    assert_eq!(
        (text(&upgraded, "/status"), &upgraded["revision"]),
        ("RUNNING", &json!(2))
    );
    assert_eq!(text(&upgraded, "/observed/versionNumber"), "12.0.0");
    assert_eq!(text(&upgraded, "/observed/values"), values);

    story
        .user
        .does(
            "upgradeRelease",
            json!({ "release": release, "values": "greeting: good night\n" }),
        )
        .await;
    let reconfigured = settled(&story.user, &release).await;
    assert_eq!(
        texts(&reconfigured, "/revisions/nodes", "/cause"),
        ["RECONFIGURE", "UPGRADE", "INSTALL"]
    );
    assert_eq!(
        texts(&reconfigured, "/revisions/nodes", "/requestedBy/name"),
        ["project-regular"; 3]
    );
    assert!(text(&reconfigured, "/revisions/nodes/0/manifest").contains("good night"));
    assert!(text(&reconfigured, "/revisions/nodes/2/manifest").contains("hello"));
    let running = "query($id: ID!) { releases(project: $id) { nodes { name status revision } } }";
    let running = story.user.ask(running, json!({ "id": story.project })).await;
    assert_eq!(
        running["releases"]["nodes"],
        json!([{ "name": "cache", "status": "RUNNING", "revision": 3 }])
    );
}

#[tokio::test]
async fn an_app_is_deleted_only_after_its_versions_and_then_its_names_are_free_again() {
    let story = Story::begin().await;
    let isv = &story.isv;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let draft = story.version(&app.app, &chart("redis", "12.0.0")).await;
    isv.is_refused("deleteApp", json!({ "app": app.app }))
        .await
        .says("VERSIONS_REMAIN", &["11.3.4", "12.0.0"]);
    isv.is_refused("deleteVersion", json!({ "version": app.version }))
        .await
        .says("WRONG_STATE", &["published", "suspend"]);
    let deleted = isv.does("deleteVersion", json!({ "version": draft })).await;
    assert_eq!(texts(&deleted, "/app/versions/nodes", "/number"), ["11.3.4"]);
    let again = story.version(&app.app, &chart("redis", "12.0.0")).await;
    isv.does("deleteVersion", json!({ "version": again })).await;

    isv.does("suspendVersion", json!({ "version": app.version })).await;
    isv.does("deleteVersion", json!({ "version": app.version })).await;
    let upload = story.upload_chart(&chart("redis", "11.3.4")).await;
    isv.is_refused("uploadVersion", json!({ "app": app.app, "upload": upload }))
        .await
        .says("VERSION_RETIRED", &["11.3.4"]);
    let upload = story.upload_chart(&chart("redis", "14.0.0")).await;
    let taken = json!({ "workspace": story.workspace, "upload": upload });
    isv.is_refused("uploadApp", taken.clone()).await.says("APP_EXISTS", &[]);

    let gone = isv.does("deleteApp", json!({ "app": app.app })).await;
    assert_eq!(text(&gone, "/app/status"), "DELETED");
    let mine = isv
        .ask(
            "query($id: ID!) { apps(workspace: $id) { nodes { id } } }",
            json!({ "id": story.workspace }),
        )
        .await;
    assert!(list(&mine, "/apps/nodes").is_empty());
    let reborn = isv.does("uploadApp", taken).await;
    assert_ne!(reborn["app"]["id"], gone["app"]["id"]);
    story.publish(text(&reborn, "/app/versions/nodes/0/id")).await;
    assert_eq!(store(&story.user, json!({})).await, ["redis"]);
}

#[tokio::test]
async fn of_two_who_upload_one_chart_at_once_one_has_the_name() {
    let story = Story::begin().await;
    for round in 0..8 {
        let chart = chart(&format!("app-{round}"), "1.0.0").packed();
        let (isv, other) = (&story.isv, &story.author_and_reviewer);
        let upload = async |person: &harness::Person| {
            let upload = person.upload(&story.workspace, "chart", chart.clone()).await;
            json!({ "workspace": story.workspace, "upload": upload })
        };
        let (one, two) = (upload(isv).await, upload(other).await);
        let (one, two) = tokio::join!(isv.attempt("uploadApp", &one), other.attempt("uploadApp", &two));
        let refused: Vec<_> = [one, two]
            .into_iter()
            .filter_map(|outcome| outcome.unwrap().err())
            .collect();
        assert_eq!(refused.len(), 1, "round {round}");
        refused[0].says("APP_EXISTS", &[]);
    }
    let names = event_names(&story.admin).await;
    assert_eq!(names.iter().filter(|name| *name == "AppUploaded").count(), 8);
}

#[tokio::test]
async fn doing_again_what_is_already_so_succeeds_and_records_nothing() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    story.submit(&app.version).await;
    let before = event_names(&story.admin).await;
    story.submit(&app.version).await;
    assert_eq!(event_names(&story.admin).await, before);
    story
        .reviewer
        .does("startReview", json!({ "version": app.version }))
        .await;
    let read = what_was_read(&story.reviewer, &app.version).await;
    story.reviewer.does("approveVersion", read.clone()).await;
    let before = event_names(&story.admin).await;
    assert_eq!(
        text(&story.reviewer.does("approveVersion", read).await, "/version/stage"),
        "APPROVED"
    );
    assert_eq!(event_names(&story.admin).await, before);
}
