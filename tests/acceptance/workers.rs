//! Several workers on one log: the work is shared, and every operation done once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, Instant},
};

use harness::{
    Person, Server,
    admin::Admin,
    chart,
    gated_helm::GatedHelm,
    helm::Helm,
    postgres::Postgres,
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// One server that answers and two that work, on one log. Keys, blobs and clusters are shared, views are each one's own.
pub struct Fleet {
    pub isv: Person,
    pub admin: Person,
    version: String,
    pub project: String,
    workers: [Server; 2],
    _api: Server,
    _postgres: Postgres,
    _folder: TempDir,
}

impl Fleet {
    pub async fn start(options: &[&str]) -> Self {
        let postgres = Postgres::start();
        let (url, folder) = (postgres.url(), tempfile::tempdir().unwrap());
        let data = ["api", "one", "two"].map(|name| folder.path().join(name));
        let admin = Admin::of(&data[0]);
        let with_log = |words: &[&'static str]| [&["--log", &url][..], words].concat().join(" ");
        let run = async |words: &[&'static str]| {
            let words = with_log(words);
            admin.run(&words.split(' ').collect::<Vec<_>>()).await
        };
        run(&["workspace", "create", "acme"]).await;
        let project = run(&["project", "create", "acme", "prod"]).await;
        run(&["account", "create", "isv", "--role", "platform-regular"]).await;
        run(&["role", "grant", "isv", "workspace-admin", "--workspace", "acme"]).await;
        run(&["account", "create", "admin", "--role", "platform-admin"]).await;
        let isv = run(&["token", "create", "isv"]).await;
        let auditor = run(&["token", "create", "admin"]).await;
        for data_of_worker in &data[1..] {
            share(&data[0], data_of_worker);
        }
        let server = async |data: &Path, role: &str| {
            let options = [&["--log", &url, "--role", role][..], options].concat();
            Server::start_with(data, &options).await
        };
        let api = server(&data[0], "api").await;
        let workers = [server(&data[1], "worker").await, server(&data[2], "worker").await];
        let isv = Person::new("isv", text(&isv, "/token"), api.address());
        let version = draft(&isv).await;
        Self {
            admin: Person::new("admin", text(&auditor, "/token"), api.address()),
            isv,
            version,
            project: text(&project, "/id").to_owned(),
            workers,
            _api: api,
            _postgres: postgres,
            _folder: folder,
        }
    }

    /// The id of the worker that made the last attempt so far.
    pub async fn last_at_work(&self) -> String {
        let entries = audit_trail(&self.admin).await;
        let mut started = entries.iter().rev();
        let last = started.find(|entry| entry["event"] == json!("OperationStarted"));
        text(last.expect("somebody is at work"), "/data/worker").to_owned()
    }

    /// The worker of an id.
    pub fn worker(&mut self, id: &str) -> &mut Server {
        let is_it = |server: &&mut Server| {
            let own = fs::read_to_string(server.data().join("worker"));
            own.is_ok_and(|own| own.trim() == id)
        };
        self.workers.iter_mut().find(is_it).expect("it is one of the two")
    }

    /// Asks for a test installation.
    pub async fn install(&self, name: &str) -> String {
        let wanted = json!({ "project": self.project, "name": name, "version": self.version });
        let made = self.isv.does("installRelease", wanted).await;
        text(&made, "/release/id").to_owned()
    }
}

fn share(from: &Path, with: &Path) {
    fs::create_dir_all(with.join("keys")).unwrap();
    for key in from.join("keys").read_dir().unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), with.join("keys").join(key.file_name())).unwrap();
    }
    for folder in ["blobs", "clusters"] {
        fs::create_dir_all(from.join(folder)).unwrap();
        symlink(from.join(folder), with.join(folder)).unwrap();
    }
}

/// A version that its own workspace may test.
async fn draft(isv: &Person) -> String {
    let workspace = isv.ask("{ viewer { workspaces { id } } }", json!({})).await;
    let workspace = text(&workspace, "/viewer/workspaces/0/id");
    let upload = isv.upload(workspace, "chart", chart("redis", "11.3.4").packed()).await;
    let made = isv
        .does("uploadApp", json!({ "workspace": workspace, "upload": upload }))
        .await;
    text(&made, "/app/versions/nodes/0/id").to_owned()
}

fn streams(entries: &[Value], event: &str) -> Vec<String> {
    let of_event = entries.iter().filter(|entry| entry["event"] == json!(event));
    of_event.map(|entry| text(entry, "/stream").to_owned()).collect()
}

#[tokio::test]
async fn two_workers_share_the_work_and_every_operation_is_done_once() {
    Helm::installed().await;
    let fleet = Fleet::start(&["--helm-runs-max", "2"]).await;
    let mut releases = vec![];
    for number in 0..20 {
        releases.push(fleet.install(&format!("cache-{number}")).await);
    }
    for release in &releases {
        let ended = settled(&fleet.isv, release).await;
        assert_eq!(
            (text(&ended, "/status"), &ended["revision"]),
            ("RUNNING", &json!(1)),
            "{ended:#}"
        );
    }
    let entries = audit_trail(&fleet.admin).await;
    for event in ["OperationStarted", "ReleaseInstalled"] {
        let of_event = streams(&entries, event);
        let distinct: BTreeSet<_> = of_event.iter().collect();
        assert_eq!((of_event.len(), distinct.len()), (20, 20), "{event}: each exactly once");
    }
    let mut shares = BTreeMap::new();
    for entry in entries
        .iter()
        .filter(|entry| entry["event"] == json!("OperationStarted"))
    {
        *shares.entry(text(entry, "/data/worker")).or_insert(0) += 1;
    }
    assert_eq!(shares.len(), 2, "both worked: {shares:?}");
}

#[tokio::test]
async fn a_worker_that_was_killed_takes_up_its_own_work_at_once_and_the_other_leaves_it_alone() {
    Helm::installed().await;
    let helm = GatedHelm::closed();
    let mut fleet = Fleet::start(&["--helm", &helm.program()]).await;
    let release = fleet.install("cache").await;
    helm.begun(1).await;
    let by = fleet.last_at_work().await;
    fleet.worker(&by).kill().await;
    helm.open();
    // The other one is there and idle; it does other work, and this it does not touch.
    let elsewhere = fleet.install("other").await;
    assert_eq!(text(&settled(&fleet.isv, &elsewhere).await, "/status"), "RUNNING");
    let waits = fleet.isv.ask(ATTEMPTS, json!({ "id": release })).await;
    assert_eq!(waits["release"]["attempts"]["nodes"], json!([{ "endedAt": null }]));

    fleet.worker(&by).start_again().await;
    let ended = settled(&fleet.isv, &release).await;
    assert_eq!((text(&ended, "/status"), &ended["revision"]), ("RUNNING", &json!(1)));
    let entries = audit_trail(&fleet.admin).await;
    assert_eq!(streams(&entries, "ReleaseInstalled").len(), 2, "one for each release");
    assert_eq!(streams(&entries, "OperationStarted").len(), 3);
}

#[tokio::test]
async fn a_worker_that_comes_back_after_its_work_was_taken_over_changes_nothing() {
    Helm::installed().await;
    let helm = GatedHelm::closed();
    let options = [
        "--helm",
        &helm.program(),
        "--helm-timeout",
        "10s",
        "--worker-margin",
        "2s",
    ];
    let mut fleet = Fleet::start(&options).await;
    let release = fleet.install("cache").await;
    helm.begun(1).await;
    let first = fleet.last_at_work().await;
    fleet.worker(&first).freeze().await;
    // The other one takes it for dead, in time; its Helm is the second to begin.
    helm.begun(2).await;
    helm.open();
    let ended = settled(&fleet.isv, &release).await;
    assert_eq!((text(&ended, "/status"), &ended["revision"]), ("RUNNING", &json!(1)));
    assert_ne!(fleet.last_at_work().await, first);

    let before = audit_trail(&fleet.admin).await;
    fleet.worker(&first).thaw().await;
    let started = Instant::now();
    while !fleet.worker(&first).errors().contains("another attempt took the place") {
        assert!(started.elapsed() < harness::server::PATIENCE, "it does not notice");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = audit_trail(&fleet.admin).await;
    assert_eq!(after, before, "what came of the first attempt is not recorded");
    assert_eq!(streams(&after, "OperationStarted").len(), 2);
    assert_eq!(streams(&after, "ReleaseInstalled").len(), 1);
    // It works again as the others do.
    let other = fleet.install("other").await;
    assert_eq!(text(&settled(&fleet.isv, &other).await, "/status"), "RUNNING");
}

const ATTEMPTS: &str = "query($id: ID!) { release(id: $id) { attempts { nodes { endedAt } } } }";

#[tokio::test]
async fn parts_of_the_work_are_not_given_to_processes_that_cannot_share_a_log() {
    for role in ["api", "worker"] {
        let folder = tempfile::tempdir().unwrap();
        let mut second = harness::program::command();
        second
            .args(["serve", "--listen", "127.0.0.1:0", "--role", role, "--data"])
            .arg(folder.path().join("data"));
        let output = tokio::time::timeout(harness::server::PATIENCE, second.output()).await;
        let output = output.expect("it gives up").unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("--log postgres://"), "{said}");
    }
}

#[tokio::test]
async fn a_worker_answers_how_it_is_and_nothing_else() {
    Helm::installed().await;
    let fleet = Fleet::start(&[]).await;
    let worker = Person::anonymous(fleet.workers[0].address());
    assert_eq!(worker.get("/livez").await.status, 200);
    assert_eq!(worker.get("/readyz").await.status, 200);
    assert_eq!(worker.get("/graphql").await.status, 404);
}
