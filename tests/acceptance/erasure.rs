//! What must not stay: people, and bytes that were published. The history stays, without them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use harness::{
    Person, Story, chart,
    helm::Helm,
    list, picture,
    server::PATIENCE,
    snapshot::files_below,
    story::{audit_trail, event_names, settled, what_was_read},
    text,
};
use serde_json::{Value, json};

const REASON: &str = "the summary promises a zanzibarian cluster";

/// Which files below the folder hold this text.
fn files_with(folder: &Path, words: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(folder.join(path)).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    files_below(folder).unwrap().into_iter().filter(holds).collect()
}

async fn account_of(story: &Story, token: &harness::Person) -> String {
    let viewer = token.ask("{ viewer { account { id } } }", json!({})).await;
    assert!(!story.workspace.is_empty());
    text(&viewer, "/viewer/account/id").to_owned()
}

/// A version that the reviewer rejected, with a reason.
async fn rejected(story: &Story) -> String {
    let app = story.app(&chart("redis", "1.0.0")).await;
    story.submit(&app.version).await;
    story
        .reviewer
        .does("startReview", json!({ "version": app.version }))
        .await;
    let mut read = what_was_read(&story.reviewer, &app.version).await;
    read["reason"] = json!(REASON);
    story.reviewer.does("rejectVersion", read).await;
    app.version
}

async fn decision(story: &Story, version: &str) -> Value {
    let query = "query($id: ID!) { version(id: $id) { decision { decision reason by { id name erased } } } }";
    let mut answer = story.isv.ask(query, json!({ "id": version })).await;
    answer["version"]["decision"].take()
}

#[tokio::test]
async fn whoever_is_erased_is_nameless_everywhere_and_the_history_stays() {
    let story = Story::begin().await;
    let version = rejected(&story).await;
    let reviewer = account_of(&story, &story.reviewer).await;
    let before = decision(&story, &version).await;
    assert_eq!(text(&before, "/by/name"), "reviewer");
    assert_eq!(text(&before, "/reason"), REASON);
    let events = story.events().await;

    let erased = story
        .admin
        .does("eraseAccount", json!({ "account": reviewer, "name": "reviewer" }))
        .await;
    assert_eq!(
        erased["account"],
        json!({ "id": reviewer, "name": null, "erased": true })
    );

    let after = decision(&story, &version).await;
    assert_eq!(text(&after, "/decision"), text(&before, "/decision"));
    assert_eq!(after["by"], json!({ "id": reviewer, "name": null, "erased": true }));
    assert!(after["reason"].is_null());
    let trail = audit_trail(&story.admin).await;
    let by_nobody = |entry: &&Value| entry["actor"].is_object() && entry["actor"]["name"].is_null();
    assert!(trail.iter().filter(by_nobody).count() >= 2, "what was done stays");
    let names = event_names(&story.admin).await;
    assert_eq!(
        names[events..],
        ["RoleRevoked", "TokenRevoked", "SubjectErased", "NameReleased"],
        "{names:?}"
    );

    let refused = story
        .reviewer
        .is_denied("{ viewer { account { id } } }", json!({}))
        .await;
    refused.says("UNAUTHENTICATED", &[]);
    // The name is free, and another person's.
    story.command_line().create(&["account", "create", "reviewer"]).await;
    assert_eq!(
        story
            .admin
            .ask(
                "query($id: ID!) { node(id: $id) { ... on Account { name erased } } }",
                json!({ "id": reviewer })
            )
            .await["node"],
        json!({ "name": null, "erased": true })
    );
}

#[tokio::test]
async fn whoever_is_called_as_an_erased_person_was_inherits_no_invitation() {
    let story = Story::begin().await;
    let own = json!({ "role": "workspace-viewer", "workspace": story.workspace });
    let mut offer = own.clone();
    offer["name"] = json!("other-reviewer");
    story.isv.does("inviteMember", offer).await;
    let erased = account_of(&story, &story.other_reviewer).await;
    let erase = json!({ "account": erased, "name": "other-reviewer" });
    story.admin.does("eraseAccount", erase).await;
    let names = event_names(&story.admin).await;
    assert!(
        names.ends_with(&["SubjectErased", "InvitationsWithdrawn", "NameReleased"].map(str::to_owned)),
        "{names:?}"
    );

    let token = story.command_line().person("other-reviewer", &[]).await;
    let namesake = story.other_reviewer.with_token(&token);
    let offered = "{ viewer { invitations { role } } }";
    assert_eq!(
        namesake.ask(offered, json!({})).await,
        json!({ "viewer": { "invitations": [] } })
    );
    namesake
        .is_refused("acceptInvitation", own)
        .await
        .says("NOT_FOUND", &["invitation"]);
}

#[tokio::test]
async fn erasing_asks_for_the_name_and_leaves_an_administrator() {
    let story = Story::begin().await;
    let (reviewer, admin) = (
        account_of(&story, &story.reviewer).await,
        account_of(&story, &story.admin).await,
    );
    let events = story.events().await;
    let refused = story
        .admin
        .is_refused("eraseAccount", json!({ "account": reviewer, "name": "reviewe" }))
        .await;
    refused.says("NAME_NOT_CONFIRMED", &[]);
    assert_eq!(refused.path, ["input", "name"]);
    let refused = story
        .isv
        .is_refused("eraseAccount", json!({ "account": reviewer, "name": "reviewer" }))
        .await;
    refused.says("FORBIDDEN", &["account.manage"]);
    let refused = story
        .admin
        .is_refused("eraseAccount", json!({ "account": admin, "name": "admin" }))
        .await;
    refused.says("LAST_ADMINISTRATOR", &[]);
    let said = story
        .command_line()
        .attempt(&["account", "erase", "isv", "--confirm", "other"])
        .await;
    assert!(said.unwrap_err().contains("NAME_NOT_CONFIRMED"));
    assert_eq!(story.events().await, events, "nothing was recorded");

    let clerk = json!({ "role": "clerk", "permissions": ["account.manage"] });
    story.admin.does("defineRole", clerk).await;
    let token = story.command_line().person("clerk", &[&["clerk"]]).await;
    Person::new("clerk", &token, story.server.address())
        .is_refused("eraseAccount", json!({ "account": admin, "name": "admin" }))
        .await
        .says("EXCEEDS_OWN_RIGHTS", &[]);

    story.command_line().person("second", &[&["platform-admin"]]).await;
    story
        .admin
        .does("eraseAccount", json!({ "account": admin, "name": "admin" }))
        .await;
    let said = story
        .command_line()
        .attempt(&["account", "erase", "admin", "--confirm", "admin"])
        .await;
    assert!(said.unwrap_err().contains("NOT_FOUND"), "nobody is called so any more");
}

#[tokio::test]
async fn what_was_erased_is_gone_and_stays_gone_when_an_older_copy_is_restored() {
    let mut story = Story::begin().await;
    let version = rejected(&story).await;
    story.server.stop().await;
    // An older copy of everything but the keys, which are kept apart with the erasure list.
    let copy = tempfile::tempdir().unwrap();
    for file in files_below(story.server.data()).unwrap() {
        if !file.starts_with("keys") {
            std::fs::create_dir_all(copy.path().join(&file).parent().unwrap()).unwrap();
            std::fs::copy(story.server.data().join(&file), copy.path().join(&file)).unwrap();
        }
    }
    story.server.start_again().await;
    assert_eq!(text(&decision(&story, &version).await, "/reason"), REASON);
    story
        .command_line()
        .run(&["account", "erase", "reviewer", "--confirm", "reviewer"])
        .await;
    story.server.stop().await;
    let data = story.server.data().to_owned();
    let list = std::fs::read_to_string(data.join("keys/erasures")).unwrap();
    assert!(list.starts_with("subject account-"), "{list}");

    for file in files_below(copy.path()).unwrap() {
        std::fs::copy(copy.path().join(&file), data.join(&file)).unwrap();
    }
    let _ = std::fs::remove_file(data.join("log.db-wal"));
    story.server.start_again().await;
    let after = decision(&story, &version).await;
    assert!(after["reason"].is_null() && after["by"]["name"].is_null(), "{after:#}");
    assert_eq!(after["by"]["erased"], json!(true), "it is recorded again");
    story
        .reviewer
        .is_denied("{ viewer { account { id } } }", json!({}))
        .await
        .says("UNAUTHENTICATED", &[]);
    assert!(story.server.errors().contains("destroyed again"));
}

#[tokio::test]
async fn no_file_holds_a_sealed_text_and_no_log_line_a_name() {
    let story = Story::begin_with(&[]).await;
    let version = rejected(&story).await;
    // Sealed, it is nowhere in the clear, and found where a client was told.
    assert_eq!(text(&decision(&story, &version).await, "/reason"), REASON);
    assert_eq!(files_with(story.server.data(), "zanzibarian"), Vec::<PathBuf>::new());
    let reviewer = account_of(&story, &story.reviewer).await;
    story
        .admin
        .does("eraseAccount", json!({ "account": reviewer, "name": "reviewer" }))
        .await;
    assert_eq!(files_with(story.server.data(), "zanzibarian"), Vec::<PathBuf>::new());
    assert!(!story.server.errors().contains("zanzibarian"));
}

/// The digest of a version's archive, and of its listing.
async fn digests(story: &Story, app: &str) -> (String, String) {
    let query = "query($id: ID!) { app(id: $id) { latestVersion { packageDigest } listing { digest } } }";
    let answer = story.isv.ask(query, json!({ "id": app })).await;
    let at = |pointer| text(&answer, pointer).to_owned();
    (at("/app/latestVersion/packageDigest"), at("/app/listing/digest"))
}

#[tokio::test]
async fn an_archive_that_was_removed_is_neither_had_nor_installed_nor_uploaded_again() {
    Helm::installed().await;
    let story = Story::begin().await;
    let packed = chart("redis", "1.0.0").file("README.md", "# A quagmirish readme\n");
    let app = story.published(&packed).await;
    let release = story.install("cache", &app.version, None).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
    let (digest, _) = digests(&story, &app.app).await;
    let data = story.server.data().to_owned();
    assert!(!files_with(&data, "quagmirish").is_empty(), "it can be found at all");
    let upload = story.upload_chart(&packed).await;

    let refused = story
        .admin
        .is_refused("removeContent", json!({ "digest": digest, "reason": " " }))
        .await;
    refused.says("REASON_REQUIRED", &[]);
    let refused = story
        .reviewer
        .is_refused("removeContent", json!({ "digest": digest, "reason": "x" }))
        .await;
    refused.says("FORBIDDEN", &["content.remove"]);
    let unknown = format!("sha256:{}", "0".repeat(64));
    let refused = story
        .admin
        .is_refused("removeContent", json!({ "digest": unknown, "reason": "x" }))
        .await;
    refused.says("NOT_FOUND", &[]);
    let removed = story
        .admin
        .does(
            "removeContent",
            json!({ "digest": digest, "reason": "a court said so" }),
        )
        .await;
    assert_eq!(text(&removed, "/removal/reason"), "a court said so");

    let hex = digest.trim_start_matches("sha256:");
    assert!(!data.join(format!("blobs/sha256/{}/{hex}", &hex[..2])).exists());
    assert_eq!(files_with(&data, "quagmirish"), Vec::<PathBuf>::new());
    let index = story.user.get("/charts/store/index.yaml").await.text();
    assert!(!index.contains(hex), "{index}");
    let archive = story.user.get("/charts/store/redis-1.0.0.tgz").await;
    assert_eq!(
        (archive.status, archive.refusal().code.as_str()),
        (410, "CONTENT_REMOVED")
    );
    let query = "query($id: ID!) { version(id: $id) { stage chart { readme } removal { digest reason } } }";
    let shown = story.isv.ask(query, json!({ "id": app.version })).await;
    assert_eq!(shown["version"]["removal"], json!({ "digest": digest, "reason": null }));
    assert!(shown["version"]["chart"].is_null());

    let input = json!({ "project": story.project, "name": "other", "version": app.version });
    story
        .user
        .is_refused("installRelease", input)
        .await
        .says("CONTENT_REMOVED", &[hex]);
    let again = story.isv.post_upload(&story.workspace, "chart", packed.packed()).await;
    assert_eq!((again.status, again.refusal().code.as_str()), (410, "CONTENT_REMOVED"));
    // An upload from before the removal leads nowhere either.
    let input = json!({ "workspace": story.workspace, "upload": upload });
    story
        .isv
        .is_refused("uploadApp", input)
        .await
        .says("CONTENT_REMOVED", &[]);
    assert_eq!(
        text(&settled(&story.user, &release).await, "/status"),
        "RUNNING",
        "it goes on"
    );
    let gone = story.user.does("uninstallRelease", json!({ "release": release })).await;
    assert!(gone["release"].is_object());
    settled(&story.user, &release).await;
}

#[tokio::test]
async fn a_listing_that_was_removed_is_neither_shown_nor_found() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "1.0.0")).await;
    let edit = json!({ "app": app.app, "summary": "a quagmirish store of keys" });
    story.isv.does("editListing", edit.clone()).await;
    story.publish(&app.version).await;
    let search = "{ store(search: \"quagmirish\") { nodes { chartName } } }";
    assert_eq!(list(&story.user.ask(search, json!({})).await, "/store/nodes").len(), 1);
    let data = story.server.data().to_owned();
    assert!(!files_with(&data, "quagmirish").is_empty(), "it can be found at all");
    let (_, listing) = digests(&story, &app.app).await;
    story
        .command_line()
        .run(&["content", "remove", &listing, "--reason", "libel"])
        .await;

    assert_eq!(list(&story.user.ask(search, json!({})).await, "/store/nodes").len(), 0);
    let query = "query($id: ID!) { app(id: $id) { listing { content { summary } removal { reason } } } }";
    let shown = story.reviewer.ask(query, json!({ "id": app.app })).await;
    assert_eq!(
        shown["app"]["listing"],
        json!({ "content": null, "removal": { "reason": "libel" } })
    );
    assert_eq!(files_with(&data, "quagmirish"), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn uploads_that_nothing_came_of_are_removed_after_a_while_and_nothing_else_is() {
    let mut story = Story::begin().await;
    let app = story.app(&chart("redis", "1.0.0")).await;
    let screenshot = story
        .isv
        .upload(&story.workspace, "screenshot", picture::png(300, 200))
        .await;
    story
        .isv
        .does("editListing", json!({ "app": app.app, "screenshots": [screenshot] }))
        .await;
    let data = story.server.data().to_owned();
    let named = files_below(&data.join("blobs")).unwrap();
    story.upload_chart(&chart("kafka", "1.0.0")).await;
    story.server.stop().await;
    let all = files_below(&data.join("blobs")).unwrap();
    assert!(all.len() > named.len());
    let long_ago = SystemTime::now() - Duration::from_secs(3 * 24 * 3_600);
    for blob in &all {
        let blob = std::fs::File::options()
            .write(true)
            .open(data.join("blobs").join(blob))
            .unwrap();
        blob.set_modified(long_ago).unwrap();
    }
    story.server.start_again().await;
    let fresh = story.upload_chart(&chart("mysql", "1.0.0")).await;
    let started = Instant::now();
    while all
        .iter()
        .any(|blob| !named.contains(blob) && data.join("blobs").join(blob).exists())
    {
        assert!(started.elapsed() < PATIENCE, "they are still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for blob in named {
        assert!(data.join("blobs").join(&blob).exists(), "{}", blob.display());
    }
    let input = json!({ "workspace": story.workspace, "upload": fresh });
    story.isv.does("uploadApp", input).await;
}
