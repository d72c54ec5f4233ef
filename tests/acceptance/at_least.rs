//! Reading one's writes.

use std::{fs, os::unix::fs::symlink};

use harness::{Person, Server, Story, admin::Admin, chart, postgres::Postgres, text, texts};
use serde_json::{Value, json};

const APP: &str = "query($id: ID!, $atLeast: AtLeast) { app(id: $id, atLeast: $atLeast) { status } }";

fn code(answer: &Value) -> &str {
    text(answer, "/errors/0/extensions/code")
}

#[tokio::test]
async fn a_query_shows_what_it_must_have_seen_or_says_that_it_does_not() {
    let story = Story::begin_with(&["--read-wait", "300ms"]).await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let answer = story.isv.does("submitVersion", json!({ "version": app.version })).await;
    let epoch = story.isv.ask("{ epoch }", json!({})).await["epoch"].clone();
    let seen = json!({ "position": answer["position"], "epoch": epoch });
    let asked = story.isv.ask(APP, json!({ "id": app.app, "atLeast": seen })).await;
    assert_eq!(text(&asked, "/app/status"), "IN_DEVELOPMENT");

    let ahead = json!({ "position": "1000000" });
    let refused = story
        .isv
        .send(APP, &json!({ "id": app.app, "atLeast": ahead }))
        .await
        .unwrap();
    assert_eq!(code(&refused), "VIEWS_BEHIND");
    assert!(
        text(&refused, "/errors/0/message").contains("within 300ms"),
        "{refused:#}"
    );
    let other = json!({ "position": "0", "epoch": "00000000-0000-0000-0000-000000000000" });
    let refused = story
        .isv
        .send(APP, &json!({ "id": app.app, "atLeast": other }))
        .await
        .unwrap();
    assert_eq!(code(&refused), "EPOCH_CHANGED");
    let refused = story
        .nobody()
        .send(APP, &json!({ "id": app.app, "atLeast": ahead }))
        .await
        .unwrap();
    assert_eq!(code(&refused), "UNAUTHENTICATED");
}

#[tokio::test]
async fn every_list_takes_a_position_it_must_have_seen() {
    let story = Story::begin_with(&["--read-wait", "100ms"]).await;
    for field in [
        "store(atLeast: $p) { nodes { chartName } }",
        "reviewQueue(atLeast: $p) { nodes { submission } }",
        "categories(atLeast: $p) { uncategorisedApps }",
        "decisions(atLeast: $p) { nodes { at } }",
        "auditTrail(atLeast: $p) { nodes { at } }",
    ] {
        let query = format!("query($p: AtLeast) {{ {field} }}");
        story.admin.ask(&query, json!({ "p": { "position": "0" } })).await;
        let refused = story
            .admin
            .send(&query, &json!({ "p": { "position": "99999" } }))
            .await
            .unwrap();
        assert_eq!(code(&refused), "VIEWS_BEHIND", "{field}");
    }
}

/// Two servers on one log: keys and blobs are shared, views are each one's own.
struct Pair {
    people: [Person; 2],
    _servers: [Server; 2],
    _postgres: Postgres,
    _folder: tempfile::TempDir,
}

impl Pair {
    async fn start() -> Self {
        let postgres = Postgres::start();
        let (url, folder) = (postgres.url(), tempfile::tempdir().unwrap());
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let admin = Admin::of(&first);
        let said = ["--log", &url, "account", "create", "ada", "--role", "platform-admin"];
        admin.run(&said).await;
        let token = admin.run(&["--log", &url, "token", "create", "ada"]).await;
        fs::create_dir_all(second.join("keys")).unwrap();
        for key in first.join("keys").read_dir().unwrap() {
            let key = key.unwrap();
            fs::copy(key.path(), second.join("keys").join(key.file_name())).unwrap();
        }
        symlink(first.join("blobs"), second.join("blobs")).unwrap();
        let servers = [
            Server::start_with(&first, &["--log", &url]).await,
            Server::start_with(&second, &["--log", &url]).await,
        ];
        Self {
            people: [0, 1].map(|n: usize| Person::new("ada", text(&token, "/token"), servers[n].address())),
            _servers: servers,
            _postgres: postgres,
            _folder: folder,
        }
    }
}

#[tokio::test]
async fn what_one_server_recorded_is_read_at_another() {
    let pair = Pair::start().await;
    let query = "query($p: AtLeast) { categories(atLeast: $p) { nodes { name } } epoch }";
    for round in 0..20 {
        let (writer, reader) = (&pair.people[round % 2], &pair.people[(round + 1) % 2]);
        let name = format!("Shelf {round}");
        let made = writer
            .does("createCategory", json!({ "name": name, "icon": "box" }))
            .await;
        let epoch = writer.ask("{ epoch }", json!({})).await["epoch"].clone();
        let seen = json!({ "position": made["position"], "epoch": epoch });
        let asked = reader.ask(query, json!({ "p": seen })).await;
        assert!(
            texts(&asked, "/categories/nodes", "/name").contains(&name.as_str()),
            "round {round}"
        );
    }
}
