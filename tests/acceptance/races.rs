//! Two hands at once: one fact, one typed conflict; and rights that end while they are used.

use harness::{
    Person, Story, chart,
    story::{audit_trail, what_was_read},
    text,
};
use serde_json::{Value, json};

#[tokio::test]
async fn two_reviewers_at_once_on_one_version_make_one_decision_a_hundred_times() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    for round in 0..100 {
        story.submit(&version).await;
        let mut one = what_was_read(&story.reviewer, &version).await;
        one["reason"] = json!("no");
        let other = one.clone();
        let (first, second) = tokio::join!(
            story.reviewer.attempt("rejectVersion", &one),
            story.other_reviewer.attempt("rejectVersion", &other)
        );
        let lost = match [first.unwrap(), second.unwrap()] {
            [Ok(_), Err(lost)] | [Err(lost), Ok(_)] => lost,
            outcomes => panic!("round {round}: {outcomes:#?}"),
        };
        lost.says("WRONG_STATE", &["rejected"]);
    }
    let entries = audit_trail(&story.admin).await;
    let mut submissions: Vec<_> = entries
        .iter()
        .filter(|entry| entry["event"] == json!("VersionRejected"))
        .map(|entry| text(entry, "/data/submission"))
        .collect();
    assert_eq!(submissions.len(), 100);
    submissions.sort_unstable();
    submissions.dedup();
    assert_eq!(submissions.len(), 100, "a submission was decided twice");
}

/// Repeats a command until it is refused, and returns the code.
async fn until_refused(person: &Person, mutation: &str, input: impl Fn(u32) -> Value) -> String {
    for n in 0..2_000 {
        if let Err(refusal) = person.attempt(mutation, &input(n)).await.unwrap() {
            return refusal.code;
        }
    }
    panic!("{} could {mutation} for ever", person.name)
}

/// The positions of what an account did.
async fn positions_of(story: &Story, name: &str) -> Vec<u64> {
    let entries = audit_trail(&story.admin).await;
    let own = entries
        .iter()
        .filter(|entry| entry.pointer("/actor/name") == Some(&json!(name)));
    own.map(position).collect()
}

fn position(entry: &Value) -> u64 {
    text(entry, "/position").parse().unwrap()
}

async fn id_of(story: &Story, name: &str) -> String {
    let query = "query($name: String!) { account(name: $name) { id } }";
    let found = story.admin.ask(query, json!({ "name": name })).await;
    text(&found, "/account/id").to_owned()
}

#[tokio::test]
async fn a_member_who_is_revoked_while_acting_does_nothing_from_then_on() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await.app;
    let member = id_of(&story, "author-and-reviewer").await;
    let revoke = json!({ "account": member, "role": "workspace-regular", "workspace": story.workspace });
    let edit = |n: u32| json!({ "app": app, "summary": format!("summary {n}") });
    let (code, revoked) = tokio::join!(
        until_refused(&story.author_and_reviewer, "editListing", edit),
        story.isv.does("revokeRole", revoke)
    );
    assert_eq!(code, "NOT_FOUND");
    let revoked = position(&revoked);
    let late: Vec<_> = positions_of(&story, "author-and-reviewer").await;
    assert!(late.iter().all(|position| *position < revoked), "{revoked} {late:?}");
}

#[tokio::test]
async fn a_role_that_is_edited_while_it_is_used_allows_what_it_says_from_then_on() {
    let story = Story::begin().await;
    let made = json!({ "role": "shelver", "permissions": ["category.create"] });
    story.admin.does("defineRole", made).await;
    let made = json!({ "name": "shelver", "role": "shelver" });
    story.admin.does("createAccount", made).await;
    let token = story.command_line().token("shelver").await;
    let shelver = Person::new("shelver", &token, story.server.address());
    let create = |n: u32| json!({ "name": format!("Shelf {n}"), "icon": "box" });
    let edited = json!({ "role": "shelver", "permissions": ["category.edit"] });
    let (code, edited) = tokio::join!(
        until_refused(&shelver, "createCategory", create),
        story.admin.does("defineRole", edited)
    );
    assert_eq!(code, "FORBIDDEN");
    let edited = position(&edited);
    let late = positions_of(&story, "shelver").await;
    assert!(late.iter().all(|position| *position < edited), "{edited} {late:?}");
}
