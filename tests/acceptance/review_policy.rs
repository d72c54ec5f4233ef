//! Reviews in stages: who is asked, in which order, and what stays as it was when the rules change.

use harness::{Person, Story, chart, list, story::what_was_read, text};
use serde_json::{Value, json};

/// A technical stage that takes two approvals, then a legal one for the role `legal`.
async fn two_stages(story: &Story) -> Person {
    let review = ["review.view", "review.start", "review.approve", "review.reject"];
    story
        .admin
        .does("defineRole", json!({ "role": "legal", "permissions": review }))
        .await;
    story
        .admin
        .does("createAccount", json!({ "name": "lawyer", "role": "legal" }))
        .await;
    let policy = json!({ "stages": [
        { "name": "technical", "approvals": 2 },
        { "name": "legal", "role": "legal" },
    ] });
    let set = story.admin.does("setReviewPolicy", policy).await;
    assert_eq!(text(&set, "/reviewPolicy/stages/0/permission"), "review.approve");
    let token = story.command_line().token("lawyer").await;
    Person::new("lawyer", &token, story.server.address())
}

async fn approve(reviewer: &Person, version: &str) -> Value {
    reviewer.does("startReview", json!({ "version": version })).await;
    reviewer
        .does("approveVersion", what_was_read(reviewer, version).await)
        .await
}

#[tokio::test]
async fn a_change_of_policy_does_not_touch_what_is_under_way() {
    let story = Story::begin().await;
    let before = story.app(&chart("redis", "11.3.4")).await;
    story.submit(&before.version).await;
    two_stages(&story).await;
    let approved = approve(&story.reviewer, &before.version).await;
    assert_eq!(text(&approved, "/version/stage"), "APPROVED");

    let after = story.version(&before.app, &chart("redis", "12.0.0")).await;
    story.submit(&after).await;
    let approved = approve(&story.reviewer, &after).await;
    assert_eq!(text(&approved, "/version/stage"), "SUBMITTED");
    let once = json!({ "stages": [{ "name": "review" }] });
    story.admin.does("setReviewPolicy", once).await;
    let still = approve(&story.other_reviewer, &after).await;
    assert_eq!(text(&still, "/version/stage"), "SUBMITTED");
}

#[tokio::test]
async fn a_policy_is_set_by_whoever_may_and_makes_sense() {
    let story = Story::begin().await;
    let one = |stage: Value| json!({ "stages": [stage] });
    story
        .reviewer
        .is_refused("setReviewPolicy", one(json!({ "name": "review" })))
        .await
        .says("FORBIDDEN", &["policy.manage"]);
    for (policy, code) in [
        (json!({ "stages": [] }), "POLICY_STAGES"),
        (one(json!({ "name": "review", "approvals": 0 })), "POLICY_APPROVALS"),
        (one(json!({ "name": "x", "role": "nobody-has-it" })), "NOT_FOUND"),
        (one(json!({ "name": "x", "role": "workspace-admin" })), "NOT_FOUND"),
        (
            one(json!({ "name": "x", "permission": "app.upload" })),
            "PERMISSION_LEVEL",
        ),
        (
            one(json!({ "name": "x", "permission": "world.rule" })),
            "PERMISSION_UNKNOWN",
        ),
        (
            one(json!({ "name": "x", "permission": "review.approve", "role": "auditor" })),
            "POLICY_DECIDERS",
        ),
        (one(json!({ "name": "Not a name" })), "NAME_INVALID"),
        (
            json!({ "stages": [{ "name": "x" }, { "name": "x" }] }),
            "POLICY_STAGE_TWICE",
        ),
    ] {
        story.admin.is_refused("setReviewPolicy", policy).await.says(code, &[]);
    }
}

#[tokio::test]
async fn where_the_policy_lets_authors_review_the_decision_says_so() {
    let story = Story::begin().await;
    let lenient = json!({ "stages": [{ "name": "review" }], "authorIsNotReviewer": false });
    story.admin.does("setReviewPolicy", lenient).await;
    let both = &story.author_and_reviewer;
    let upload = both
        .upload(&story.workspace, "chart", chart("redis", "11.3.4").packed())
        .await;
    let app = both
        .does("uploadApp", json!({ "workspace": story.workspace, "upload": upload }))
        .await;
    let version = text(&app, "/app/versions/nodes/0/id");
    both.does("submitVersion", json!({ "version": version })).await;
    approve(both, version).await;
    let query = "{ decisions { nodes { decision exception role stage isLast policyDigest } } }";
    let decisions = story.admin.ask(query, json!({})).await;
    assert_eq!(text(&decisions, "/decisions/nodes/0/exception"), "OWN_WORK");
    assert_eq!(text(&decisions, "/decisions/nodes/0/role"), "app-review");
    assert_eq!(text(&decisions, "/decisions/nodes/0/stage"), "review");

    let exported = story.admin.get("/exports/decisions.jsonl").await.text();
    let exported: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(
        exported["separationOfDuties"],
        json!({ "required": false, "held": false, "exception": "own-work" })
    );
    assert_eq!(exported["reviewer"]["roles"], json!(["app-review"]));
    assert_eq!(
        (&exported["stage"], &exported["isLast"]),
        (&json!("review"), &json!(true))
    );
}

#[tokio::test]
async fn a_claim_ends_with_the_rights_of_whoever_holds_it() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    let input = json!({ "version": version });
    story.reviewer.does("startReview", input.clone()).await;
    story
        .other_reviewer
        .is_refused("startReview", input.clone())
        .await
        .says("REVIEW_CLAIMED", &[]);
    story
        .command_line()
        .run(&["role", "revoke", "reviewer", "app-review"])
        .await;
    let taken = story.other_reviewer.does("startReview", input).await;
    assert_eq!(text(&taken, "/version/reviewer/name"), "other-reviewer");
}

#[tokio::test]
async fn stages_and_approvals_are_shown_with_the_submission_and_every_approval_is_a_decision() {
    let story = Story::begin().await;
    let lawyer = two_stages(&story).await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    let input = json!({ "version": version });
    lawyer.does("startReview", input.clone()).await;
    lawyer.does("releaseReview", input.clone()).await;
    approve(&story.reviewer, &version).await;
    story
        .reviewer
        .is_refused("startReview", input.clone())
        .await
        .says("ALREADY_APPROVED", &[]);
    approve(&story.other_reviewer, &version).await;
    story
        .admin
        .is_refused("startReview", input.clone())
        .await
        .says("REVIEW_STAGE", &["legal"]);

    let query = "query($id: ID!) { version(id: $id) { stage submission { policyDigest stages { \
        rule { name role permission approvals } isOpen hasPassed approvals { role reviewer { name } } } } } }";
    let seen = story.isv.ask(query, json!({ "id": version })).await;
    let stages = list(&seen, "/version/submission/stages");
    assert_eq!(list(&stages[0], "/approvals").len(), 2);
    assert_eq!(text(&stages[0], "/approvals/0/reviewer/name"), "reviewer");
    assert_eq!(
        (&stages[0]["hasPassed"], &stages[0]["isOpen"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&stages[1]["hasPassed"], &stages[1]["isOpen"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(text(&stages[1], "/rule/role"), "legal");

    let approved = approve(&lawyer, &version).await;
    assert_eq!(text(&approved, "/version/stage"), "APPROVED");
    story.isv.does("publishVersion", input).await;
    let query = "{ decisions { nodes { decision role stage isLast reviewer { name } } } }";
    let decisions = story.admin.ask(query, json!({})).await;
    let nodes = list(&decisions, "/decisions/nodes");
    let told: Vec<_> = nodes
        .iter()
        .map(|it| (text(it, "/stage"), text(it, "/role"), it["isLast"] == json!(true)))
        .collect();
    assert_eq!(
        told,
        [
            ("legal", "legal", true),
            ("technical", "app-review", false),
            ("technical", "app-review", false)
        ]
    );
}
