//! Where most tests begin: two workspaces, and people who differ in what they may do.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    Server,
    admin::Admin,
    chart::Chart,
    list,
    person::{Person, uuid_of},
    server::{Address, PATIENCE},
    snapshot::Snapshot,
    text,
};

pub struct Story {
    pub server: Server,
    /// Holds every platform permission, and so reads the whole audit trail.
    pub admin: Person,
    /// Administers the workspace `acme`: uploads, edits, submits, publishes.
    pub isv: Person,
    /// Reviews, keeps categories, suspends and resumes.
    pub reviewer: Person,
    pub other_reviewer: Person,
    /// A reviewer who also works in `acme`.
    pub author_and_reviewer: Person,
    /// Installs into the project `acme/prod`.
    pub user: Person,
    /// Administers another workspace, `globex`, and sees the store.
    pub stranger: Person,
    pub workspace: String,
    pub project: String,
    pub foreign_workspace: String,
    pub foreign_project: String,
    _folder: TempDir,
}

/// An app with one version.
#[derive(Debug, Clone)]
pub struct AppAndVersion {
    pub app: String,
    pub version: String,
}

/// What was set up before the first test, by the command line.
struct Beginning {
    snapshot: Snapshot,
    tokens: [String; 7],
    workspace: String,
    project: String,
    foreign_workspace: String,
    foreign_project: String,
}

/// Setting it up takes a second, so it is done once and copied.
static BEGINNING: OnceCell<Beginning> = OnceCell::const_new();

impl Beginning {
    async fn set_up() -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let data = folder.path().join("data");
        let admin = Admin::of(&data);
        let workspace = admin.create(&["workspace", "create", "acme"]).await;
        let project = admin.create(&["project", "create", "acme", "prod"]).await;
        let foreign_workspace = admin.create(&["workspace", "create", "globex"]).await;
        let foreign_project = admin.create(&["project", "create", "globex", "lab"]).await;
        let bundles = ["--permission", "app-store-management", "--permission", "app-store-view"];
        admin
            .run(&[&["role", "define", "app-review"][..], &bundles].concat())
            .await;

        let tokens = [
            admin.person("admin", &[&["platform-admin"]]).await,
            admin
                .person(
                    "isv",
                    &[&["platform-regular"], &["workspace-admin", "--workspace", "acme"]],
                )
                .await,
            admin.person("reviewer", &[&["app-review"]]).await,
            admin.person("other-reviewer", &[&["app-review"]]).await,
            admin
                .person(
                    "author-and-reviewer",
                    &[&["app-review"], &["workspace-regular", "--workspace", "acme"]],
                )
                .await,
            admin
                .person(
                    "project-regular",
                    &[
                        &["platform-regular"],
                        &["project-regular", "--workspace", "acme", "--project", "prod"],
                    ],
                )
                .await,
            admin
                .person(
                    "stranger",
                    &[&["platform-regular"], &["workspace-admin", "--workspace", "globex"]],
                )
                .await,
        ];
        let snapshot = Snapshot::of(&data).expect("the data folder can be read");
        Self {
            snapshot,
            tokens,
            workspace,
            project,
            foreign_workspace,
            foreign_project,
        }
    }
}

impl Story {
    /// A server of its own, on a folder of its own, where nothing has been uploaded yet.
    pub async fn begin() -> Self {
        Self::begin_with(&[]).await
    }

    /// With more options for `charthouse serve`.
    ///
    /// # Panics
    ///
    /// If the server does not start.
    pub async fn begin_with(options: &[&str]) -> Self {
        let beginning = BEGINNING.get_or_init(Beginning::set_up).await;
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let data = folder.path().join("data");
        beginning
            .snapshot
            .restore(&data)
            .expect("the data folder can be written");
        let server = Server::start_with(&data, options).await;
        let address = server.address();
        let [admin, isv, reviewer, other, both, user, stranger] = &beginning.tokens;
        let person = |name, token: &str| Person::new(name, token, address.clone());
        Self {
            admin: person("admin", admin),
            isv: person("isv", isv),
            reviewer: person("reviewer", reviewer),
            other_reviewer: person("other-reviewer", other),
            author_and_reviewer: person("author-and-reviewer", both),
            user: person("project-regular", user),
            stranger: person("stranger", stranger),
            workspace: beginning.workspace.clone(),
            project: beginning.project.clone(),
            foreign_workspace: beginning.foreign_workspace.clone(),
            foreign_project: beginning.foreign_project.clone(),
            server,
            _folder: folder,
        }
    }

    /// Waits until auditors see that somebody was refused for this reason, of this account if it is known.
    ///
    /// # Panics
    ///
    /// If they do not see it in time.
    pub async fn refusal_is_recorded(&self, reason: &str, account: Option<&str>) {
        let query = "{ auditTrail(filter: { event: \"SignInRefused\" }, first: 100) { nodes { data } } }";
        let account = account.map(uuid_of);
        let started = Instant::now();
        loop {
            let found = self.admin.ask(query, json!({})).await;
            let is_recorded = list(&found, "/auditTrail/nodes").iter().any(|node| {
                let of = node.pointer("/data/account").and_then(Value::as_str);
                node["data"]["reason"] == reason && of == account.as_deref()
            });
            if is_recorded {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{reason} of {account:?} is not in {found:#}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// `charthouse admin`, beside the server.
    #[must_use]
    pub fn command_line(&self) -> Admin {
        Admin::of(self.server.data())
    }

    #[must_use]
    pub fn nobody(&self) -> Person {
        Person::anonymous(self.server.address())
    }

    pub async fn upload_chart(&self, chart: &Chart) -> String {
        self.isv.upload(&self.workspace, "chart", chart.packed()).await
    }

    /// The isv uploads a chart as a new app.
    pub async fn app(&self, chart: &Chart) -> AppAndVersion {
        let upload = self.upload_chart(chart).await;
        let payload = self
            .isv
            .does("uploadApp", json!({ "workspace": self.workspace, "upload": upload }))
            .await;
        let (app, version) = (text(&payload, "/app/id"), text(&payload, "/app/versions/nodes/0/id"));
        AppAndVersion {
            app: app.to_owned(),
            version: version.to_owned(),
        }
    }

    /// The isv uploads a chart as another version of an app.
    pub async fn version(&self, app: &str, chart: &Chart) -> String {
        let upload = self.upload_chart(chart).await;
        let payload = self
            .isv
            .does("uploadVersion", json!({ "app": app, "upload": upload }))
            .await;
        text(&payload, "/version/id").to_owned()
    }

    /// The isv submits a version.
    pub async fn submit(&self, version: &str) {
        self.isv.does("submitVersion", json!({ "version": version })).await;
    }

    /// The isv submits a version and the reviewer approves it.
    pub async fn approve(&self, version: &str) {
        self.submit(version).await;
        self.reviewer.does("startReview", json!({ "version": version })).await;
        let read = what_was_read(&self.reviewer, version).await;
        self.reviewer.does("approveVersion", read).await;
    }

    /// A draft goes all the way to the store.
    pub async fn publish(&self, version: &str) {
        self.approve(version).await;
        self.isv.does("publishVersion", json!({ "version": version })).await;
    }

    /// An app of the store.
    pub async fn published(&self, chart: &Chart) -> AppAndVersion {
        let app = self.app(chart).await;
        self.publish(&app.version).await;
        app
    }

    /// The user installs a version; the worker may still be at it when this returns.
    pub async fn install(&self, name: &str, version: &str, values: Option<&str>) -> String {
        let input = json!({ "project": self.project, "name": name, "version": version, "values": values });
        text(&self.user.does("installRelease", input).await, "/release/id").to_owned()
    }

    /// How many events there are.
    pub async fn events(&self) -> usize {
        audit_trail(&self.admin).await.len()
    }

    /// Waits until all events so far are signed and published, and returns how many that are.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub async fn all_signed(&self) -> usize {
        let (events, started) = (self.events().await, Instant::now());
        while self.signed().await.is_none_or(|signed| signed < events) {
            assert!(started.elapsed() < PATIENCE, "the log is not published");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        events
    }

    /// How many events the published checkpoint covers.
    async fn signed(&self) -> Option<usize> {
        let checkpoint = self.nobody().get("/log/checkpoint").await.text();
        checkpoint.lines().nth(1)?.parse().ok()
    }
}

/// What a decision has to name, read from the review queue as a reviewer's page would.
///
/// # Panics
///
/// If the version is not in the queue.
pub async fn what_was_read(reviewer: &Person, version: &str) -> Value {
    let query = "{ reviewQueue(first: 100) { nodes { submission version { id packageDigest } listing { digest } } } }";
    let queue = reviewer.ask(query, json!({})).await;
    let entries = list(&queue, "/reviewQueue/nodes");
    let entry = entries
        .iter()
        .find(|entry| entry.pointer("/version/id") == Some(&json!(version)));
    let entry = entry.unwrap_or_else(|| panic!("{version} is not in {queue:#}"));
    json!({
        "version": version,
        "submission": entry["submission"],
        "packageDigest": entry["version"]["packageDigest"],
        "listingDigest": entry["listing"]["digest"],
    })
}

/// The release once nothing of it is under way.
///
/// # Panics
///
/// If that takes too long.
pub async fn settled(person: &Person, release: &str) -> Value {
    settled_within(person, release, PATIENCE).await
}

/// As [`settled`], for whoever has more patience.
///
/// # Panics
///
/// If that takes too long.
pub async fn settled_within(person: &Person, release: &str, patience: Duration) -> Value {
    let query = "query($id: ID!) { release(id: $id) { id name status operation revision \
        wanted { versionNumber values } observed { versionNumber packageDigest values } \
        failure { operation reason isCancelled } \
        revisions { nodes { number cause rollbackTo deployment { versionNumber packageDigest values } manifest \
        requestedBy { name } } } \
        attempts { nodes { operation succeeded isCancelled failure output leftBehind } } } }";
    let started = Instant::now();
    loop {
        let mut answer = person.ask(query, json!({ "id": release })).await;
        if answer["release"]["operation"].is_null() {
            return answer["release"].take();
        }
        assert!(started.elapsed() < patience, "the release is not settled: {answer:#}");
        // The worker is another process's business; it is asked, not outwaited.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every event, the oldest first.
pub async fn audit_trail(auditor: &Person) -> Vec<Value> {
    let query = "query($after: String) { auditTrail(first: 100, after: $after) { \
        nodes { position at event stream revision actor { name } versionNumber data } \
        pageInfo { hasNextPage endCursor } } }";
    let (mut entries, mut after) = (vec![], Value::Null);
    loop {
        let mut answer = auditor.ask(query, json!({ "after": after })).await;
        let page = answer["auditTrail"].take();
        entries.extend_from_slice(list(&page, "/nodes"));
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    entries.reverse();
    entries
}

/// The names of all events, the oldest first.
pub async fn event_names(auditor: &Person) -> Vec<String> {
    audit_trail(auditor)
        .await
        .iter()
        .map(|entry| text(entry, "/event").to_owned())
        .collect()
}

/// Whether nobody answers at an address any more.
pub async fn is_gone(address: &Address) -> bool {
    Client::new().get(address.url("/livez")).send().await.is_err()
}
