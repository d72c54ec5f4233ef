//! Releases on the built-in cluster, which is a folder of manifests; rendered by the real Helm.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use harness::{
    Story, chart,
    helm::Helm,
    story::{AppAndVersion, settled},
    text, texts,
};
use serde_json::{Value, json};

fn folder(story: &Story, release: &str) -> PathBuf {
    story.server.data().join("clusters/local/prod").join(release)
}

fn manifest(story: &Story, release: &str) -> String {
    std::fs::read_to_string(folder(story, release).join("manifest.yaml")).unwrap()
}

async fn with_an_app() -> (Story, AppAndVersion) {
    Helm::installed().await;
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    (story, app)
}

#[tokio::test]
async fn a_release_is_rendered_with_the_users_values_into_the_clusters_folder() {
    let (story, app) = with_an_app().await;
    let release = story
        .install("cache", &app.version, Some("greeting: \"good\\tday\"\n"))
        .await;
    let running = settled(&story.user, &release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    let written = manifest(&story, "cache");
    for part in [
        "kind: ConfigMap",
        "name: cache",
        "namespace: prod",
        "chart: redis-11.3.4",
        "greeting: \"good\\tday\"",
    ] {
        assert!(written.contains(part), "{part} is not in {written}");
    }
    assert_eq!(text(&running, "/revisions/nodes/0/manifest"), written);
    assert_eq!(
        text(&running, "/wanted/values"),
        "greeting: \"good\\tday\"\n",
        "comments and spaces of values stay"
    );
}

#[tokio::test]
async fn a_failed_installation_tells_all_that_helm_said_and_is_corrected_by_an_upgrade() {
    let (story, app) = with_an_app().await;
    let release = story
        .install("cache", &app.version, Some("impossible: two masters\n"))
        .await;
    let failed = settled(&story.user, &release).await;
    assert_eq!(text(&failed, "/status"), "FAILED");
    let attempt = &failed["attempts"]["nodes"][0];
    assert_eq!(
        (text(attempt, "/failure"), &attempt["succeeded"]),
        ("HELM_FAILED", &json!(false))
    );

    // Helm's own words, to the last one.
    let helm = Helm::installed().await;
    std::fs::write(helm.file("chart.tgz"), chart("redis", "11.3.4").packed()).unwrap();
    let own = helm
        .attempt(&[
            "template",
            "cache",
            "chart.tgz",
            "--namespace",
            "prod",
            "--set",
            "impossible=two masters",
        ])
        .await;
    let own = String::from_utf8(own.stderr).unwrap();
    assert!(own.contains("this cannot be: two masters"));
    assert_eq!(text(attempt, "/output").trim_end(), own.trim_end());
    assert!(!folder(&story, "cache").exists());

    story
        .user
        .does(
            "upgradeRelease",
            json!({ "release": release, "values": "greeting: hi\n" }),
        )
        .await;
    let corrected = settled(&story.user, &release).await;
    assert_eq!(
        (text(&corrected, "/status"), &corrected["revision"]),
        ("RUNNING", &json!(1))
    );
    assert!(manifest(&story, "cache").contains("greeting: \"hi\""));
}

#[tokio::test]
async fn a_failed_installation_is_no_way_around_a_suspension() {
    let (story, app) = with_an_app().await;
    let release = story
        .install("cache", &app.version, Some("impossible: two masters\n"))
        .await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "FAILED");
    story.reviewer.does("suspendApp", json!({ "app": app.app })).await;
    let correct = json!({ "release": release, "values": "greeting: hi\n" });
    story
        .user
        .is_refused("upgradeRelease", correct.clone())
        .await
        .says("NOT_FOUND", &[]);
    story.reviewer.does("resumeApp", json!({ "app": app.app })).await;
    story.user.does("upgradeRelease", correct).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
}

#[tokio::test]
async fn a_draft_that_was_replaced_is_tested_with_its_new_bytes() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let test = json!({ "project": story.project, "name": "test", "version": app.version });
    let release = text(&story.isv.does("installRelease", test).await, "/release/id").to_owned();
    settled(&story.isv, &release).await;
    let upload = story
        .upload_chart(&chart("redis", "11.3.4").file("README.md", "new"))
        .await;
    story
        .isv
        .does("replacePackage", json!({ "version": app.version, "upload": upload }))
        .await;
    story
        .isv
        .does("upgradeRelease", json!({ "release": release, "version": app.version }))
        .await;
    let now = settled(&story.isv, &release).await;
    assert_eq!((text(&now, "/status"), &now["revision"]), ("RUNNING", &json!(2)));
}

#[tokio::test]
async fn a_failed_upgrade_leaves_running_what_ran() {
    let (story, app) = with_an_app().await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let before = manifest(&story, "cache");
    story
        .user
        .does(
            "upgradeRelease",
            json!({ "release": release, "values": "impossible: x\n" }),
        )
        .await;
    let failed = settled(&story.user, &release).await;
    assert_eq!((text(&failed, "/status"), &failed["revision"]), ("FAILED", &json!(1)));
    assert_eq!(manifest(&story, "cache"), before);
}

#[tokio::test]
async fn without_helm_a_release_fails_and_says_so_and_the_store_works_all_the_same() {
    let story = Story::begin_with(&["--helm", "/nowhere/helm"]).await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    let failed = settled(&story.user, &release).await;
    assert_eq!(
        (text(&failed, "/status"), text(&failed, "/attempts/nodes/0/failure")),
        ("FAILED", "HELM_MISSING")
    );
    assert!(text(&failed, "/attempts/nodes/0/output").contains("/nowhere/helm"));
}

#[tokio::test]
async fn a_helm_that_does_not_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let endless = folder.path().join("helm");
    std::fs::write(&endless, "#!/bin/sh\n[ \"$1\" = version ] || exec sleep 1000\n").unwrap();
    std::fs::set_permissions(&endless, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = endless.to_str().unwrap();
    let story = Story::begin_with(&["--helm", program, "--helm-timeout", "200ms"]).await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, None).await;
    let failed = settled(&story.user, &release).await;
    assert_eq!(text(&failed, "/attempts/nodes/0/failure"), "HELM_TIMEOUT");
    assert!(text(&failed, "/attempts/nodes/0/output").contains("200ms"));
}

#[tokio::test]
async fn what_is_suspended_cannot_be_installed_and_what_runs_goes_on() {
    let (story, app) = with_an_app().await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let install = |name: &str| json!({ "project": story.project, "name": name, "version": app.version });
    for (suspend, resume, what) in [
        ("suspendApp", "resumeApp", "app"),
        ("suspendVersion", "resumeVersion", "version"),
    ] {
        let input = if what == "app" {
            json!({ "app": app.app })
        } else {
            json!({ "version": app.version })
        };
        story.reviewer.does(suspend, input.clone()).await;
        let refused = story.user.is_refused("installRelease", install("second")).await;
        assert!(
            ["NOT_FOUND", "VERSION_NOT_INSTALLABLE"].contains(&refused.code.as_str()),
            "{what}: {refused:?}"
        );
        let values = format!("greeting: after {suspend}\n");
        story
            .user
            .does("upgradeRelease", json!({ "release": release, "values": values }))
            .await;
        assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
        assert!(manifest(&story, "cache").contains(&format!("after {suspend}")));
        story.reviewer.does(resume, input).await;
    }
    story.user.does("installRelease", install("second")).await;
}

#[tokio::test]
async fn a_release_is_not_upgraded_to_a_suspended_version() {
    let (story, app) = with_an_app().await;
    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&next).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    story.reviewer.does("suspendVersion", json!({ "version": next })).await;
    let refused = story
        .user
        .is_refused("upgradeRelease", json!({ "release": release, "version": next }))
        .await;
    assert!(
        ["NOT_FOUND", "VERSION_NOT_INSTALLABLE"].contains(&refused.code.as_str()),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_draft_is_installed_as_a_test_by_its_workspace_and_by_nobody_else() {
    Helm::installed().await;
    let story = Story::begin().await;
    let draft = story.app(&chart("redis", "11.3.4")).await.version;
    let install = json!({ "project": story.project, "name": "trial", "version": draft });
    story
        .user
        .is_refused("installRelease", install.clone())
        .await
        .says("NOT_FOUND", &[]);
    let release = story.isv.does("installRelease", install).await;
    assert_eq!(
        text(&settled(&story.isv, text(&release, "/release/id")).await, "/status"),
        "RUNNING"
    );
}

#[tokio::test]
async fn an_uninstalled_release_leaves_no_folder_and_its_name_is_free_again() {
    let (story, app) = with_an_app().await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let taken = json!({ "project": story.project, "name": "cache", "version": app.version });
    story
        .user
        .is_refused("installRelease", taken.clone())
        .await
        .says("NAME_TAKEN", &[]);

    story.user.does("uninstallRelease", json!({ "release": release })).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "UNINSTALLED");
    assert!(!folder(&story, "cache").exists());
    let second = story.user.does("installRelease", taken).await;
    let second = text(&second, "/release/id");
    assert_ne!(second, release);
    assert_eq!(text(&settled(&story.user, second).await, "/status"), "RUNNING");
    let all = story
        .user
        .ask(
            "query($id: ID!) { releases(project: $id) { nodes { name status } } }",
            json!({ "id": story.project }),
        )
        .await;
    assert_eq!(texts(&all, "/releases/nodes", "/status"), ["RUNNING"]);
}

#[tokio::test]
async fn of_an_installation_and_a_suspension_at_once_the_first_in_the_log_wins() {
    let (story, app) = with_an_app().await;
    for round in 0..8 {
        let install = json!({ "project": story.project, "name": format!("cache-{round}"), "version": app.version });
        let suspend = json!({ "app": app.app });
        let (installed, suspended) = tokio::join!(
            story.user.attempt("installRelease", &install),
            story.reviewer.attempt("suspendApp", &suspend)
        );
        let position = |payload: &Value| text(payload, "/position").parse::<u64>().unwrap();
        let suspended = position(&suspended.unwrap().unwrap());
        match installed.unwrap() {
            Ok(installed) => assert!(position(&installed) < suspended, "round {round}"),
            Err(refused) => refused.says("NOT_FOUND", &[]),
        }
        story.reviewer.does("resumeApp", suspend).await;
    }
}

#[tokio::test]
async fn one_operation_at_a_time() {
    let (story, app) = with_an_app().await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let upgrade = |greeting: &str| json!({ "release": release, "values": format!("greeting: {greeting}\n") });
    let (one, other) = (upgrade("one"), upgrade("other"));
    let (one, other) = tokio::join!(
        story.user.attempt("upgradeRelease", &one),
        story.user.attempt("upgradeRelease", &other)
    );
    let refused: Vec<_> = [one, other]
        .into_iter()
        .filter_map(|outcome| outcome.unwrap().err())
        .collect();
    // The first may have ended before the second began.
    assert!(
        refused.len() <= 1 && refused.iter().all(|refusal| refusal.code == "OPERATION_IN_FLIGHT"),
        "{refused:?}"
    );
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
}

#[tokio::test]
async fn after_a_failed_upgrade_one_can_go_back_to_what_runs_although_it_is_suspended() {
    let (story, app) = with_an_app().await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let second = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&second).await;
    let broken = json!({ "release": release, "version": second, "values": "impossible: two masters\n" });
    story.user.does("upgradeRelease", broken).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "FAILED");
    story
        .reviewer
        .does("suspendVersion", json!({ "version": app.version }))
        .await;
    let back = json!({ "release": release, "version": app.version, "values": "greeting: hi\n" });
    story.user.does("upgradeRelease", back).await;
    let now = settled(&story.user, &release).await;
    assert_eq!(text(&now, "/status"), "RUNNING");
    assert!(manifest(&story, "cache").contains("greeting: \"hi\""));
}
