//! Tokens that people make for machines: shown once, narrowed, ending, revoked, and seen when they were last used.

use harness::{
    Person, Story, chart, list,
    person::{Answer, repeatable},
    text,
};
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::{Value, json};

const TOKENS: &str = "{ viewer { tokens { id name permissions expiresAt lastUsedAt } } }";

/// A token that somebody made, as whoever holds it.
async fn holder(story: &Story, of: &Person, input: Value) -> (Person, String) {
    let made = of.does("createToken", input).await;
    let holder = Person::new("machine", text(&made, "/secret"), story.server.address());
    (holder, text(&made, "/token/id").to_owned())
}

#[tokio::test]
async fn a_token_is_shown_once_and_makes_one_however_often_it_is_asked_for() {
    let story = Story::begin().await;
    let input = repeatable(json!({ "name": "ci" }));
    let first = story.isv.does("createToken", input.clone()).await;
    assert!(text(&first, "/secret").starts_with("charthouse_"));
    assert_eq!(text(&first, "/token/name"), "ci");

    let again = story.isv.does("createToken", input).await;
    assert_eq!(again["token"]["id"], first["token"]["id"]);
    assert_eq!(again["secret"], Value::Null);
    let listed = story.isv.ask(TOKENS, json!({})).await;
    let named = list(&listed, "/viewer/tokens")
        .iter()
        .filter(|token| token["name"] == "ci");
    assert_eq!(named.count(), 1);
    // Others do not see them; whoever manages accounts does, and no secret is among what they see.
    let about = "{ account(name: \"isv\") { tokens { name } } }";
    let seen = story.admin.ask(about, json!({})).await;
    assert!(list(&seen, "/account/tokens").iter().any(|token| token["name"] == "ci"));
    let seen = story.reviewer.ask(about, json!({})).await;
    assert_eq!(seen["account"]["tokens"], Value::Null);
}

#[tokio::test]
async fn a_narrowed_token_does_what_it_names_and_nothing_of_its_owners_own() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let narrowed = json!({ "name": "ci", "permissions": ["workspace.view", "version.submit"] });
    let (machine, _) = holder(&story, &story.isv, narrowed).await;
    let version = json!({ "version": app.version });
    machine.does("submitVersion", version.clone()).await;
    machine
        .is_refused("withdrawVersion", version)
        .await
        .says("FORBIDDEN", &["version.withdraw"]);
    assert_eq!(machine.post_upload(&story.workspace, "chart", vec![]).await.status, 403);

    // What its owner does by being who they are is not for it: it would become a wider one by that.
    for (mutation, input) in [
        ("createToken", json!({ "name": "wider" })),
        (
            "revokeToken",
            json!({ "token": "00000000-0000-0000-0000-000000000000" }),
        ),
        ("setPassword", json!({ "password": "seven herons over grey water" })),
        (
            "acceptInvitation",
            json!({ "role": "workspace-viewer", "workspace": story.foreign_workspace }),
        ),
    ] {
        machine
            .is_refused(mutation, input)
            .await
            .says("TOKEN_NARROWED", &["sign in"]);
    }
    machine.is_denied(TOKENS, json!({})).await.says("TOKEN_NARROWED", &[]);
    let leaves = json!({ "account": text(&machine.ask("{ viewer { account { id } } }", json!({})).await, "/viewer/account/id"),
        "role": "workspace-admin", "workspace": story.workspace });
    machine
        .is_refused("revokeRole", leaves)
        .await
        .says("FORBIDDEN", &["member.manage"]);
}

#[tokio::test]
async fn a_token_never_allows_more_than_its_owner_may_at_that_moment() {
    let story = Story::begin().await;
    let wide = json!({ "name": "review", "permissions": ["review.view", "review.start", "category.create"] });
    let (machine, _) = holder(&story, &story.isv, wide).await;
    let shelf = json!({ "name": "Databases", "icon": "database" });
    machine
        .is_refused("createCategory", shelf)
        .await
        .says("FORBIDDEN", &["category.create"]);
}

#[tokio::test]
async fn a_token_that_is_over_or_revoked_opens_nothing_and_auditors_see_that_it_was_tried() {
    let story = Story::begin().await;
    let (machine, token) = holder(&story, &story.isv, json!({ "name": "ci" })).await;
    machine.ask(TOKENS, json!({})).await;
    story.isv.does("revokeToken", json!({ "token": token })).await;
    machine
        .is_denied(TOKENS, json!({}))
        .await
        .says("UNAUTHENTICATED", &["not valid"]);
    story.refusal_is_recorded("unknown-token", None).await;

    let past = json!({ "name": "late", "expiresAt": "2020-01-01T00:00:00Z" });
    story
        .isv
        .is_refused("createToken", past)
        .await
        .says("TOKEN_EXPIRED", &["2020-01-01"]);
    let none = json!({ "name": "none", "permissions": [] });
    story
        .isv
        .is_refused("createToken", none)
        .await
        .says("TOKEN_ALLOWS_NOTHING", &[]);
    let unknown = json!({ "name": "none", "permissions": ["store.burn"] });
    story
        .isv
        .is_refused("createToken", unknown)
        .await
        .says("PERMISSION_UNKNOWN", &["store.burn"]);
    let long = json!({ "name": "x".repeat(101) });
    story
        .isv
        .is_refused("createToken", long)
        .await
        .says("TOKEN_NAME", &["101", "100"]);
}

#[tokio::test]
async fn auditors_see_that_a_header_was_sent_that_nobody_understands() {
    let story = Story::begin().await;
    for (method, path) in [
        (Method::POST, "/graphql"),
        (Method::GET, "/events"),
        (Method::GET, "/charts/store/index.yaml"),
    ] {
        let request = story.nobody().request(method, path).header(AUTHORIZATION, "Bearer");
        let answer = Answer::to(request.json(&json!({ "query": TOKENS }))).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    story.refusal_is_recorded("unknown-token", None).await;
}

#[tokio::test]
async fn the_minute_of_a_tokens_last_use_is_known_also_after_a_restart() {
    let mut story = Story::begin().await;
    let (machine, token) = holder(&story, &story.isv, json!({ "name": "ci" })).await;
    let last_use = async |story: &Story| {
        let listed = story.isv.ask(TOKENS, json!({})).await;
        let tokens = list(&listed, "/viewer/tokens").to_vec();
        let found = tokens.into_iter().find(|it| it["id"] == token.as_str());
        found.expect("the token is listed")["lastUsedAt"].clone()
    };
    assert_eq!(last_use(&story).await, Value::Null);
    machine.ask("{ viewer { account { id } } }", json!({})).await;
    let used = last_use(&story).await;
    let minute = used.as_str().expect("it was used").to_owned();
    assert!(minute.ends_with(":00+00:00") || minute.ends_with(":00Z"), "{minute}");
    let audit = "{ auditTrail(first: 1) { nodes { event } } }";
    let last = story.admin.ask(audit, json!({})).await;
    assert_eq!(
        text(&last, "/auditTrail/nodes/0/event"),
        "TokenIssued",
        "a use is no event"
    );

    story.server.stop().await;
    story.server.start_again().await;
    assert_eq!(last_use(&story).await, minute);
}

#[tokio::test]
async fn whoever_manages_accounts_revokes_the_tokens_of_others() {
    let story = Story::begin().await;
    let (machine, token) = holder(&story, &story.isv, json!({ "name": "ci" })).await;
    let account = story.admin.ask("{ account(name: \"isv\") { id } }", json!({})).await;
    let revoke = json!({ "account": text(&account, "/account/id"), "token": token });
    story
        .reviewer
        .is_refused("revokeToken", revoke.clone())
        .await
        .says("FORBIDDEN", &["account.manage"]);
    story.admin.does("revokeToken", revoke).await;
    machine.is_denied(TOKENS, json!({})).await.says("UNAUTHENTICATED", &[]);
}
