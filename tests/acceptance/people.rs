//! Accounts, roles, workspaces and their members, set up and changed through the API alone.

use harness::{Person, Story, chart, list, story::settled, text};
use serde_json::{Value, json};

const INVITATIONS: &str = "{ viewer { invitations { role workspace { id name } project { id name } } } }";
const MEMBERS: &str =
    "query($name: String!) { workspace(name: $name) { members { nodes { role account { name } } } } }";

/// Somebody new, with a token from the command line.
async fn newcomer(story: &Story, name: &'static str, role: Option<&str>) -> (Person, String) {
    let made = story
        .admin
        .does("createAccount", json!({ "name": name, "role": role }))
        .await;
    let token = story.command_line().token(name).await;
    let person = Person::new(name, &token, story.server.address());
    (person, text(&made, "/account/id").to_owned())
}

async fn id_of(story: &Story, name: &str) -> String {
    let query = "query($name: String!) { account(name: $name) { id } }";
    let found = story.admin.ask(query, json!({ "name": name })).await;
    text(&found, "/account/id").to_owned()
}

#[tokio::test]
async fn the_four_people_of_the_tutorial_are_set_up_through_the_api_alone() {
    let story = Story::begin().await;
    let admin = &story.admin;
    let workspace = admin.does("createWorkspace", json!({ "name": "demo-workspace" })).await;
    let workspace = text(&workspace, "/workspace/id").to_owned();
    let review = json!({
        "role": "store-review",
        "permissions": ["app-store-management", "app-store-view"],
    });
    let role = admin.does("defineRole", review).await;
    assert!(list(&role, "/role/permissions").contains(&json!("review.approve")));

    let (isv, isv_id) = newcomer(&story, "demo-isv", Some("platform-regular")).await;
    let (reviewer, _) = newcomer(&story, "demo-reviewer", Some("store-review")).await;
    let (user, _) = newcomer(&story, "demo-user", Some("platform-regular")).await;
    let appointed = json!({ "account": isv_id, "role": "workspace-admin", "workspace": workspace });
    admin.does("grantRole", appointed).await;

    let project = isv
        .does(
            "createProject",
            json!({ "workspace": workspace, "name": "demo-project" }),
        )
        .await;
    let project = text(&project, "/project/id").to_owned();
    let offer = json!({ "name": "demo-user", "role": "project-regular", "project": project });
    isv.does("inviteMember", offer).await;
    let offered = user.ask(INVITATIONS, json!({})).await;
    assert_eq!(text(&offered, "/viewer/invitations/0/project/name"), "demo-project");
    user.does(
        "acceptInvitation",
        json!({ "role": "project-regular", "project": project }),
    )
    .await;

    // And each of them can do their part.
    let upload = isv.upload(&workspace, "chart", chart("redis", "11.3.4").packed()).await;
    let app = isv
        .does("uploadApp", json!({ "workspace": workspace, "upload": upload }))
        .await;
    let version = text(&app, "/app/versions/nodes/0/id");
    isv.does("submitVersion", json!({ "version": version })).await;
    reviewer.does("startReview", json!({ "version": version })).await;
    let read = harness::story::what_was_read(&reviewer, version).await;
    reviewer.does("approveVersion", read).await;
    isv.does("publishVersion", json!({ "version": version })).await;
    let input = json!({ "project": project, "name": "cache", "version": version });
    let release = user.does("installRelease", input).await;
    let release = settled(&user, text(&release, "/release/id")).await;
    assert_eq!(text(&release, "/status"), "RUNNING");
}

#[tokio::test]
async fn an_invitation_looks_the_same_whether_an_account_is_called_so_or_not() {
    let story = Story::begin().await;
    let (isv, stranger) = (&story.isv, &story.stranger);
    let offer = |name: &str| json!({ "name": name, "role": "workspace-viewer", "workspace": story.workspace });
    let mut known = isv.does("inviteMember", offer("stranger")).await;
    let mut unknown = isv.does("inviteMember", offer("nobody-is-called-so")).await;
    for answer in [&mut known, &mut unknown] {
        assert!(answer["position"].take().is_string());
    }
    assert_eq!(known, unknown);
    let query = "query($name: String!) { account(name: $name) { id } }";
    for name in ["stranger", "nobody-is-called-so"] {
        let found = isv.ask(query, json!({ "name": name })).await;
        assert_eq!(found, json!({ "account": null }), "{name}");
    }
    let members = isv.ask(MEMBERS, json!({ "name": "acme" })).await;
    assert!(!members.to_string().contains("stranger"), "{members}");

    // Declined, it is gone; accepted, it makes a member.
    let own = json!({ "role": "workspace-viewer", "workspace": story.workspace });
    stranger.does("declineInvitation", own.clone()).await;
    stranger
        .is_refused("acceptInvitation", own.clone())
        .await
        .says("NOT_FOUND", &["invitation"]);
    isv.does("inviteMember", offer("stranger")).await;
    stranger.does("acceptInvitation", own.clone()).await;
    let members = isv.ask(MEMBERS, json!({ "name": "acme" })).await;
    assert!(members.to_string().contains("stranger"), "{members}");
    let offered = stranger.ask(INVITATIONS, json!({})).await;
    assert_eq!(offered, json!({ "viewer": { "invitations": [] } }));
}

#[tokio::test]
async fn an_invitation_stands_as_long_as_whoever_gave_it_may_give_it() {
    let story = Story::begin().await;
    let offer = json!({ "name": "stranger", "role": "workspace-viewer", "workspace": story.workspace });
    story.isv.does("inviteMember", offer).await;
    let isv = id_of(&story, "isv").await;
    let dismissed = json!({ "account": isv, "role": "workspace-admin", "workspace": story.workspace });
    story.admin.does("revokeRole", dismissed).await;
    let own = json!({ "role": "workspace-viewer", "workspace": story.workspace });
    story
        .stranger
        .is_refused("acceptInvitation", own)
        .await
        .says("NOT_FOUND", &["invitation"]);
}

#[tokio::test]
async fn a_workspace_makes_roles_of_its_own_that_reach_nowhere_else() {
    let story = Story::begin().await;
    let (isv, member) = (&story.isv, &story.author_and_reviewer);
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.approve(&version).await;
    let publish = json!({ "version": version });
    member
        .is_refused("publishVersion", publish.clone())
        .await
        .says("FORBIDDEN", &["version.publish"]);

    let define =
        |permissions: &[&str]| json!({ "role": "publisher", "workspace": story.workspace, "permissions": permissions });
    isv.does("defineRole", define(&["workspace.view", "version.publish"]))
        .await;
    let account = id_of(&story, "author-and-reviewer").await;
    let grant = json!({ "account": account, "role": "publisher", "workspace": story.workspace });
    isv.does("grantRole", grant.clone()).await;
    member.does("publishVersion", publish).await;

    isv.is_refused("defineRole", define(&["review.approve"]))
        .await
        .says("PERMISSION_LEVEL", &["review.approve"]);
    let elsewhere = json!({ "account": account, "role": "publisher", "workspace": story.foreign_workspace });
    isv.is_refused("grantRole", elsewhere)
        .await
        .says("NOT_FOUND", &["workspace"]);
    story
        .stranger
        .is_refused("defineRole", define(&["workspace.view"]))
        .await
        .says("NOT_FOUND", &["workspace"]);

    // Retired, it allows nothing, and its name is never free again.
    let retire = json!({ "role": "publisher", "workspace": story.workspace });
    let retired = isv.does("retireRole", retire).await;
    assert_eq!(retired["role"]["isRetired"], json!(true));
    let next = story.published(&chart("valkey", "1.0.0")).await;
    let next = story.version(&next.app, &chart("valkey", "2.0.0")).await;
    story.approve(&next).await;
    member
        .is_refused("publishVersion", json!({ "version": next }))
        .await
        .says("FORBIDDEN", &["version.publish"]);
    isv.is_refused("grantRole", grant).await.says("NOT_FOUND", &["role"]);
    isv.is_refused("defineRole", define(&["workspace.view"]))
        .await
        .says("ROLE_RETIRED", &["publisher"]);
}

#[tokio::test]
async fn nobody_gives_more_than_they_hold_and_the_platform_keeps_an_administrator() {
    let story = Story::begin().await;
    let (admin, isv) = (&story.admin, &story.isv);
    let own = id_of(&story, "admin").await;
    let last = json!({ "account": own, "role": "platform-admin" });
    admin
        .is_refused("revokeRole", last.clone())
        .await
        .says("LAST_ADMINISTRATOR", &[]);
    let into_a_workspace = json!({ "account": own, "role": "workspace-admin", "workspace": story.workspace });
    admin
        .is_refused("grantRole", into_a_workspace)
        .await
        .says("OWN_APPOINTMENT", &[]);

    let define = |role: &str, permissions: &[&str]| json!({ "role": role, "permissions": permissions });
    admin
        .does("defineRole", define("clerk", &["account.manage", "role.manage"]))
        .await;
    let (clerk, clerk_id) = newcomer(&story, "clerk", Some("clerk")).await;
    for (mutation, input) in [
        ("grantRole", json!({ "account": clerk_id, "role": "platform-admin" })),
        ("createAccount", json!({ "name": "puppet", "role": "platform-admin" })),
        (
            "defineRole",
            define("clerk", &["account.manage", "role.manage", "review.approve"]),
        ),
        ("defineRole", define("mighty", &["store.suspend"])),
        ("revokeRole", last.clone()),
    ] {
        clerk
            .is_refused(mutation, input)
            .await
            .says("EXCEEDS_OWN_RIGHTS", &["you do not hold"]);
    }
    let grant = json!({ "account": id_of(&story, "reviewer").await, "role": "auditor" });
    isv.is_refused("grantRole", grant).await.says("NOT_FOUND", &["account"]);

    // With another administrator the first one may go.
    let second = json!({ "account": clerk_id, "role": "platform-admin" });
    admin.does("grantRole", second).await;
    admin.does("revokeRole", last).await;
    admin
        .is_refused("createWorkspace", json!({ "name": "x" }))
        .await
        .says("FORBIDDEN", &["workspace.manage"]);
}

#[tokio::test]
async fn two_administrators_who_dismiss_each_other_leave_one() {
    let story = Story::begin().await;
    let (other, other_id) = newcomer(&story, "second", Some("platform-admin")).await;
    let own_id = id_of(&story, "admin").await;
    let dismiss = |account: &str| json!({ "account": account, "role": "platform-admin" });
    let (one, two) = (dismiss(&other_id), dismiss(&own_id));
    let (first, second) = tokio::join!(
        story.admin.attempt("revokeRole", &one),
        other.attempt("revokeRole", &two)
    );
    let outcomes = [first.unwrap(), second.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn an_app_moves_with_its_name_and_its_releases_stay() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    let input = json!({ "app": app.app, "workspace": story.foreign_workspace });
    story
        .isv
        .is_refused("moveApp", input.clone())
        .await
        .says("NOT_FOUND", &["workspace"]);
    story
        .stranger
        .is_refused("moveApp", input.clone())
        .await
        .says("FORBIDDEN", &["app.move"]);

    let offer = json!({ "name": "isv", "role": "workspace-admin", "workspace": story.foreign_workspace });
    story.stranger.does("inviteMember", offer).await;
    let own = json!({ "role": "workspace-admin", "workspace": story.foreign_workspace });
    story.isv.does("acceptInvitation", own).await;
    story.isv.does("moveApp", input).await;

    let owned = "query($id: ID!) { apps(workspace: $id) { nodes { chartName } } }";
    let theirs = story
        .stranger
        .ask(owned, json!({ "id": story.foreign_workspace }))
        .await;
    assert_eq!(theirs, json!({ "apps": { "nodes": [{ "chartName": "redis" }] } }));
    let ours = story.isv.ask(owned, json!({ "id": story.workspace })).await;
    assert_eq!(ours, json!({ "apps": { "nodes": [] } }));
    story
        .stranger
        .does("suspendVersion", json!({ "version": app.version }))
        .await;
    let settled = settled(&story.user, &release).await;
    assert_eq!(text(&settled, "/status"), "RUNNING");
    // The name is free where it was, and taken where it is.
    story.app(&chart("redis", "1.0.0")).await;
    let again = story
        .stranger
        .upload(&story.foreign_workspace, "chart", chart("redis", "1.0.0").packed())
        .await;
    let input = json!({ "workspace": story.foreign_workspace, "upload": again });
    story
        .stranger
        .is_refused("uploadApp", input)
        .await
        .says("APP_EXISTS", &["redis"]);
}

#[tokio::test]
async fn a_workspace_closes_when_it_owns_nothing_and_is_gone_for_everybody() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let release = story
        .isv
        .does(
            "installRelease",
            json!({ "project": story.project, "name": "trial", "version": app.version }),
        )
        .await;
    let release = text(&release, "/release/id").to_owned();
    let close = json!({ "workspace": story.workspace });
    story
        .isv
        .is_refused("closeWorkspace", close.clone())
        .await
        .says("WORKSPACE_NOT_EMPTY", &["redis", "trial"]);
    settled(&story.isv, &release).await;
    story.isv.does("uninstallRelease", json!({ "release": release })).await;
    settled(&story.isv, &release).await;
    story.isv.does("deleteVersion", json!({ "version": app.version })).await;
    story.isv.does("deleteApp", json!({ "app": app.app })).await;
    story.isv.does("closeWorkspace", close).await;

    for person in [&story.isv, &story.admin] {
        let named = "{ workspace(name: \"acme\") { id } }";
        assert_eq!(person.ask(named, json!({})).await, json!({ "workspace": null }));
    }
    let upload = story
        .isv
        .post_upload(&story.workspace, "chart", chart("redis", "1.0.0").packed())
        .await;
    assert_eq!(upload.status, 404);
    // Its name and its namespaces are free again.
    let again = story.admin.does("createWorkspace", json!({ "name": "acme" })).await;
    let again = text(&again, "/workspace/id");
    let isv = id_of(&story, "isv").await;
    let appointed = json!({ "account": isv, "role": "workspace-admin", "workspace": again });
    story.admin.does("grantRole", appointed).await;
    story
        .isv
        .does("createProject", json!({ "workspace": again, "name": "prod" }))
        .await;
}

#[tokio::test]
async fn whoever_manages_workspaces_sees_that_they_are_there_and_not_what_is_in_them() {
    let story = Story::begin().await;
    let all = story.admin.ask("{ workspaces { nodes { id name } } }", json!({})).await;
    assert_eq!(list(&all, "/workspaces/nodes").len(), 2);
    let inside = "{ workspaces { nodes { apps { nodes { id } } } } }";
    story
        .admin
        .is_denied(inside, json!({}))
        .await
        .says("FORBIDDEN", &["workspace.view"]);
    let all: Value = json!({});
    for query in [
        "{ workspaces { nodes { id } } }",
        "{ accounts { nodes { id } } }",
        "{ roles { name } }",
    ] {
        story.isv.is_denied(query, all.clone()).await.says("FORBIDDEN", &[]);
    }
}
