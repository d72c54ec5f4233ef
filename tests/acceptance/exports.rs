//! Review decisions leave the product whole, as of one moment, for whoever may see them, and not unnoticed.

use harness::{
    Person, Refusal, Story, chart, list,
    person::Answer,
    story::{audit_trail, what_was_read},
    text, verifiers,
};
use serde_json::{Value, json};

/// One approval and one rejection, each of an app of its own.
pub async fn decided(story: &Story, reason: &str) -> [String; 2] {
    let approved = story.app(&chart("redis", "11.3.4")).await;
    story.approve(&approved.version).await;
    let rejected = story.app(&chart("kafka", "1.0.0")).await;
    story.submit(&rejected.version).await;
    let reviewer = &story.other_reviewer;
    reviewer
        .does("startReview", json!({ "version": rejected.version }))
        .await;
    let mut read = what_was_read(reviewer, &rejected.version).await;
    read["reason"] = json!(reason);
    reviewer.does("rejectVersion", read).await;
    [approved.app, rejected.app]
}

async fn export(person: &Person, file: &str) -> Answer {
    let answer = person.get(&format!("/exports/decisions.{file}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

async fn rows(person: &Person, parameters: &str) -> Vec<Value> {
    let answer = export(person, &format!("jsonl{parameters}")).await;
    let text = answer.text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn refused(person: &Person, parameters: &str) -> (u16, Refusal) {
    let answer = person.get(&format!("/exports/decisions.csv{parameters}")).await;
    (answer.status, answer.refusal())
}

#[tokio::test]
async fn a_row_says_who_in_which_role_decided_what_about_which_bytes_and_why() {
    let story = Story::begin().await;
    let [redis, _] = decided(&story, "too little is said").await;
    let rows = rows(&story.admin, "").await;
    assert_eq!(rows.len(), 2);
    let [approval, rejection] = &rows[..] else {
        panic!("two rows")
    };

    assert_eq!(text(approval, "/decision"), "approved");
    assert_eq!(text(approval, "/meaning"), "approval");
    assert_eq!(text(approval, "/reviewer/name"), "reviewer");
    assert_eq!(approval["reviewer"]["roles"], json!(["app-review"]));
    assert_eq!(text(approval, "/reviewer/permission"), "review.approve");
    assert_eq!(text(approval, "/submission/submittedBy/name"), "isv");
    assert_eq!(text(approval, "/authors/0/name"), "isv");
    assert_eq!(approval["reason"], Value::Null);
    assert_eq!(
        approval["separationOfDuties"],
        json!({ "required": true, "held": true, "exception": null })
    );
    assert_eq!(approval["policy"]["text"]["authorIsNotReviewer"], json!(true));
    assert_eq!(approval["erased"], json!([]));
    let asked = "query($id: ID!) { app(id: $id) { versions { nodes { packageDigest } } } \
        decisions(filter: { app: $id }) { nodes { eventId position listingDigest } } }";
    let known = story.admin.ask(asked, json!({ "id": redis })).await;
    // What a reviewer approved is what the API shows of it.
    assert_eq!(text(approval, "/id"), text(&known, "/decisions/nodes/0/eventId"));
    assert_eq!(text(approval, "/position"), text(&known, "/decisions/nodes/0/position"));
    assert_eq!(
        text(approval, "/subject/listing"),
        text(&known, "/decisions/nodes/0/listingDigest")
    );

    assert_eq!(text(rejection, "/decision"), "rejected");
    assert_eq!(text(rejection, "/meaning"), "review");
    assert_eq!(text(rejection, "/reason"), "too little is said");
    assert_eq!(text(rejection, "/reviewer/name"), "other-reviewer");
    assert_eq!(text(rejection, "/subject/chart"), "kafka");
    assert_eq!(text(rejection, "/subject/workspace/name"), "acme");
}

#[tokio::test]
async fn an_export_holds_the_decisions_that_were_asked_for_and_no_others() {
    let story = Story::begin().await;
    let [redis, kafka] = decided(&story, "no").await;
    let admin = &story.admin;
    let all = rows(admin, "").await;
    let [first, second] = &all[..] else { panic!("two rows") };
    let of = |parameters: String| async move { rows(admin, &parameters).await };

    assert_eq!(of(format!("?app={redis}")).await, all[..1]);
    assert_eq!(of(format!("?app={kafka}")).await, all[1..]);
    assert_eq!(of(format!("?app={}", text(second, "/subject/app"))).await, all[1..]);
    assert_eq!(of(format!("?workspace={}", story.workspace)).await, all);
    assert_eq!(
        of(format!("?workspace={}", story.foreign_workspace)).await,
        [] as [Value; 0]
    );
    assert_eq!(of(format!("?decision={}", text(first, "/id"))).await, all[..1]);
    let between = text(second, "/decidedAt");
    assert_eq!(of(format!("?until={between}")).await, all[..1]);
    assert_eq!(of(format!("?from={between}")).await, all[1..]);
    assert_eq!(of(format!("?from={between}&until={between}")).await, [] as [Value; 0]);
}

#[tokio::test]
async fn exports_of_what_one_may_not_see_are_refused_as_if_it_were_not_there() {
    let story = Story::begin().await;
    let [redis, _] = decided(&story, "no").await;
    let decision = text(&rows(&story.admin, "").await[0], "/id").to_owned();
    let nothing = "0198f3a0-0000-7000-8000-000000000000";

    for (parameters, unknown) in [
        (format!("?app={redis}"), format!("?app={nothing}")),
        (
            format!("?workspace={}", story.workspace),
            format!("?workspace={nothing}"),
        ),
        (format!("?decision={decision}"), format!("?decision={nothing}")),
    ] {
        assert!(!rows(&story.isv, &parameters).await.is_empty(), "{parameters}");
        let foreign = refused(&story.stranger, &parameters).await;
        assert_eq!((foreign.0, foreign.1.code.as_str()), (404, "NOT_FOUND"), "{parameters}");
        assert_eq!(foreign, refused(&story.stranger, &unknown).await, "{parameters}");
    }
    let (status, refusal) = refused(&story.isv, "").await;
    assert_eq!((status, refusal.code.as_str()), (403, "FORBIDDEN"));
    assert_eq!(refused(&story.nobody(), "").await.0, 401);
    for (parameters, code) in [
        ("?from=2026-03-02&until=2026-03-01", "PERIOD_REVERSED"),
        ("?from=yesterday", "BAD_PARAMETERS"),
        ("?app=redis", "BAD_PARAMETERS"),
        ("?apps=all", "BAD_PARAMETERS"),
    ] {
        let (status, refusal) = refused(&story.admin, parameters).await;
        assert_eq!((status, refusal.code.as_str()), (400, code), "{parameters}");
    }
    let reversed = r#"{ decisions(filter: { from: "2026-03-02T00:00:00Z", until: "2026-03-01T00:00:00Z" }) { nodes { position } } }"#;
    let refusal = story.admin.is_denied(reversed, json!({})).await;
    assert_eq!(refusal.code, "PERIOD_REVERSED", "also where decisions are only listed");
    assert_eq!(story.admin.get("/exports/decisions.pdf").await.status, 404);
    let exported = exports_recorded(&story.admin).await;
    assert_eq!(exported.len(), 4, "a refused export is none: {exported:#?}");
}

async fn exports_recorded(auditor: &Person) -> Vec<Value> {
    let trail = audit_trail(auditor).await;
    let is_export = |entry: &&Value| entry["event"] == json!("DecisionsExported");
    trail.iter().filter(is_export).cloned().collect()
}

#[tokio::test]
async fn an_export_is_recorded_before_it_goes_out_with_what_it_holds() {
    let story = Story::begin().await;
    let [redis, _] = decided(&story, "no").await;
    let answer = export(&story.isv, &format!("csv?app={redis}&from=2020-01-01")).await;
    let recorded = exports_recorded(&story.admin).await;
    let [entry] = &recorded[..] else {
        panic!("one export: {recorded:#?}")
    };
    assert_eq!(text(entry, "/actor/name"), "isv");
    assert_eq!(text(entry, "/data/format"), "csv");
    assert_eq!(text(entry, "/data/count"), "1");
    assert_eq!(text(entry, "/data/selection/from"), "2020-01-01T00:00:00Z");
    assert_eq!(text(entry, "/data/size"), answer.header("charthouse-log-size"));
    assert_eq!(
        text(entry, "/data/size"),
        text(entry, "/position"),
        "it covers what was there before it"
    );
    assert_eq!(answer.header("charthouse-decisions"), "1");
}

#[tokio::test]
async fn a_table_is_text_to_a_spreadsheet_whatever_a_reviewer_wrote() {
    let story = Story::begin().await;
    decided(&story, "=HYPERLINK(\"http://evil.example\",\"see, why\")\nsecond line").await;
    let answer = export(&story.admin, "csv").await;
    assert!(answer.header("content-type").starts_with("text/csv"));
    assert!(answer.header("content-disposition").contains("attachment"));
    let table = answer.text();
    assert!(
        table.contains("\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"see, why\"\")\nsecond line\""),
        "{table}"
    );
    assert!(table.starts_with("position,decision_id,decided_at,decision,meaning,reason,"));
    assert_eq!(table.matches("\r\n").count(), 3, "a header and two rows");
}

#[tokio::test]
async fn the_cloudevents_package_reads_the_batch() {
    let story = Story::begin().await;
    decided(&story, "é \u{2028} \"quoted\"").await;
    let answer = export(&story.admin, "cloudevents.json").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/cloudevents-batch+json")
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("decisions.cloudevents.json");
    std::fs::write(&file, &answer.body).unwrap();
    let read = verifiers::run("read_cloudevents.py", &["batch".as_ref(), file.as_os_str()])
        .await
        .unwrap();
    let rows = rows(&story.admin, "").await;
    let expected: Vec<_> = rows
        .iter()
        .map(|row| format!("charthouse.review-decision.v1 {}", text(row, "/position")))
        .collect();
    assert_eq!(read, expected);
    let batch = answer.json();
    let data: Vec<_> = list(&batch, "").iter().map(|event| event["data"].clone()).collect();
    assert_eq!(data, rows, "a batch and lines say the same");
}

#[tokio::test]
async fn the_command_line_exports_beside_a_server_and_without_one_what_the_server_exports() {
    let mut story = Story::begin().await;
    decided(&story, "no, \"never\"").await;
    let expected = export(&story.admin, "csv").await.text();
    let file = story.server.data().with_extension("csv");
    let output = file.to_str().unwrap();
    let told = story
        .command_line()
        .export(&["--output", output, "--json"])
        .await
        .unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["decisions"], json!(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(
        exports_recorded(&story.admin).await.len(),
        2,
        "it is recorded by the server"
    );

    story.server.stop().await;
    let written = story
        .command_line()
        .export(&["--format", "jsonl", "--workspace", "acme"])
        .await
        .unwrap();
    assert_eq!(written.lines().count(), 2);
    let reversed = ["--from", "2026-03-02", "--until", "2026-03-01"];
    let refused = story.command_line().export(&reversed).await.unwrap_err();
    assert!(refused.contains("before it begins"), "{refused}");
    let unknown = story
        .command_line()
        .export(&["--workspace", "nowhere"])
        .await
        .unwrap_err();
    assert!(unknown.contains("NOT_FOUND"), "{unknown}");
    story.server.start_again().await;
    let recorded = exports_recorded(&story.admin).await;
    assert_eq!(recorded.len(), 3);
    assert_eq!(
        recorded[2]["actor"],
        Value::Null,
        "whoever holds the folder is nobody's account"
    );
}
