//! Evidence outlives whom it is about: what was proved of a decision still holds after its reviewer was erased.

use std::path::Path;

use harness::{
    Story,
    evidence::{Verdict, verify},
    text,
};
use serde_json::{Value, json};

use super::exports::decided;

const REASON: &str = "a zanzibarian summary";

/// Everything an auditor takes home: the bundle, and the proof of the rejection.
async fn taken_home(story: &Story, folder: &Path, rejection: &str) -> [Verdict; 2] {
    std::fs::create_dir_all(folder).unwrap();
    let key = story.admin.get("/log/vkey").await.text();
    std::fs::write(folder.join("vkey"), key).unwrap();
    let bundle = story.admin.get("/exports/decisions.zip").await;
    assert_eq!(bundle.status, 200, "{}", bundle.text());
    std::fs::write(folder.join("bundle.zip"), bundle.body).unwrap();
    let query = "query($position: LogPosition!) { inclusionProof(position: $position) { file } }";
    let proof = story.admin.ask(query, json!({ "position": rejection })).await;
    std::fs::write(
        folder.join("rejection.tlog-proof"),
        text(&proof, "/inclusionProof/file"),
    )
    .unwrap();
    still_convincing(folder).await
}

async fn still_convincing(folder: &Path) -> [Verdict; 2] {
    let path = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let key = path("vkey");
    [
        verify(&["bundle", &path("bundle.zip"), "--key", &key]).await,
        verify(&["proof", &path("rejection.tlog-proof"), "--key", &key]).await,
    ]
}

fn convinced(verdicts: &[Verdict]) {
    for verdict in verdicts {
        assert_eq!(verdict.exit_code, 0, "{verdict:?}");
    }
}

async fn rejection(story: &Story) -> (Value, String) {
    let answer = story.admin.get("/exports/decisions.jsonl").await.text();
    let mut rows = answer.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rejection = rows.rfind(|row| row["decision"] == "rejected").unwrap();
    (rejection, answer)
}

#[tokio::test]
async fn what_was_proved_before_and_after_an_erasure_holds_and_no_export_names_the_erased() {
    let story = Story::begin().await;
    decided(&story, REASON).await;
    let (row, _) = rejection(&story).await;
    assert_eq!(text(&row, "/reviewer/name"), "other-reviewer");
    assert_eq!(text(&row, "/reason"), REASON);
    let position = text(&row, "/position").to_owned();
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    convinced(&taken_home(&story, before.path(), &position).await);

    let viewer = story
        .other_reviewer
        .ask("{ viewer { account { id } } }", json!({}))
        .await;
    let account = text(&viewer, "/viewer/account/id");
    story
        .admin
        .does("eraseAccount", json!({ "account": account, "name": "other-reviewer" }))
        .await;

    let (row, everything) = rejection(&story).await;
    assert_eq!(text(&row, "/decision"), "rejected");
    assert_eq!((&row["reviewer"]["name"], &row["reason"]), (&Value::Null, &Value::Null));
    assert!(!row["erased"].as_array().unwrap().is_empty(), "{row:#}");
    let table = story.admin.get("/exports/decisions.csv").await.text();
    for export in [everything, table] {
        assert!(
            !export.contains("other-reviewer") && !export.contains("zanzibarian"),
            "{export}"
        );
    }
    convinced(&still_convincing(before.path()).await);
    convinced(&taken_home(&story, after.path(), &position).await);
}
