//! `kill -9`, again and again: what was acknowledged is there, nothing is there by half, and what was under way ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use harness::{
    Person, Server, Story, chart,
    helm::Helm,
    list,
    person::repeatable,
    random::{Random, seed},
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// A command that was given, and what it was answered before the server died, if it was.
#[derive(Clone)]
struct Given {
    mutation: &'static str,
    input: Value,
    answer: Option<Value>,
}

/// What all clients did, and the instant at which the server is to die.
struct Record {
    given: Mutex<Vec<Given>>,
    acknowledged_max: usize,
    enough: Notify,
}

impl Record {
    /// Gives a command and writes down what came of it; `None` once the server is dead.
    async fn give(&self, person: &Person, mutation: &'static str, input: Value) -> Option<Value> {
        let input = repeatable(input);
        let number = {
            let mut given = self.given.lock().unwrap();
            given.push(Given {
                mutation,
                input: input.clone(),
                answer: None,
            });
            given.len() - 1
        };
        let answer = person.attempt(mutation, &input).await.ok()?.unwrap();
        let mut given = self.given.lock().unwrap();
        given[number].answer = Some(answer.clone());
        if given.iter().filter(|given| given.answer.is_some()).count() >= self.acknowledged_max {
            self.enough.notify_one();
        }
        Some(answer)
    }

    /// One client: uploads apps, edits their listings and submits them, until nobody answers any more.
    async fn keep_working(self: Arc<Self>, isv: Person, workspace: String, client: usize) -> Option<()> {
        for number in 0.. {
            let packed = chart(&format!("app-{client}-{number}"), "1.0.0").packed();
            let path = format!("/uploads?workspace={workspace}&kind=chart");
            let upload: Value = isv
                .request(reqwest::Method::POST, &path)
                .body(packed)
                .send()
                .await
                .ok()?
                .json()
                .await
                .ok()?;
            let uploaded = json!({ "workspace": workspace, "upload": upload["uploadId"] });
            let made = self.give(&isv, "uploadApp", uploaded).await?;
            let app = text(&made, "/app/id");
            self.give(
                &isv,
                "editListing",
                json!({ "app": app, "summary": format!("number {number}") }),
            )
            .await?;
            let version = text(&made, "/app/versions/nodes/0/id");
            self.give(&isv, "submitVersion", json!({ "version": version })).await?;
        }
        None
    }
}

/// Several clients at work until a number of commands was acknowledged, and then `kill -9`.
async fn worked_until_killed(story: &mut Story, acknowledged_max: usize) -> Vec<Given> {
    let record = Record {
        given: Mutex::default(),
        acknowledged_max,
        enough: Notify::new(),
    };
    let record = Arc::new(record);
    let start = |client| {
        tokio::spawn(
            record
                .clone()
                .keep_working(story.isv.clone(), story.workspace.clone(), client),
        )
    };
    let clients: Vec<_> = (0..4).map(start).collect();
    record.enough.notified().await;
    story.server.kill().await;
    for client in clients {
        client.await.unwrap();
    }
    record.given.lock().unwrap().clone()
}

/// What an answer says that must be the same if it is given again. The rest is how things are now.
fn identity(answer: &Value) -> [&Value; 3] {
    [&answer["position"], &answer["app"]["id"], &answer["version"]["id"]]
}

fn has_no_gap(entries: &[Value]) {
    let positions: Vec<_> = entries
        .iter()
        .map(|entry| text(entry, "/position").parse::<usize>().unwrap())
        .collect();
    assert!(positions.iter().copied().eq(0..entries.len()), "{positions:?}");
}

/// An app that is in the log is there with its version and its name, in one piece.
fn has_no_half_of_an_action(entries: &[Value]) {
    for (index, entry) in entries.iter().enumerate() {
        if entry["event"] == json!("AppUploaded") {
            let next: Vec<_> = entries[index..]
                .iter()
                .take(3)
                .map(|entry| text(entry, "/event"))
                .collect();
            assert_eq!(
                next,
                ["AppUploaded", "VersionUploaded", "NameTaken"],
                "at position {index}"
            );
            assert_eq!(text(&entries[index + 2], "/data/holder"), text(entry, "/stream"));
        }
    }
}

async fn apps_with_versions(story: &Story) -> BTreeMap<String, usize> {
    let query = "query($id: ID!, $after: String) { apps(workspace: $id, first: 100, after: $after) { \
        nodes { chartName draftListing { content { summary } } versions(first: 5) { nodes { stage } } } pageInfo { hasNextPage } } }";
    let apps = story.isv.ask(query, json!({ "id": story.workspace })).await;
    assert_eq!(
        apps["apps"]["pageInfo"]["hasNextPage"],
        json!(false),
        "the test gives no more than one page of apps"
    );
    let apps = list(&apps, "/apps/nodes").iter();
    apps.map(|app| (text(app, "/chartName").to_owned(), list(app, "/versions/nodes").len()))
        .collect()
}

#[tokio::test]
async fn what_was_acknowledged_before_a_crash_is_there_after_it_and_nothing_is_there_by_half() {
    let mut random = Random::seeded(seed());
    for round in 1..=4 {
        let acknowledged_max = 8 + usize::try_from(random.below(60)).unwrap();
        println!(
            "seed {}, round {round}: killed after {acknowledged_max} answers",
            seed()
        );
        let mut story = Story::begin().await;
        let given = worked_until_killed(&mut story, acknowledged_max).await;
        story.server.start_again().await;

        let entries = audit_trail(&story.admin).await;
        has_no_gap(&entries);
        has_no_half_of_an_action(&entries);
        let known: BTreeSet<_> = entries.iter().map(|entry| text(entry, "/position")).collect();
        for Given { answer, mutation, .. } in &given {
            let Some(answer) = answer else { continue };
            assert!(
                known.contains(text(answer, "/position")),
                "{mutation} was acknowledged: {answer:#}"
            );
        }
        let apps = apps_with_versions(&story).await;
        assert!(apps.values().all(|versions| *versions == 1), "{apps:?}");
        repeated_commands_are_done_once(&story, given).await;
    }
}

/// Whoever got no answer gives the command again: that is what the ids are for.
async fn repeated_commands_are_done_once(story: &Story, given: Vec<Given>) {
    for Given {
        mutation,
        input,
        answer,
    } in &given
    {
        let again = story.isv.does(mutation, input.clone()).await;
        if let Some(answer) = answer {
            assert_eq!(identity(&again), identity(answer), "{mutation}");
        }
        assert_eq!(
            identity(&story.isv.does(mutation, input.clone()).await),
            identity(&again),
            "{mutation}"
        );
    }
    let entries = audit_trail(&story.admin).await;
    has_no_gap(&entries);
    let count = |event: &str| entries.iter().filter(|entry| entry["event"] == json!(event)).count();
    let asked = |mutation: &str| given.iter().filter(|given| given.mutation == mutation).count();
    assert_eq!(count("AppUploaded"), asked("uploadApp"));
    assert_eq!(count("ListingEdited"), asked("editListing"));
    assert_eq!(count("VersionSubmitted"), asked("submitVersion"));

    let Given { mutation, input, .. } = given.iter().find(|given| given.mutation == "editListing").unwrap();
    let mut other = input.clone();
    other["summary"] = json!("something else");
    story.isv.is_refused(mutation, other).await.says("COMMAND_REUSED", &[]);
}

#[tokio::test]
async fn releases_under_way_in_a_crash_end_running_exactly_once() {
    Helm::installed().await;
    let mut random = Random::seeded(seed());
    for round in 1..=4 {
        let finished_max = usize::try_from(random.below(5)).unwrap();
        println!(
            "seed {}, round {round}: killed after {finished_max} installations",
            seed()
        );
        let mut story = Story::begin().await;
        let app = story.published(&chart("redis", "11.3.4")).await;
        let mut releases = vec![];
        for number in 0..6 {
            releases.push(story.install(&format!("cache-{number}"), &app.version, None).await);
        }
        for release in &releases[..finished_max] {
            settled(&story.user, release).await;
        }
        story.server.kill().await;
        story.server.start_again().await;

        for (number, release) in releases.iter().enumerate() {
            let ended = settled(&story.user, release).await;
            assert_eq!(
                (text(&ended, "/status"), &ended["revision"]),
                ("RUNNING", &json!(1)),
                "{ended:#}"
            );
            let manifest = story
                .server
                .data()
                .join(format!("clusters/local/prod/cache-{number}/manifest.yaml"));
            assert_eq!(
                std::fs::read_to_string(manifest).unwrap(),
                text(&ended, "/revisions/nodes/0/manifest")
            );
        }
        let entries = audit_trail(&story.admin).await;
        has_no_gap(&entries);
        let installed: Vec<_> = entries
            .iter()
            .filter(|entry| entry["event"] == json!("ReleaseInstalled"))
            .collect();
        let streams: BTreeSet<_> = installed.iter().map(|entry| text(entry, "/stream")).collect();
        assert_eq!((installed.len(), streams.len()), (6, 6), "each exactly once");
    }
}

#[tokio::test]
async fn an_upload_id_survives_a_crash_and_views_torn_by_it_are_made_anew() {
    let mut story = Story::begin().await;
    let upload = story.upload_chart(&chart("redis", "11.3.4")).await;
    story.server.kill().await;
    // As if the disk had lost what was not asked to be durable.
    std::fs::write(story.server.data().join("views.db"), b"torn").unwrap();
    story.server.start_again().await;
    story
        .isv
        .does("uploadApp", json!({ "workspace": story.workspace, "upload": upload }))
        .await;
}

#[tokio::test]
async fn a_server_that_nobody_listens_to_any_more_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&folder.path().join("data")).await;
    server.hang_up();
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn two_servers_never_work_on_one_folder() {
    let story = Story::begin().await;
    let mut second = harness::program::command();
    second
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(story.server.data());
    let output = tokio::time::timeout(harness::server::PATIENCE, second.output()).await;
    let output = output.expect("the second one gives up").unwrap();
    assert!(!output.status.success());
    story.app(&chart("redis", "11.3.4")).await;
}
