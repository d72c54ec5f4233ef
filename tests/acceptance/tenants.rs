//! A workspace is invisible outside: what belongs to another tenant answers like what does not exist.

use harness::{
    Person, Story, chart,
    helm::Helm,
    person::{fresh_id, like},
    picture,
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};

/// What a stranger is told about something, less its id.
async fn told(stranger: &Person, query: &str, variables: &Value, ids: &[&str]) -> String {
    let answer = stranger.send(query, variables).await.unwrap().to_string();
    ids.iter().fold(answer, |answer, id| answer.replace(id, "<id>"))
}

#[tokio::test]
async fn what_belongs_to_another_tenant_answers_like_what_does_not_exist() {
    Helm::installed().await;
    let story = Story::begin().await;
    let draft = story.app(&chart("redis", "11.3.4")).await;
    let release = story
        .isv
        .does(
            "installRelease",
            json!({ "project": story.project, "name": "trial", "version": draft.version }),
        )
        .await;
    let release = text(&release, "/release/id").to_owned();
    settled(&story.isv, &release).await;

    let ids = [&draft.app, &draft.version, &release, &story.workspace, &story.project];
    let queries = [
        "query($id: ID!) { node(id: $id) { id __typename } }",
        "query($id: ID!) { app(id: $id) { id } }",
        "query($id: ID!) { version(id: $id) { id } }",
        "query($id: ID!) { release(id: $id) { id } }",
        "query($id: ID!) { apps(workspace: $id) { nodes { id } } }",
        "query($id: ID!) { releases(project: $id) { nodes { id } } }",
        "query($id: ID!) { auditTrail(filter: { workspace: $id }) { nodes { event } } }",
        "query($id: ID!) { auditTrail(filter: { app: $id }) { nodes { event } } }",
        "query($id: ID!) { auditTrail(filter: { release: $id }) { nodes { event } } }",
        "query($id: ID!) { decisions(filter: { workspace: $id }) { nodes { decision } } }",
        "query($id: ID!) { decisions(filter: { app: $id }) { nodes { decision } } }",
    ];
    for query in queries {
        for id in ids {
            let nothing = like(id);
            let known = told(&story.stranger, query, &json!({ "id": id }), &[id]).await;
            let unknown = told(&story.stranger, query, &json!({ "id": nothing }), &[&nothing]).await;
            assert_eq!(known, unknown, "{query} about {id}");
        }
    }
    let named = "query($name: String!) { workspace(name: $name) { id } }";
    let (known, unknown) = (json!({ "name": "acme" }), json!({ "name": "nothing" }));
    assert_eq!(
        told(&story.stranger, named, &known, &[]).await,
        told(&story.stranger, named, &unknown, &[]).await
    );
}

#[tokio::test]
async fn commands_about_another_tenants_things_answer_as_if_there_were_none() {
    let story = Story::begin().await;
    let stranger = &story.stranger;
    let draft = story.app(&chart("redis", "11.3.4")).await;
    let release = story
        .isv
        .does(
            "installRelease",
            json!({ "project": story.project, "name": "trial", "version": draft.version }),
        )
        .await;
    let release = text(&release, "/release/id").to_owned();
    let upload = stranger
        .upload(&story.foreign_workspace, "chart", chart("redis", "12.0.0").packed())
        .await;
    let icon = stranger
        .upload(&story.foreign_workspace, "icon", picture::png(8, 8))
        .await;
    let before = audit_trail(&story.admin).await.len();
    let digest = format!("sha256:{}", "0".repeat(64));
    let seen = json!({ "submission": fresh_id().to_string(), "packageDigest": digest, "listingDigest": digest, "reason": "x" });
    let with = |mut input: Value, more: &Value, fields: &[&str]| {
        fields.iter().for_each(|field| input[*field] = more[*field].clone());
        input
    };
    let app = |id: &str| json!({ "app": id });
    let version = |id: &str| json!({ "version": id });
    type Input<'a> = Box<dyn Fn(&str) -> Value + 'a>;
    let mut commands: Vec<(&str, &str, Input)> = vec![
        (
            "uploadApp",
            &story.workspace,
            Box::new(|id| json!({ "workspace": id, "upload": upload })),
        ),
        (
            "uploadVersion",
            &draft.app,
            Box::new(|id| json!({ "app": id, "upload": upload })),
        ),
        (
            "replacePackage",
            &draft.version,
            Box::new(|id| json!({ "version": id, "upload": upload })),
        ),
        (
            "editListing",
            &draft.app,
            Box::new(|id| json!({ "app": id, "summary": "mine" })),
        ),
        (
            "setIcon",
            &draft.app,
            Box::new(|id| json!({ "app": id, "upload": icon })),
        ),
        ("assignCategory", &draft.app, Box::new(app)),
        ("suspendApp", &draft.app, Box::new(app)),
        ("suspendVersion", &draft.version, Box::new(version)),
        (
            "installRelease",
            &draft.version,
            Box::new(|id| json!({ "project": story.foreign_project, "name": "x", "version": id })),
        ),
        (
            "installRelease",
            &story.project,
            Box::new(|id| json!({ "project": id, "name": "x", "version": draft.version })),
        ),
        (
            "upgradeRelease",
            &release,
            Box::new(|id| json!({ "release": id, "values": "a: 1" })),
        ),
        ("uninstallRelease", &release, Box::new(|id| json!({ "release": id }))),
        (
            "approveVersion",
            &draft.version,
            Box::new(|id| with(version(id), &seen, &["submission", "packageDigest", "listingDigest"])),
        ),
        (
            "rejectVersion",
            &draft.version,
            Box::new(|id| {
                with(
                    version(id),
                    &seen,
                    &["submission", "packageDigest", "listingDigest", "reason"],
                )
            }),
        ),
        (
            "approveListing",
            &draft.app,
            Box::new(|id| with(app(id), &seen, &["submission", "listingDigest"])),
        ),
        (
            "rejectListing",
            &draft.app,
            Box::new(|id| with(app(id), &seen, &["submission", "listingDigest", "reason"])),
        ),
    ];
    for mutation in [
        "submitVersion",
        "withdrawVersion",
        "deleteVersion",
        "startReview",
        "releaseReview",
        "publishVersion",
        "resumeVersion",
    ] {
        commands.push((mutation, &draft.version, Box::new(version)));
    }
    for mutation in [
        "deleteApp",
        "submitListing",
        "withdrawListing",
        "startListingReview",
        "releaseListingReview",
        "resumeApp",
    ] {
        commands.push((mutation, &draft.app, Box::new(app)));
    }
    for (mutation, id, input) in commands {
        let known = stranger.is_refused(mutation, input(id)).await;
        let unknown = stranger.is_refused(mutation, input(&like(id))).await;
        assert_eq!(known, unknown, "{mutation}");
        known.says("NOT_FOUND", &[]);
    }
    let after: Vec<_> = audit_trail(&story.admin)
        .await
        .split_off(before)
        .into_iter()
        .map(|entry| entry["stream"].clone())
        .collect();
    assert!(
        after
            .iter()
            .all(|stream| stream.as_str().unwrap().starts_with("release-")),
        "only the worker's: {after:?}"
    );
}

#[tokio::test]
async fn files_of_another_tenant_are_not_served_and_its_uploads_are_unknown() {
    let story = Story::begin().await;
    let draft = story.app(&chart("redis", "11.3.4")).await;
    let icon = story.isv.upload(&story.workspace, "icon", picture::png(8, 8)).await;
    let edited = story
        .isv
        .does("setIcon", json!({ "app": draft.app, "upload": icon }))
        .await;
    let icon_path = text(&edited, "/app/draftListing/content/iconPath").to_owned();
    let seen = story
        .isv
        .ask(
            "query($id: ID!) { version(id: $id) { packagePath } }",
            json!({ "id": draft.version }),
        )
        .await;
    for path in [
        text(&seen, "/version/packagePath"),
        &icon_path,
        "/charts/workspaces/acme/index.yaml",
        "/charts/workspaces/acme/redis-11.3.4.tgz",
    ] {
        assert_eq!(story.isv.get(path).await.status, 200, "{path}");
        let refused = story.stranger.get(path).await;
        assert_eq!(
            (refused.status, refused.refusal().code.as_str()),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
    let elsewhere = story
        .stranger
        .post_upload(&story.workspace, "chart", chart("x", "1.0.0").packed())
        .await;
    let nowhere = story
        .stranger
        .post_upload(&like(&story.workspace), "chart", chart("x", "1.0.0").packed())
        .await;
    assert_eq!((elsewhere.status, elsewhere.text()), (nowhere.status, nowhere.text()));

    // An upload id belongs to an account and a workspace.
    let upload = story.upload_chart(&chart("redis", "12.0.0")).await;
    let foreign = json!({ "workspace": story.foreign_workspace, "upload": upload });
    story
        .stranger
        .is_refused("uploadApp", foreign.clone())
        .await
        .says("UPLOAD_UNKNOWN", &["a day"]);
    let colleague = json!({ "app": draft.app, "upload": upload });
    story
        .author_and_reviewer
        .is_refused("uploadVersion", colleague)
        .await
        .says("UPLOAD_UNKNOWN", &[]);
    let (head, last) = upload.split_at(upload.len() - 4);
    let forged = format!("{head}{}", if last == "AAAA" { "BBBB" } else { "AAAA" });
    for id in [forged.as_str(), "", "nonsense"] {
        story
            .isv
            .is_refused("uploadVersion", json!({ "app": draft.app, "upload": id }))
            .await
            .says("UPLOAD_UNKNOWN", &[]);
    }
}
