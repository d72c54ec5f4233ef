//! The steps of the tutorial that touch a cluster, with the demo's charts.

use harness::{
    Story, chart::demo_redis, helm::Helm, kubernetes::Kubernetes, list, person::fresh_id, story::settled, text, texts,
};
use serde_json::{Value, json};

use super::{ACCOUNT, CHARTHOUSE, NAMESPACE, Site, history, on_a_cluster};

#[tokio::test]
async fn the_tutorial_with_helm_3() {
    let site = Site::begin_with("helm", "16s").await;
    play(&site.story, &site.owner, NAMESPACE).await;
    acted_as_the_project_only(&site.kubernetes);
}

#[tokio::test]
async fn the_tutorial_with_helm_4() {
    let site = Site::begin_with("helm4", "16s").await;
    play(&site.story, &site.owner, NAMESPACE).await;
    acted_as_the_project_only(&site.kubernetes);
}

/// On the cluster that `CHARTHOUSE_TEST_KUBECONFIG` names, if it names one; in a namespace that is deleted afterwards.
#[tokio::test]
async fn the_tutorial_on_a_real_cluster_if_there_is_one() {
    let Some(file) = std::env::var_os("CHARTHOUSE_TEST_KUBECONFIG") else {
        println!("CHARTHOUSE_TEST_KUBECONFIG names no cluster");
        return;
    };
    let kubeconfig = std::fs::read_to_string(file).unwrap();
    for owner in Helm::both().await {
        owner.use_cluster(&kubeconfig);
        let namespace = format!("charthouse-test-{}", fresh_id().simple());
        let mut story = Story::begin_with(&["--helm", owner.program(), "--helm-timeout", "5m"]).await;
        let (_, project) = on_a_cluster(&story, &kubeconfig, &namespace).await;
        story.project = project;
        play(&story, &owner, &namespace).await;
    }
}

/// What is asked for and what comes of it, as the people of the tutorial do it.
async fn play(story: &Story, owner: &Helm, namespace: &str) {
    let app = story.app(&demo_redis("11.3.4")).await;
    test_install(story, owner, namespace, &app.version).await;
    story.publish(&app.version).await;
    let second = story.version(&app.app, &demo_redis("12.0.0")).await;
    story.publish(&second).await;

    let own = "# small\ncluster:\n  enabled: false\npassword: secret-1\n";
    let release = story.install("cache", &app.version, Some(own)).await;
    let running = settled(&story.user, &release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    assert_eq!(history(owner, namespace, "cache").await, ["deployed"]);

    let own = "# small\narchitecture: standalone\nauth:\n  password: secret-2\n";
    let wanted = json!({ "release": release, "version": second, "values": own });
    let asked = story.user.does("upgradeRelease", wanted).await;
    assert_eq!(text(&asked, "/release/status"), "UPGRADING");
    let upgraded = settled(&story.user, &release).await;
    assert_eq!(
        (text(&upgraded, "/status"), &upgraded["revision"]),
        ("RUNNING", &json!(2)),
        "{upgraded:#}"
    );
    assert_eq!(text(&upgraded, "/observed/versionNumber"), "12.0.0");
    assert_eq!(text(&upgraded, "/observed/values"), own);
    let values = owner.run(&["get", "values", "cache", "--namespace", namespace]).await;
    assert!(values.contains("password: secret-2"), "{values}");

    a_bad_value_fails_and_is_corrected(story, &release).await;
    rolled_back(story, owner, namespace, &release).await;

    story.user.does("uninstallRelease", json!({ "release": release })).await;
    let gone = settled(&story.user, &release).await;
    assert_eq!(text(&gone, "/status"), "UNINSTALLED", "{gone:#}");
    assert_eq!(history(owner, namespace, "cache").await, Vec::<String>::new());
}

/// The workspace tries its draft before anybody reviews it.
async fn test_install(story: &Story, owner: &Helm, namespace: &str, draft: &str) {
    let wanted = json!({ "project": story.project, "name": "trial", "version": draft });
    let release = story.isv.does("installRelease", wanted).await;
    assert_eq!(text(&release, "/release/status"), "CREATING");
    let release = text(&release, "/release/id");
    let running = settled(&story.isv, release).await;
    assert_eq!(text(&running, "/status"), "RUNNING", "{running:#}");
    let manifest = owner.run(&["get", "manifest", "trial", "--namespace", namespace]).await;
    assert!(
        manifest.contains("kind: StatefulSet") && manifest.contains("redis.conf"),
        "{manifest}"
    );
    assert_eq!(text(&running, "/revisions/nodes/0/manifest"), manifest);
    story.isv.does("uninstallRelease", json!({ "release": release })).await;
    assert_eq!(text(&settled(&story.isv, release).await, "/status"), "UNINSTALLED");
    assert_eq!(history(owner, namespace, "trial").await, Vec::<String>::new());
}

async fn a_bad_value_fails_and_is_corrected(story: &Story, release: &str) {
    let bad = "image:\n  repository: registry.invalid/redis\nauth:\n  password: secret-2\n";
    story
        .user
        .does("upgradeRelease", json!({ "release": release, "values": bad }))
        .await;
    let failed = settled(&story.user, release).await;
    assert_eq!(text(&failed, "/status"), "FAILED");
    assert_eq!(text(&failed, "/attempts/nodes/0/failure"), "NOT_READY", "{failed:#}");
    assert_eq!(
        (text(&failed, "/observed/versionNumber"), &failed["revision"]),
        ("12.0.0", &json!(2))
    );

    let good = "auth:\n  password: secret-3\n";
    story
        .user
        .does("upgradeRelease", json!({ "release": release, "values": good }))
        .await;
    let corrected = settled(&story.user, release).await;
    assert_eq!(
        (text(&corrected, "/status"), &corrected["revision"]),
        ("RUNNING", &json!(3)),
        "{corrected:#}"
    );
}

async fn rolled_back(story: &Story, owner: &Helm, namespace: &str, release: &str) {
    story
        .user
        .does("rollbackRelease", json!({ "release": release, "revision": 1 }))
        .await;
    let back = settled(&story.user, release).await;
    assert_eq!(
        (text(&back, "/status"), &back["revision"]),
        ("RUNNING", &json!(4)),
        "{back:#}"
    );
    assert_eq!(text(&back, "/observed/versionNumber"), "11.3.4");
    let causes = texts(&back, "/revisions/nodes", "/cause");
    assert_eq!(causes, ["ROLLBACK", "RECONFIGURE", "UPGRADE", "INSTALL"]);
    let values = owner.run(&["get", "values", "cache", "--namespace", namespace]).await;
    assert!(values.contains("password: secret-1"), "{values}");
    let attempts = list(&back, "/attempts/nodes");
    assert!(
        attempts.iter().all(|attempt| attempt["output"].is_string()),
        "every attempt's output is kept"
    );
}

/// Charthouse itself makes namespaces, accounts and bindings; whatever belongs to a release, it does as the project.
fn acted_as_the_project_only(kubernetes: &Kubernetes) {
    let sent = kubernetes.requests();
    let of_charthouse = sent
        .iter()
        .filter(|request| request.sender.as_deref() == Some(CHARTHOUSE) && request.is_write());
    let (as_project, own): (Vec<_>, Vec<_>) =
        of_charthouse.partition(|request| request.user.as_deref() == Some(ACCOUNT));
    assert!(!as_project.is_empty());
    for request in own {
        let made = ["namespaces", "serviceaccounts", "rolebindings"];
        let is_made = made.iter().any(|plural| request.path.ends_with(plural));
        assert!(
            is_made && !request.is_impersonated(),
            "{request:#?} is done with Charthouse's own rights"
        );
    }
    assert_eq!(
        kubernetes.list("secrets", NAMESPACE),
        Vec::<Value>::new(),
        "nothing is left"
    );
}
