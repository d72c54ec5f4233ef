//! What a review protects: the bytes that were read, by somebody else than who wrote them, once.

use harness::{
    Person, Refusal, Story, chart, list,
    random::{Random, seed},
    story::{audit_trail, what_was_read},
    text,
};
use serde_json::{Value, json};

/// The digests of a version's submission, as they are now.
async fn current(story: &Story, version: &str) -> (String, String) {
    let query = "query($id: ID!) { version(id: $id) { submission { packageDigest listing { digest } } } }";
    let seen = story.reviewer.ask(query, json!({ "id": version })).await;
    let digest = |pointer| text(&seen, pointer).to_owned();
    (
        digest("/version/submission/packageDigest"),
        digest("/version/submission/listing/digest"),
    )
}

#[tokio::test]
async fn a_decision_about_bytes_that_were_exchanged_meanwhile_is_refused_and_told_the_new_ones() {
    let story = Story::begin().await;
    let (isv, reviewer) = (&story.isv, &story.reviewer);
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    reviewer.does("startReview", json!({ "version": version })).await;
    let read = what_was_read(reviewer, &version).await;

    isv.does("withdrawVersion", json!({ "version": version })).await;
    let other = story
        .upload_chart(&chart("redis", "11.3.4").file("templates/evil.yaml", "kind: Secret\n"))
        .await;
    isv.does("replacePackage", json!({ "version": version, "upload": other }))
        .await;
    story.submit(&version).await;
    reviewer.does("startReview", json!({ "version": version })).await;

    let (package, listing) = current(&story, &version).await;
    assert_ne!(package, text(&read, "/packageDigest"));
    reviewer
        .is_refused("approveVersion", read.clone())
        .await
        .says("STALE_SUBMISSION", &[&package, &listing]);
    let mut rejection = read;
    rejection["reason"] = json!("no");
    reviewer
        .is_refused("rejectVersion", rejection)
        .await
        .says("STALE_SUBMISSION", &[&package]);
    let now = reviewer
        .does("approveVersion", what_was_read(reviewer, &version).await)
        .await;
    assert_eq!(text(&now, "/version/packageDigest"), package);
}

#[tokio::test]
async fn a_decision_names_all_three_the_submission_the_package_and_the_listing() {
    let story = Story::begin().await;
    let reviewer = &story.reviewer;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    reviewer.does("startReview", json!({ "version": version })).await;
    let read = what_was_read(reviewer, &version).await;
    let zeros = format!("sha256:{}", "0".repeat(64));
    let nil = "00000000-0000-0000-0000-000000000000";
    for (field, wrong) in [
        ("submission", nil),
        ("packageDigest", &zeros),
        ("listingDigest", &zeros),
    ] {
        let mut altered = read.clone();
        altered[field] = json!(wrong);
        reviewer
            .is_refused("approveVersion", altered)
            .await
            .says("STALE_SUBMISSION", &[]);
    }
    reviewer.does("approveVersion", read).await;
}

#[tokio::test]
async fn a_resubmission_starts_without_approvals_even_if_nothing_was_changed() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    story.reviewer.does("startReview", json!({ "version": version })).await;
    let read = what_was_read(&story.reviewer, &version).await;
    story.reviewer.does("approveVersion", read.clone()).await;
    story.isv.does("withdrawVersion", json!({ "version": version })).await;
    story
        .isv
        .is_refused("publishVersion", json!({ "version": version }))
        .await
        .says("WRONG_STATE", &["draft"]);
    story.submit(&version).await;
    story
        .isv
        .is_refused("publishVersion", json!({ "version": version }))
        .await
        .says("WRONG_STATE", &["submitted"]);
    story.reviewer.does("startReview", json!({ "version": version })).await;
    story
        .reviewer
        .is_refused("approveVersion", read)
        .await
        .says("STALE_SUBMISSION", &[]);
}

#[tokio::test]
async fn what_was_approved_is_what_the_store_gives_out() {
    let story = Story::begin().await;
    let made = chart("redis", "11.3.4");
    let app = story.app(&made).await;
    story.submit(&app.version).await;
    // Edited while the reviewer reads: the next review's business.
    story
        .isv
        .does("editListing", json!({ "app": app.app, "displayName": "Buy now" }))
        .await;
    story
        .reviewer
        .does("startReview", json!({ "version": app.version }))
        .await;
    story
        .reviewer
        .does("approveVersion", what_was_read(&story.reviewer, &app.version).await)
        .await;
    story
        .isv
        .does("publishVersion", json!({ "version": app.version }))
        .await;
    let seen = "query($id: ID!) { version(id: $id) { packagePath app { listing { content { displayName } } } } }";
    let seen = story.user.ask(seen, json!({ "id": app.version })).await;
    assert_eq!(text(&seen, "/version/app/listing/content/displayName"), "redis");
    assert_eq!(
        story.user.get(text(&seen, "/version/packagePath")).await.body,
        made.packed()
    );
}

#[tokio::test]
async fn nobody_reviews_what_they_wrote_whatever_roles_they_hold() {
    let story = Story::begin().await;
    let both = &story.author_and_reviewer;
    // Uploaded by them.
    let upload = both
        .upload(&story.workspace, "chart", chart("own", "1.0.0").packed())
        .await;
    let own = both
        .does("uploadApp", json!({ "workspace": story.workspace, "upload": upload }))
        .await;
    let own = text(&own, "/app/versions/nodes/0/id").to_owned();
    story.submit(&own).await;
    // Listing edited by them.
    let edited = story.app(&chart("edited", "1.0.0")).await;
    both.does("editListing", json!({ "app": edited.app, "summary": "better" }))
        .await;
    story.submit(&edited.version).await;
    // Submitted by them.
    let submitted = story.app(&chart("submitted", "1.0.0")).await.version;
    both.does("submitVersion", json!({ "version": submitted })).await;
    // Nothing of theirs.
    let foreign = story.app(&chart("foreign", "1.0.0")).await.version;
    story.submit(&foreign).await;

    for version in [&own, &edited.version, &submitted] {
        both.is_refused("startReview", json!({ "version": version }))
            .await
            .says("SEPARATION_OF_DUTIES", &[]);
        let read = what_was_read(both, version).await;
        let mut rejection = read.clone();
        rejection["reason"] = json!("no");
        both.is_refused("rejectVersion", rejection.clone())
            .await
            .says("SEPARATION_OF_DUTIES", &[]);
        story.reviewer.does("startReview", json!({ "version": version })).await;
        both.is_refused("approveVersion", read)
            .await
            .says("SEPARATION_OF_DUTIES", &[]);
        both.is_refused("rejectVersion", rejection)
            .await
            .says("SEPARATION_OF_DUTIES", &[]);
    }
    both.does("startReview", json!({ "version": foreign })).await;
    both.does("approveVersion", what_was_read(both, &foreign).await).await;
}

#[tokio::test]
async fn a_claimed_review_is_kept_from_others_until_it_is_given_back() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    story.reviewer.does("startReview", json!({ "version": version })).await;
    let read = what_was_read(&story.other_reviewer, &version).await;
    for (mutation, input) in [("startReview", json!({ "version": version })), ("approveVersion", read)] {
        story
            .other_reviewer
            .is_refused(mutation, input)
            .await
            .says("REVIEW_CLAIMED", &[]);
    }
    story
        .reviewer
        .does("releaseReview", json!({ "version": version }))
        .await;
    let claimed = story
        .other_reviewer
        .does("startReview", json!({ "version": version }))
        .await;
    assert_eq!(text(&claimed, "/version/reviewer/name"), "other-reviewer");
}

/// Both outcomes of two commands given at once.
async fn at_once(one: (&Person, &str, &Value), other: (&Person, &str, &Value)) -> [Result<Value, Refusal>; 2] {
    let (a, b) = tokio::join!(one.0.attempt(one.1, one.2), other.0.attempt(other.1, other.2));
    [a, b].map(|outcome| outcome.expect("the server can be reached"))
}

/// That exactly one succeeded, and how the other one was told.
fn one_lost(outcomes: [Result<Value, Refusal>; 2], round: u64) -> Refusal {
    match outcomes {
        [Ok(_), Err(lost)] | [Err(lost), Ok(_)] => lost,
        outcomes => panic!("round {round}: {outcomes:#?}"),
    }
}

#[tokio::test]
async fn of_two_reviewers_who_take_up_a_version_at_once_one_gets_it() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "0.1.0")).await.app;
    for round in 1..=12 {
        let version = story.version(&app, &chart("redis", &format!("1.0.{round}"))).await;
        story.submit(&version).await;
        let input = json!({ "version": version });
        let outcomes = at_once(
            (&story.reviewer, "startReview", &input),
            (&story.other_reviewer, "startReview", &input),
        )
        .await;
        one_lost(outcomes, round).says("REVIEW_CLAIMED", &[]);
    }
}

#[tokio::test]
async fn of_an_approval_and_a_rejection_at_once_one_is_the_decision_and_the_other_a_conflict() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "0.1.0")).await.app;
    let mut random = Random::seeded(seed());
    for round in 1..=16 {
        let number = format!("1.0.{round}");
        let version = story.version(&app, &chart("redis", &number)).await;
        story.submit(&version).await;
        story.reviewer.does("startReview", json!({ "version": version })).await;
        let approval = what_was_read(&story.reviewer, &version).await;
        let mut rejection = approval.clone();
        rejection["reason"] = json!("no");
        // The same reviewer, in two windows.
        let (approve, reject) = (
            (&story.reviewer, "approveVersion", &approval),
            (&story.reviewer, "rejectVersion", &rejection),
        );
        let outcomes = if random.below(2) == 0 {
            at_once(approve, reject).await
        } else {
            at_once(reject, approve).await
        };
        one_lost(outcomes, round).says("WRONG_STATE", &[]);

        let entries = audit_trail(&story.admin).await;
        let about_it = entries.iter().filter(|entry| entry["versionNumber"] == json!(number));
        let decisions =
            about_it.filter(|entry| ["VersionApproved", "VersionRejected"].contains(&text(entry, "/event")));
        assert_eq!(decisions.count(), 1, "round {round}");
    }
    let decided = story
        .admin
        .ask("{ decisions(first: 100) { nodes { decision } } }", json!({}))
        .await;
    assert_eq!(list(&decided, "/decisions/nodes").len(), 16);
}

#[tokio::test]
async fn two_rejections_at_once_are_one_decision_with_one_reason() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "0.1.0")).await.app;
    for round in 1..=8 {
        let number = format!("1.0.{round}");
        let version = story.version(&app, &chart("redis", &number)).await;
        story.submit(&version).await;
        let mut one = what_was_read(&story.reviewer, &version).await;
        let mut other = one.clone();
        one["reason"] = json!("one");
        other["reason"] = json!("other");
        let outcomes = at_once(
            (&story.reviewer, "rejectVersion", &one),
            (&story.other_reviewer, "rejectVersion", &other),
        )
        .await;
        one_lost(outcomes, round).says("WRONG_STATE", &["rejected"]);
        let entries = audit_trail(&story.admin).await;
        let rejected: Vec<_> = entries
            .iter()
            .filter(|entry| entry["event"] == json!("VersionRejected") && entry["versionNumber"] == json!(number))
            .collect();
        assert_eq!(rejected.len(), 1, "round {round}");
        let seen = story
            .isv
            .ask(
                "query($id: ID!) { version(id: $id) { decision { reason by { name } } } }",
                json!({ "id": version }),
            )
            .await;
        let expected = if text(rejected[0], "/actor/name") == "reviewer" {
            "one"
        } else {
            "other"
        };
        assert_eq!(text(&seen, "/version/decision/reason"), expected);
    }
}

#[tokio::test]
async fn a_withdrawal_and_an_approval_at_once_never_leave_an_approved_draft() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "0.1.0")).await.app;
    for round in 1..=12 {
        let version = story.version(&app, &chart("redis", &format!("1.0.{round}"))).await;
        story.submit(&version).await;
        story.reviewer.does("startReview", json!({ "version": version })).await;
        let approval = what_was_read(&story.reviewer, &version).await;
        let withdrawal = json!({ "version": version });
        let [withdrawn, approved] = at_once(
            (&story.isv, "withdrawVersion", &withdrawal),
            (&story.reviewer, "approveVersion", &approval),
        )
        .await;
        assert!(
            withdrawn.is_ok(),
            "an approved version can be withdrawn too: {withdrawn:?}"
        );
        if let Err(late) = approved {
            // A draft is its workspace's own affair: a reviewer does not even learn that there is one.
            late.says("NOT_FOUND", &[]);
        }
        story
            .isv
            .is_refused("publishVersion", json!({ "version": version }))
            .await
            .says("WRONG_STATE", &["draft"]);
    }
}
