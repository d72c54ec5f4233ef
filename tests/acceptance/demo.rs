//! The demo, and what it leaves behind.

use std::{fs, path::Path, process::Output};

use harness::{
    Person, Server,
    admin::Admin,
    helm::Helm,
    program,
    snapshot::files_below,
    story::{audit_trail, event_names},
    text, texts,
};
use serde_json::{Value, json};

async fn play(data: &Path) -> Output {
    let mut command = program::command();
    command
        .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"])
        .arg(data);
    command.output().await.unwrap()
}

/// The events a transcript names, by their positions.
fn told(transcript: &str) -> Vec<(usize, String)> {
    let words: Vec<_> = transcript.split_whitespace().collect();
    let position = |word: &str| word.strip_prefix('@')?.trim_end_matches(',').parse().ok();
    words
        .windows(2)
        .filter_map(|pair| Some((position(pair[1])?, pair[0].to_owned())))
        .collect()
}

/// What everybody can ask about the state of the store.
async fn state(admin: &Person, user: &Person) -> Vec<Value> {
    let mut state = vec![];
    for query in [
        "{ store { nodes { chartName displayName summary keywords appVersion category { name } publishedAt \
            app { status versions { nodes { number stage packageDigest revision publishedAt } } } } } }",
        "{ categories { uncategorisedApps nodes { id name icon apps } } }",
    ] {
        state.push(user.ask(query, json!({})).await);
    }
    let viewer = user.ask("{ viewer { projects { id } } }", json!({})).await;
    let releases = "query($project: ID!) { releases(project: $project, first: 3) { nodes { name status revision \
        observed { versionNumber values } revisions(first: 9) { nodes { number cause deployment { versionNumber values } manifest at } } \
        attempts(first: 9) { nodes { operation succeeded output } } } } }";
    let project = json!({ "project": text(&viewer, "/viewer/projects/0/id") });
    state.push(user.ask(releases, project).await);
    let decisions = "{ decisions { nodes { position decision reason versionNumber packageDigest listingDigest reviewer { name } } } }";
    state.push(admin.ask(decisions, json!({})).await);
    state.push(admin.ask("{ reviewQueue { nodes { submission } } }", json!({})).await);
    state.push(Value::Array(audit_trail(admin).await));
    state
}

#[tokio::test]
async fn the_demo_plays_the_whole_life_of_an_app_and_leaves_it_to_be_looked_at() {
    Helm::installed().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = play(&data).await;
    let transcript = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{transcript}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let story = told(&transcript);
    for event in [
        "AppUploaded",
        "VersionSubmitted",
        "VersionRejected",
        "VersionApproved",
        "PublishedToStore",
        "Suspended",
        "ReleaseUpgraded",
        "RollbackRequested",
    ] {
        assert!(
            story.iter().any(|(_, name)| name == event),
            "{event} is not told of in {transcript}"
        );
    }

    let admin = Admin::of(&data);
    let tokens = (admin.token("admin").await, admin.token("project-regular").await);
    let mut server = Server::start(&data).await;
    let admin = Person::new("admin", &tokens.0, server.address());
    let user = Person::new("project-regular", &tokens.1, server.address());
    let recorded = event_names(&admin).await;
    for (position, event) in &story {
        assert_eq!(&recorded[*position], event, "@{position}");
    }
    let before = state(&admin, &user).await;
    assert_eq!(texts(&before[0], "/store/nodes", "/chartName"), ["redis"]);
    assert_eq!(text(&before[0], "/store/nodes/0/category/name"), "Databases");
    assert_eq!(
        texts(&before[0], "/store/nodes/0/app/versions/nodes", "/stage"),
        ["PUBLISHED", "PUBLISHED"]
    );
    assert_eq!(
        texts(&before[3], "/decisions/nodes", "/decision"),
        ["APPROVED", "APPROVED", "REJECTED"]
    );

    // The views are computed from the log: without them, they are computed again.
    assert!(server.stop().await.success());
    let views: Vec<_> = files_below(&data)
        .unwrap()
        .into_iter()
        .filter(|file| file.to_string_lossy().starts_with("views.db"))
        .collect();
    assert!(!views.is_empty());
    for file in views {
        fs::remove_file(data.join(file)).unwrap();
    }
    server.start_again().await;
    let after = state(&admin, &user).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
}

#[tokio::test]
async fn the_demo_refuses_a_folder_that_is_not_empty_and_leaves_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letters.txt"), "dear").unwrap();
    let output = play(folder.path()).await;
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("empty") && said.contains("--data"), "{said}");
    assert_eq!(files_below(folder.path()).unwrap(), [Path::new("letters.txt")]);
}

#[tokio::test]
async fn the_demo_without_helm_ends_with_a_failure_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program::command();
    command
        .args([
            "demo",
            "--exit",
            "--listen",
            "127.0.0.1:0",
            "--helm",
            "/nowhere/helm",
            "--data",
        ])
        .arg(folder.path());
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere/helm"), "{said}");
}
