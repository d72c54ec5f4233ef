//! Another tenant's ids answer like ids of nothing: accounts, roles, members and workspaces.

use harness::{Story, chart, person::like, text};
use serde_json::{Value, json};

async fn id_of(story: &Story, name: &str) -> String {
    let query = "query($name: String!) { account(name: $name) { id } }";
    let found = story.admin.ask(query, json!({ "name": name })).await;
    text(&found, "/account/id").to_owned()
}

#[tokio::test]
async fn what_people_do_with_roles_and_workspaces_tells_nothing_of_other_tenants() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await.app;
    let own = story
        .stranger
        .upload(&story.foreign_workspace, "chart", chart("own", "1.0.0").packed())
        .await;
    let input = json!({ "workspace": story.foreign_workspace, "upload": own });
    let own = story.stranger.does("uploadApp", input).await;
    let own = text(&own, "/app/id").to_owned();
    let (isv, stranger) = (id_of(&story, "isv").await, id_of(&story, "stranger").await);
    let role = |field: &'static str| move |id: &str| json!({ "name": "isv", "role": "workspace-viewer", field: id });
    let held = |field: &'static str| move |id: &str| json!({ "role": "project-viewer", field: id });
    let granted = |id: &str| json!({ "account": stranger, "role": "workspace-viewer", "workspace": id });
    let permissions = json!(["workspace.view"]);
    type Input<'a> = Box<dyn Fn(&str) -> Value + 'a>;
    let commands: Vec<(&str, &str, Input)> = vec![
        ("inviteMember", &story.workspace, Box::new(role("workspace"))),
        ("inviteMember", &story.project, Box::new(role("project"))),
        ("withdrawInvitation", &story.workspace, Box::new(role("workspace"))),
        ("acceptInvitation", &story.workspace, Box::new(held("workspace"))),
        ("acceptInvitation", &story.project, Box::new(held("project"))),
        ("grantRole", &story.workspace, Box::new(granted)),
        ("revokeRole", &story.workspace, Box::new(granted)),
        (
            "grantRole",
            &isv,
            Box::new(|id| json!({ "account": id, "role": "workspace-viewer", "workspace": story.foreign_workspace })),
        ),
        (
            "revokeRole",
            &isv,
            Box::new(|id| json!({ "account": id, "role": "workspace-viewer", "workspace": story.foreign_workspace })),
        ),
        (
            "defineRole",
            &story.workspace,
            Box::new(|id| json!({ "role": "own", "workspace": id, "permissions": permissions })),
        ),
        (
            "retireRole",
            &story.workspace,
            Box::new(|id| json!({ "role": "own", "workspace": id })),
        ),
        (
            "createProject",
            &story.workspace,
            Box::new(|id| json!({ "workspace": id, "name": "x" })),
        ),
        (
            "closeWorkspace",
            &story.workspace,
            Box::new(|id| json!({ "workspace": id })),
        ),
        (
            "moveApp",
            &app,
            Box::new(|id| json!({ "app": id, "workspace": story.foreign_workspace })),
        ),
        (
            "moveApp",
            &story.workspace,
            Box::new(|id| json!({ "app": own, "workspace": id })),
        ),
    ];
    let before = story.events().await;
    for (mutation, id, input) in commands {
        let known = story.stranger.is_refused(mutation, input(id)).await;
        let unknown = story.stranger.is_refused(mutation, input(&like(id))).await;
        assert_eq!(known, unknown, "{mutation}");
        known.says("NOT_FOUND", &[]);
    }
    assert_eq!(story.events().await, before);
    for id in [&isv, &story.workspace, &app] {
        let query = "query($id: ID!) { node(id: $id) { id } }";
        for id in [id.clone(), like(id)] {
            let found = story.stranger.ask(query, json!({ "id": id })).await;
            assert_eq!(found, json!({ "node": null }));
        }
    }
}
