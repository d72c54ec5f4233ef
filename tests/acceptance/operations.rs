//! Whatever is done to a release: back to what it was, once more, no further, and away with it.

use harness::{
    Person, Story, chart,
    gated_helm::{GatedHelm, is_gone},
    helm::Helm,
    list,
    story::{AppAndVersion, audit_trail, settled},
    text, texts,
};
use serde_json::{Value, json};

fn manifest(story: &Story, release: &str) -> String {
    let file = format!("clusters/local/prod/{release}/manifest.yaml");
    std::fs::read_to_string(story.server.data().join(file)).unwrap()
}

/// A story whose Helm waits at a gate, and a published app.
async fn gated(options: &[&str]) -> (Story, GatedHelm, AppAndVersion) {
    Helm::installed().await;
    let helm = GatedHelm::closed();
    let story = Story::begin_with(&[&["--helm", &helm.program()][..], options].concat()).await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    (story, helm, app)
}

/// Runs 12.0.0 with own values, after 11.3.4 with others.
async fn upgraded_once(story: &Story) -> (AppAndVersion, String, String) {
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story
        .install("cache", &app.version, Some("greeting: first # mine\n"))
        .await;
    settled(&story.user, &release).await;
    let second = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&second).await;
    let wanted = json!({ "release": release, "version": second, "values": "greeting: second\n" });
    story.user.does("upgradeRelease", wanted).await;
    settled(&story.user, &release).await;
    (app, second, release)
}

#[tokio::test]
async fn a_rollback_brings_back_the_chart_and_the_values_of_a_revision_as_a_revision_of_its_own() {
    Helm::installed().await;
    let story = Story::begin().await;
    let (_, _, release) = upgraded_once(&story).await;
    let back = json!({ "release": release, "revision": 1 });
    let asked = story.user.does("rollbackRelease", back).await;
    assert!(
        ["ROLLING_BACK", "RUNNING"].contains(&text(&asked, "/release/status")),
        "{asked:#}"
    );
    let now = settled(&story.user, &release).await;
    assert_eq!((text(&now, "/status"), &now["revision"]), ("RUNNING", &json!(3)));
    let last = &now["revisions"]["nodes"][0];
    assert_eq!(
        (
            text(last, "/cause"),
            &last["rollbackTo"],
            text(last, "/requestedBy/name")
        ),
        ("ROLLBACK", &json!(1), "project-regular")
    );
    assert_eq!(text(last, "/deployment/versionNumber"), "11.3.4");
    assert_eq!(text(last, "/deployment/values"), "greeting: first # mine\n");
    assert_eq!(text(last, "/manifest"), text(&now, "/revisions/nodes/2/manifest"));
    assert_eq!(manifest(&story, "cache"), text(last, "/manifest"));
    assert_eq!(
        texts(&now, "/revisions/nodes", "/cause"),
        ["ROLLBACK", "UPGRADE", "INSTALL"]
    );
}

#[tokio::test]
async fn a_rollback_goes_to_what_ran_although_it_is_suspended_and_to_nothing_that_never_ran() {
    Helm::installed().await;
    let story = Story::begin().await;
    let (app, _, release) = upgraded_once(&story).await;
    story
        .reviewer
        .does("suspendVersion", json!({ "version": app.version }))
        .await;
    let back = json!({ "release": release, "revision": 1 });
    story.user.does("rollbackRelease", back.clone()).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
    let events = story.events().await;
    story
        .user
        .does("rollbackRelease", json!({ "release": release, "revision": 3 }))
        .await;
    assert_eq!(story.events().await, events, "it is what runs");
    for revision in [0, 4, 1_000_000] {
        let never = json!({ "release": release, "revision": revision });
        story
            .user
            .is_refused("rollbackRelease", never)
            .await
            .says("REVISION_NOT_FOUND", &[&revision.to_string(), "3"]);
    }
    story
        .stranger
        .is_refused("rollbackRelease", back)
        .await
        .says("NOT_FOUND", &[]);
}

#[tokio::test]
async fn what_failed_is_tried_again_unchanged() {
    let (story, helm, app) = gated(&[]).await;
    helm.break_it();
    helm.open();
    let release = story.install("cache", &app.version, Some("greeting: mine\n")).await;
    let failed = settled(&story.user, &release).await;
    assert_eq!(
        (text(&failed, "/status"), text(&failed, "/failure/reason")),
        ("FAILED", "HELM_FAILED")
    );
    assert_eq!(text(&failed, "/attempts/nodes/0/output").trim(), "it was told to fail");
    helm.mend();
    story.user.does("retryOperation", json!({ "release": release })).await;
    let now = settled(&story.user, &release).await;
    assert_eq!((text(&now, "/status"), &now["failure"]), ("RUNNING", &Value::Null));
    assert_eq!(list(&now, "/attempts/nodes").len(), 2);
    assert_eq!(text(&now, "/observed/values"), "greeting: mine\n");
    story
        .user
        .is_refused("retryOperation", json!({ "release": release }))
        .await
        .says("NOTHING_FAILED", &[]);
}

#[tokio::test]
async fn trying_again_is_no_way_around_a_suspension_unless_it_ran_before() {
    let (story, helm, app) = gated(&[]).await;
    helm.break_it();
    helm.open();
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let again = json!({ "release": release });
    story.reviewer.does("suspendApp", json!({ "app": app.app })).await;
    story
        .user
        .is_refused("retryOperation", again.clone())
        .await
        .says("NOT_FOUND", &[]);
    story.reviewer.does("resumeApp", json!({ "app": app.app })).await;
    helm.mend();
    story.user.does("retryOperation", again.clone()).await;
    settled(&story.user, &release).await;

    helm.break_it();
    let other = json!({ "release": release, "values": "greeting: hi\n" });
    story.user.does("upgradeRelease", other).await;
    settled(&story.user, &release).await;
    story.reviewer.does("suspendApp", json!({ "app": app.app })).await;
    helm.mend();
    story.user.does("retryOperation", again).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
}

#[tokio::test]
async fn a_cancelled_operation_ends_helm_and_can_be_tried_again() {
    let (story, helm, app) = gated(&[]).await;
    let release = story.install("cache", &app.version, None).await;
    let process = helm.begun(1).await[0];
    let asked = story.user.does("cancelOperation", json!({ "release": release })).await;
    assert_eq!(text(&asked, "/release/id"), release);
    let cancelled = settled(&story.user, &release).await;
    is_gone(process).await;
    assert_eq!(text(&cancelled, "/status"), "FAILED");
    assert_eq!(
        cancelled["failure"],
        json!({ "operation": "INSTALL", "reason": null, "isCancelled": true })
    );
    let attempt = &cancelled["attempts"]["nodes"][0];
    assert_eq!(
        (&attempt["isCancelled"], &attempt["succeeded"], &attempt["failure"]),
        (&json!(true), &json!(false), &Value::Null)
    );
    story
        .user
        .is_refused("cancelOperation", json!({ "release": release }))
        .await
        .says("NOTHING_TO_DO", &[]);
    helm.open();
    story.user.does("retryOperation", json!({ "release": release })).await;
    let now = settled(&story.user, &release).await;
    assert_eq!((text(&now, "/status"), &now["revision"]), ("RUNNING", &json!(1)));
}

#[tokio::test]
async fn a_cancelled_upgrade_leaves_what_was_seen_to_run_and_a_rollback_makes_sure_of_it() {
    Helm::installed().await;
    let helm = GatedHelm::closed();
    helm.open();
    let story = Story::begin_with(&["--helm", &helm.program()]).await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, Some("greeting: first\n")).await;
    settled(&story.user, &release).await;
    let before = manifest(&story, "cache");
    helm.close();
    let wanted = json!({ "release": release, "values": "greeting: second\n" });
    story.user.does("upgradeRelease", wanted).await;
    helm.begun(2).await;
    story.user.does("cancelOperation", json!({ "release": release })).await;
    let cancelled = settled(&story.user, &release).await;
    assert_eq!(text(&cancelled, "/wanted/values"), "greeting: second\n");
    assert_eq!(text(&cancelled, "/observed/values"), "greeting: first\n");
    assert_eq!(manifest(&story, "cache"), before);
    helm.open();
    story
        .user
        .does("rollbackRelease", json!({ "release": release, "revision": 1 }))
        .await;
    let now = settled(&story.user, &release).await;
    assert_eq!(
        (text(&now, "/status"), text(&now, "/wanted/values")),
        ("RUNNING", "greeting: first\n")
    );
}

#[tokio::test]
async fn what_no_worker_took_up_yet_is_cancelled_at_once() {
    let (story, helm, app) = gated(&["--helm-runs-max", "1"]).await;
    let first = story.install("first", &app.version, None).await;
    helm.begun(1).await;
    let second = story.install("second", &app.version, None).await;
    story.user.does("cancelOperation", json!({ "release": second })).await;
    let cancelled = settled(&story.user, &second).await;
    assert_eq!(cancelled["failure"]["isCancelled"], json!(true));
    assert!(list(&cancelled, "/attempts/nodes").is_empty());
    helm.open();
    assert_eq!(text(&settled(&story.user, &first).await, "/status"), "RUNNING");
    let entries = audit_trail(&story.admin).await;
    let started = entries
        .iter()
        .filter(|entry| entry["event"] == json!("OperationStarted"));
    assert_eq!(started.count(), 1, "the cancelled one never began");
}

#[tokio::test]
async fn a_removal_that_fails_is_forced_and_says_what_it_left_behind() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    // Something that is no folder cannot be removed as one.
    let folder = story.server.data().join("clusters/local/prod/cache");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    story.user.does("uninstallRelease", json!({ "release": release })).await;
    let failed = settled(&story.user, &release).await;
    assert_eq!(
        (text(&failed, "/status"), text(&failed, "/failure/reason")),
        ("FAILED", "CLUSTER_FAILED")
    );
    let forced = json!({ "release": release, "force": true });
    story.user.does("uninstallRelease", forced).await;
    let gone = settled(&story.user, &release).await;
    assert_eq!(text(&gone, "/status"), "UNINSTALLED");
    assert_eq!(
        gone["attempts"]["nodes"][0]["leftBehind"],
        json!(["ConfigMap prod/cache (perhaps)"])
    );
    std::fs::remove_file(&folder).unwrap();
    let again = story.install("cache", &app.version, None).await;
    assert_eq!(text(&settled(&story.user, &again).await, "/status"), "RUNNING");
}

/// Somebody who may see the releases of the project, and nothing more.
async fn watcher(story: &Story) -> Person {
    let admin = story.command_line();
    admin
        .run(&["account", "create", "watcher", "--role", "platform-regular"])
        .await;
    let place = ["--workspace", "acme", "--project", "prod"];
    admin
        .run(&[&["role", "grant", "watcher", "project-viewer"][..], &place].concat())
        .await;
    Person::new("watcher", &admin.token("watcher").await, story.server.address())
}

#[tokio::test]
async fn whoever_may_only_see_a_release_reads_what_helm_said_but_neither_values_nor_manifest() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, Some("greeting: secret\n")).await;
    settled(&story.user, &release).await;
    let watcher = watcher(&story).await;
    let query = "query($id: ID!) { release(id: $id) { wanted { values isRedacted } observed { values isRedacted } \
        revisions { nodes { manifest deployment { values isRedacted } } } attempts { nodes { output } } } }";
    let seen = watcher.ask(query, json!({ "id": release })).await;
    let redacted = json!({ "values": null, "isRedacted": true });
    assert_eq!(seen["release"]["wanted"], redacted);
    assert_eq!(seen["release"]["observed"], redacted);
    let revision = json!({ "manifest": null, "deployment": redacted });
    assert_eq!(seen["release"]["revisions"]["nodes"], json!([revision]));
    assert_eq!(seen["release"]["attempts"]["nodes"], json!([{ "output": "" }]));
    let own = story.user.ask(query, json!({ "id": release })).await;
    let shown = json!({ "values": "greeting: secret\n", "isRedacted": false });
    assert_eq!(own["release"]["wanted"], shown);
}

#[tokio::test]
async fn whoever_may_suspend_something_knows_how_many_releases_run_it() {
    Helm::installed().await;
    let story = Story::begin().await;
    let (app, second, release) = upgraded_once(&story).await;
    let other = story.install("other", &app.version, None).await;
    settled(&story.user, &other).await;
    let query = "query($app: ID!, $one: ID!, $two: ID!) { \
        app(id: $app) { installations { count releases { nodes { name } } } } \
        one: version(id: $one) { installations { count releases { nodes { name } } } } \
        two: version(id: $two) { installations { count releases { nodes { name } } } } }";
    let variables = json!({ "app": app.app, "one": app.version, "two": second });
    let with = |count: usize, names: &[&str]| {
        let nodes: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "installations": { "count": count, "releases": { "nodes": nodes } } })
    };
    for suspended in [false, true] {
        if suspended {
            story.isv.does("suspendVersion", json!({ "version": second })).await;
        }
        let seen = story.reviewer.ask(query, variables.clone()).await;
        assert_eq!(
            seen,
            json!({ "app": with(2, &[]), "one": with(1, &[]), "two": with(1, &[]) })
        );
        let seen = story.isv.ask(query, variables.clone()).await;
        let all = with(2, &["other", "cache"]);
        assert_eq!(
            seen,
            json!({ "app": all, "one": with(1, &["other"]), "two": with(1, &["cache"]) })
        );
    }
    let seen = story.user.ask(query, variables).await;
    assert_eq!(seen["app"], json!({ "installations": null }));
    story.user.does("uninstallRelease", json!({ "release": release })).await;
    settled(&story.user, &release).await;
}

#[tokio::test]
async fn a_suspended_version_that_runs_is_left_for_a_good_one() {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let good = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&good).await;
    story
        .reviewer
        .does("suspendVersion", json!({ "version": app.version }))
        .await;
    story
        .user
        .does("upgradeRelease", json!({ "release": release, "version": good }))
        .await;
    let now = settled(&story.user, &release).await;
    assert_eq!(
        (text(&now, "/status"), text(&now, "/observed/versionNumber")),
        ("RUNNING", "12.0.0")
    );
}
