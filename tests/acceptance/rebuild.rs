//! The views computed again, beside those that people read.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use harness::{
    Story, chart,
    command_line::{run, told},
    list, program, tamper, text, texts,
};
use serde_json::json;

const STORE: &str = "{ store { nodes { chartName } } }";

/// The view files of a data folder.
fn views(data: &Path) -> Vec<String> {
    let files = data
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut views: Vec<_> = files
        .filter(|file| file.starts_with("views.") && file.ends_with(".db"))
        .collect();
    views.sort();
    views
}

#[tokio::test]
async fn a_running_server_goes_over_to_rebuilt_views_while_people_read() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let data = story.server.data().to_owned();
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (user, ended) = (story.user.clone(), Arc::clone(&ended));
        async move {
            while !ended.load(Ordering::Relaxed) {
                let seen = user.ask(STORE, json!({})).await;
                assert!(
                    texts(&seen, "/store/nodes", "/chartName").contains(&"redis"),
                    "{seen:#}"
                );
            }
        }
    });
    for round in 1..=3 {
        let rebuilt = told("rebuild", &data, &["--json"]).await.json();
        let file = format!("views.{round}.db");
        assert_eq!(rebuilt, json!({ "file": file, "inUse": true }));
        assert_eq!(views(&data), [file]);
        story.published(&chart(&format!("chart-{round}"), "1.0.0")).await;
    }
    ended.store(true, Ordering::Relaxed);
    reader.await.unwrap();
    let checked = told("rebuild", &data, &["--check", "--json"]).await.json();
    assert_eq!(
        (text(&checked, "/file"), list(&checked, "/differences").len()),
        ("views.3.db", 0)
    );

    // Without a server, the next one starts with it.
    assert!(story.server.stop().await.success());
    let rebuilt = told("rebuild", &data, &["--json"]).await.json();
    assert_eq!(rebuilt, json!({ "file": "views.4.db", "inUse": false }));
    story.server.start_again().await;
    assert_eq!(views(&data), ["views.4.db"]);
    let seen = story.user.ask(STORE, json!({})).await;
    assert_eq!(list(&seen, "/store/nodes").len(), 4);
}

#[tokio::test]
async fn a_rebuild_that_is_killed_harms_nothing() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let data = story.server.data().to_owned();
    for milliseconds in [0, 2, 5, 10, 20, 30, 40, 60, 80] {
        let mut command = program::command();
        let mut process = command.args(["rebuild", "--data"]).arg(&data).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        process.kill().await.unwrap();
        assert_eq!(list(&story.user.ask(STORE, json!({})).await, "/store/nodes").len(), 1);
        if milliseconds % 20 == 0 {
            story.server.kill().await;
            story.server.start_again().await;
            assert_eq!(list(&story.user.ask(STORE, json!({})).await, "/store/nodes").len(), 1);
        }
    }
    told("rebuild", &data, &[]).await;
    told("rebuild", &data, &["--check"]).await;
    assert!(!data.join("views.building").exists());
}

#[tokio::test]
async fn a_check_finds_rows_that_the_log_does_not_know_and_says_so_by_its_status() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    assert!(story.server.stop().await.success());
    let data = story.server.data().to_owned();
    let [file] = views(&data).try_into().unwrap();
    // A server that stops leaves what was written last in the write-ahead log beside the file.
    tamper::settle(&data.join(&file));
    // The name of a workspace, where it stands in the file.
    let mut bytes = std::fs::read(data.join(&file)).unwrap();
    let places: Vec<_> = (0..bytes.len() - 6)
        .filter(|i| &bytes[*i..*i + 6] == b"globex")
        .collect();
    assert!(!places.is_empty(), "everything is in the file now");
    for place in places {
        bytes[place..place + 6].copy_from_slice(b"globes");
    }
    std::fs::write(data.join(&file), bytes).unwrap();

    let checked = run("rebuild", &data, &["--check", "--json"]).await;
    assert_eq!(checked.status, 3, "{checked:?}");
    let told_of = checked.json();
    // The name also stands in the trail: whose name was taken.
    assert_eq!(texts(&told_of, "/differences", "/table"), ["audit", "workspace"]);
    let row = &told_of["differences"][1]["first"][0];
    assert!(
        text(row, "/key").starts_with("id=") && text(row, "/inUse").contains("globes"),
        "{row:#}"
    );
    assert!(text(row, "/log").contains("globex"), "{row:#}");
    let words = run("rebuild", &data, &["--check"]).await;
    assert!(words.output.contains("workspace: 1 of its rows differ"), "{words:?}");

    told("rebuild", &data, &[]).await;
    story.server.start_again().await;
    told("rebuild", &data, &["--check"]).await;
}
