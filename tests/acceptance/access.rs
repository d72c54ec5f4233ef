//! Who is let in, and to do what: tokens, roles, and the command line that gives them.

use std::time::Duration;

use harness::{Story, chart, person::Answer, picture, text};
use serde_json::json;

const VIEWER: &str = "{ viewer { account { name } grants { role } workspaces { name } } }";

#[tokio::test]
async fn without_a_token_nothing_is_shown_and_nothing_is_done() {
    let story = Story::begin().await;
    let nobody = story.nobody();
    for query in [
        VIEWER,
        "{ store { nodes { chartName } } }",
        "{ categories { uncategorisedApps } }",
        "{ auditTrail { nodes { event } } }",
    ] {
        nobody
            .is_denied(query, json!({}))
            .await
            .says("UNAUTHENTICATED", &["Bearer"]);
    }
    let refused = nobody
        .is_refused("createCategory", json!({ "name": "x", "icon": "x" }))
        .await;
    refused.says("UNAUTHENTICATED", &["Bearer"]);
    let upload = nobody
        .post_upload(&story.workspace, "chart", chart("redis", "1.0.0").packed())
        .await;
    assert_eq!(
        (upload.status, upload.refusal().code.as_str()),
        (401, "UNAUTHENTICATED")
    );
    let index = nobody.get("/charts/store/index.yaml").await;
    assert_eq!(
        (index.status, index.header("www-authenticate").is_empty()),
        (401, false)
    );
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_refused_everywhere_without_saying_why() {
    let story = Story::begin().await;
    let admin = story.command_line();
    let issued = admin.run(&["token", "create", "isv"]).await;
    let revoked = story.isv.with_token(text(&issued, "/token"));
    revoked.ask(VIEWER, json!({})).await;
    admin.run(&["token", "revoke", "isv", text(&issued, "/id")]).await;
    let expired = admin.run(&["token", "create", "isv", "--lifetime", "500ms"]).await;
    let expired = story.isv.with_token(text(&expired, "/token"));
    while expired.get("/charts/store/index.yaml").await.status != 401 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let garbled = story.isv.with_token(&format!("{}x", story.isv.token()));

    let mut said = vec![];
    for person in [
        revoked,
        expired,
        garbled,
        story.isv.with_token("Bearer"),
        story.isv.with_token(""),
    ] {
        let answer = Answer::to(
            person
                .request(reqwest::Method::POST, "/graphql")
                .json(&json!({ "query": VIEWER })),
        )
        .await;
        assert_eq!(answer.status, 401);
        said.push(answer.text());
        assert_eq!(
            person
                .post_upload(&story.workspace, "icon", picture::png(1, 1))
                .await
                .status,
            401
        );
        assert_eq!(person.get("/charts/store/index.yaml").await.status, 401);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    story.isv.ask(VIEWER, json!({})).await;
}

#[tokio::test]
async fn a_role_taken_back_is_gone_for_the_next_request() {
    let story = Story::begin().await;
    story.app(&chart("redis", "11.3.4")).await;
    let upload = story.upload_chart(&chart("valkey", "1.0.0")).await;
    story
        .command_line()
        .run(&["role", "revoke", "isv", "workspace-admin", "--workspace", "acme"])
        .await;
    let input = json!({ "workspace": story.workspace, "upload": upload });
    story
        .isv
        .is_refused("uploadApp", input)
        .await
        .says("NOT_FOUND", &["workspace"]);
    let mine = story
        .isv
        .ask(
            "query($id: ID!) { apps(workspace: $id) { nodes { id } } }",
            json!({ "id": story.workspace }),
        )
        .await;
    assert_eq!(mine, json!({ "apps": null }));
}

#[tokio::test]
async fn the_command_line_refuses_with_the_same_codes_beside_a_server_and_without_one() {
    let mut story = Story::begin().await;
    let admin = story.command_line();
    for round in ["beside the server", "without it"] {
        for (words, code) in [
            (&["account", "create", "isv"][..], "NAME_TAKEN"),
            (&["workspace", "create", "acme"], "NAME_TAKEN"),
            (&["token", "create", "ghost"], "NOT_FOUND"),
            (&["role", "grant", "isv", "no-such-role"], "NOT_FOUND"),
            (&["role", "grant", "isv", "workspace-admin"], "ROLE_LEVEL"),
            (
                &["role", "define", "auditor", "--permission", "store.view"],
                "ROLE_BUILT_IN",
            ),
            (
                &["role", "define", "x", "--permission", "world.rule"],
                "PERMISSION_UNKNOWN",
            ),
        ] {
            let said = admin.attempt(words).await.unwrap_err();
            assert!(said.contains(code), "{round}: {words:?} said {said}");
        }
        if round == "beside the server" {
            assert!(story.server.stop().await.success());
        }
    }
}

#[tokio::test]
async fn nobody_does_what_their_role_does_not_allow() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.approve(&next).await;
    let (version, app_input) = (json!({ "version": next }), json!({ "app": app.app }));
    // Uploading, submitting and testing is a developer's; publishing is not.
    for (mutation, input, permission) in [
        ("publishVersion", &version, "version.publish"),
        ("deleteVersion", &version, "version.delete"),
        ("deleteApp", &app_input, "app.delete"),
    ] {
        story
            .author_and_reviewer
            .is_refused(mutation, input.clone())
            .await
            .says("FORBIDDEN", &[permission]);
    }
    story
        .isv
        .is_refused("startReview", version.clone())
        .await
        .says("FORBIDDEN", &["review.start"]);
    story
        .isv
        .is_refused("createCategory", json!({ "name": "x", "icon": "x" }))
        .await
        .says("FORBIDDEN", &["category.create"]);
    story
        .user
        .is_refused("suspendApp", app_input)
        .await
        .says("FORBIDDEN", &[]);
    for query in [
        "{ reviewQueue { nodes { submission } } }",
        "{ auditTrail { nodes { event } } }",
        "{ decisions { nodes { decision } } }",
    ] {
        story.user.is_denied(query, json!({})).await.says("FORBIDDEN", &[]);
    }
}
