//! The published log over HTTP and GraphQL: who may see what, and for how long it may be kept.

use std::{fs, io::Read as _};

use harness::{
    Story,
    evidence::{entries, leaf_hash, verify},
    list,
    story::audit_trail,
    text,
};
use reqwest::{Method, header::ACCEPT_ENCODING};
use serde_json::json;

const ENTRIES: &str = "query($workspace: ID!) { auditTrail(filter: { workspace: $workspace }) { nodes { position \
    inclusionProof { position file } } } }";
const PROOF: &str =
    "query($at: LogPosition!) { inclusionProof(position: $at) { position file checkpoint { size note } } }";

#[tokio::test]
async fn checkpoint_keys_and_hashes_are_for_everybody() {
    let story = Story::begin().await;
    let size = story.all_signed().await;
    let nobody = story.nobody();
    let checkpoint = nobody.get("/log/checkpoint").await;
    assert_eq!(checkpoint.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(checkpoint.header("cache-control"), "public, max-age=2");
    let keys = nobody.get("/log/vkey").await.text();
    let tile = nobody.get(&format!("/log/tile/0/000.p/{size}")).await;
    assert_eq!((tile.status, tile.body.len()), (200, size * 32));
    assert_eq!(tile.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(tile.header("content-type"), "application/octet-stream");

    // That is all a stranger needs to check the tree.
    let mirror = tempfile::tempdir().unwrap();
    let place = mirror.path().join(format!("tile/0/000.p/{size}"));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, tile.body).unwrap();
    fs::write(mirror.path().join("checkpoint"), checkpoint.body).unwrap();
    let verdict = verify(&["tiles", mirror.path().to_str().unwrap(), "--key", keys.trim()]).await;
    assert_eq!(verdict.name, "verified", "{verdict:?}");
    assert!(
        verdict.message.contains("only their hashes are published"),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn events_are_for_auditors() {
    let story = Story::begin().await;
    let size = story.all_signed().await;
    let path = format!("/log/tile/entries/000.p/{size}");
    let refused = story.nobody().get(&path).await;
    assert_eq!(
        (refused.status, text(&refused.json(), "/error/code")),
        (401, "UNAUTHENTICATED")
    );
    let refused = story.isv.get(&path).await;
    assert_eq!(
        (refused.status, text(&refused.json(), "/error/code")),
        (403, "FORBIDDEN")
    );
    let bundle = story.admin.get(&path).await;
    assert_eq!(bundle.header("cache-control"), "private, max-age=31536000, immutable");
    let hashes: Vec<_> = entries(&bundle.body).iter().flat_map(|leaf| leaf_hash(leaf)).collect();
    let tile = story.nobody().get(&format!("/log/tile/0/000.p/{size}")).await;
    assert_eq!(hashes, tile.body);

    let packed = story
        .admin
        .request(Method::GET, &path)
        .header(ACCEPT_ENCODING, "br, gzip");
    let packed = harness::person::Answer::to(packed).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = vec![];
    flate2::read::GzDecoder::new(&packed.body[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, bundle.body);
}

#[tokio::test]
async fn what_is_not_signed_is_not_there() {
    let story = Story::begin().await;
    let size = story.all_signed().await;
    for path in [
        format!("/log/tile/0/000.p/{}", size + 1),
        "/log/tile/0/000".to_owned(),
        "/log/tile/0/001".to_owned(),
        "/log/tile/1/000.p/1".to_owned(),
        "/log/tile/9/000".to_owned(),
        "/log/tile/0/0".to_owned(),
        "/log/tile/0/..%2f..%2fcheckpoint".to_owned(),
    ] {
        let answer = story.admin.get(&path).await;
        assert_eq!(
            (answer.status, text(&answer.json(), "/error/code")),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_event_is_proved_to_whoever_has_it_in_the_audit_trail() {
    let story = Story::begin().await;
    story.app(&harness::chart("redis", "1.0.0")).await;
    let trail = audit_trail(&story.admin).await;
    let uploaded = trail.iter().find(|entry| entry["event"] == "AppUploaded").unwrap();
    let uploaded = text(uploaded, "/position").to_owned();
    let keys = story.nobody().get("/log/vkey").await.text();
    let folder = tempfile::tempdir().unwrap();
    for person in [&story.admin, &story.isv] {
        let answer = person.ask(PROOF, json!({ "at": uploaded })).await;
        assert_eq!(text(&answer, "/inclusionProof/position"), uploaded);
        let by_entry = person.ask(ENTRIES, json!({ "workspace": story.workspace })).await;
        let proved = list(&by_entry, "/auditTrail/nodes").iter();
        let proved: Vec<_> = proved.filter(|entry| entry["position"] == uploaded).collect();
        assert_eq!(text(proved[0], "/inclusionProof/position"), uploaded, "{}", person.name);
        let file = folder.path().join("event.tlog-proof");
        fs::write(&file, text(&answer, "/inclusionProof/file")).unwrap();
        let words = [
            "proof",
            file.to_str().unwrap(),
            "--position",
            &uploaded,
            "--key",
            keys.trim(),
        ];
        assert_eq!(verify(&words).await.name, "verified");
    }
    for (person, at) in [
        (&story.stranger, uploaded.as_str()),
        (&story.isv, "0"),
        (&story.admin, "100000"),
    ] {
        let answer = person.ask(PROOF, json!({ "at": at })).await;
        assert_eq!(answer, json!({ "inclusionProof": null }), "{} at {at}", person.name);
    }
    let denied = story.nobody().is_denied(PROOF, json!({ "at": uploaded })).await;
    assert_eq!(denied.code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_growth_of_the_log_is_proved() {
    let story = Story::begin().await;
    let size = story.all_signed().await;
    let query =
        "query($from: LogPosition!, $to: LogPosition!) { consistencyProof(from: $from, to: $to) { from to hashes } }";
    let of = |from: usize, to: usize| json!({ "from": from.to_string(), "to": to.to_string() });
    let answer = story.stranger.ask(query, of(7, size)).await;
    let hashes = harness::list(&answer, "/consistencyProof/hashes");
    assert!(!hashes.is_empty() && hashes.iter().all(|hash| hash.as_str().unwrap().len() == 44));
    for (variables, code) in [(of(7, 1_000_000), "NOT_PUBLISHED"), (of(size, 7), "BEYOND_THE_LOG")] {
        assert_eq!(story.stranger.is_denied(query, variables).await.code, code);
    }
    let checkpoint = story
        .stranger
        .ask("{ checkpoint { origin size root note } }", json!({}))
        .await;
    assert_eq!(
        text(&checkpoint, "/checkpoint/note"),
        story.nobody().get("/log/checkpoint").await.text()
    );
}

#[tokio::test]
async fn a_new_key_signs_from_now_on_and_the_old_one_stays_published() {
    let mut story = Story::begin().await;
    story.all_signed().await;
    let (old_key, old) = (
        story.nobody().get("/log/vkey").await.text(),
        story.nobody().get("/log/checkpoint").await.text(),
    );
    assert!(story.server.stop().await.success());
    fs::remove_file(story.server.data().join("keys/checkpoint.key")).unwrap();
    story.server.start_again().await;
    let keys = story.nobody().get("/log/vkey").await.text();
    assert!(keys.lines().count() == 2 && keys.ends_with(&old_key), "{keys}");
    let mirror = tempfile::tempdir().unwrap();
    let since = mirror.path().join("old");
    fs::write(&since, old).unwrap();
    let known = mirror.path().join("keys");
    fs::write(&known, keys).unwrap();
    let (data, since, known) = (
        story.server.data().to_str().unwrap(),
        since.to_str().unwrap(),
        known.to_str().unwrap(),
    );
    // Beside the running server.
    let verdict = verify(&["log", data, "--key", known, "--since", since]).await;
    assert_eq!(verdict.name, "verified", "{verdict:?}");
}
