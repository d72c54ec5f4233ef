//! Every query, mutation, subscription, upload and download, as everybody: what opens is what `docs/permissions.md` says.
//!
//! The fields come from the schema document and the paths from the router's source: a new one fails until it has an
//! entry here.

mod doors;

use std::{collections::BTreeSet, fs, path::Path};

use harness::{
    Person, Story,
    browser::Browser,
    chart,
    person::{Answer, repeatable},
    picture,
    socket::Socket,
    text,
};
use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};

use self::doors::{
    Door,
    mutations::mutations,
    queries,
    routes::{ELSEWHERE, downloads, uploads},
    subscriptions,
};

/// Where somebody's role is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Platform,
    /// In the workspace that everything here belongs to.
    Here,
    Elsewhere,
    Nowhere,
}

/// Mutations without a command id: what they are given must not be remembered.
const UNREPEATABLE: [&str; 3] = ["signIn", "setPassword", "resetPassword"];

struct Walker {
    person: Person,
    role: &'static str,
    held: Held,
}

/// The tables of the policy's document: permission, role, and whether the permission is the platform's.
struct Policy {
    rows: Vec<(String, BTreeSet<String>, bool)>,
}

impl Policy {
    fn documented() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
        let text = fs::read_to_string(path).expect("the policy is documented");
        let mut rows = vec![];
        for (section, is_platform) in [
            ("## On the platform", true),
            ("## In a workspace", false),
            ("## In a project", false),
        ] {
            let (_, rest) = text.split_once(section).expect("the document has its sections");
            let table = rest.split("\n## ").next().unwrap_or_default();
            let mut lines = table.lines().filter(|line| line.starts_with('|')).map(cells);
            let roles = lines.next().expect("a table has a header");
            for row in lines.skip(1) {
                let allowed = roles.iter().zip(&row).filter(|(_, cell)| cell.as_str() == "yes");
                let allowed = allowed.map(|(role, _)| role.clone()).collect();
                rows.push((row[0].clone(), allowed, is_platform));
            }
        }
        Self { rows }
    }

    fn allows(&self, walker: &Walker, permission: &str) -> bool {
        let row = self.rows.iter().find(|(name, ..)| name == permission);
        let (_, roles, is_platform) = row.unwrap_or_else(|| panic!("{permission} is not documented"));
        if permission == "store.view" {
            return walker.held != Held::Nowhere;
        }
        let is_reached = walker.held == if *is_platform { Held::Platform } else { Held::Here };
        is_reached && roles.contains(walker.role)
    }

    fn opens(&self, walker: &Walker, door: &Door) -> bool {
        let is_signed_in = walker.held != Held::Nowhere;
        door.is_public || is_signed_in && (door.needs.is_empty() || door.needs.iter().any(|it| self.allows(walker, it)))
    }
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// The fields of a type of the schema document.
fn fields(of: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let schema = fs::read_to_string(path).expect("the schema is checked in");
    let start = schema
        .find(&format!("\ntype {of} {{"))
        .expect("the schema has the type");
    let body = schema[start..].split("\n}").next().unwrap_or_default();
    let mut is_text = false;
    let mut found = BTreeSet::new();
    for line in body.lines().skip(2) {
        if line.trim() == "\"\"\"" {
            is_text = !is_text;
        } else if !is_text && line.starts_with('\t') && !line.starts_with("\t\t") {
            let name = line.trim().split(['(', ':']).next().unwrap_or_default();
            if !name.is_empty() && name != ")" {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

/// The paths that the router leads somewhere.
fn routes() -> BTreeSet<String> {
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src/http");
    let files = fs::read_dir(&http).expect("the doors have a folder");
    let mut sources: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    sources.retain(|path| path.is_file());
    sources.push(http.with_extension("rs"));
    let texts = sources
        .iter()
        .map(|path| fs::read_to_string(path).expect("the source can be read"));
    let mut found = BTreeSet::new();
    for text in texts {
        let routes = text.split(".route(").skip(1);
        found.extend(routes.filter_map(|route| route.split('"').nth(1)).map(str::to_owned));
    }
    found
}

async fn walkers(story: &Story) -> Vec<Walker> {
    let admin = story.command_line();
    let here = ["--workspace", "acme"];
    let viewer = admin.person("viewer", &[&["workspace-viewer", here[0], here[1]]]).await;
    let member = admin
        .person("member", &[&["workspace-regular", here[0], here[1]]])
        .await;
    let auditor = admin.person("auditor", &[&["auditor"]]).await;
    let person = |name, token: &str| Person::new(name, token, story.server.address());
    let walker = |person: Person, role, held| Walker { person, role, held };
    vec![
        walker(story.nobody(), "", Held::Nowhere),
        walker(story.stranger.clone(), "workspace-admin", Held::Elsewhere),
        walker(person("viewer", &viewer), "workspace-viewer", Held::Here),
        walker(person("member", &member), "workspace-regular", Held::Here),
        walker(story.isv.clone(), "workspace-admin", Held::Here),
        walker(story.reviewer.clone(), "app-review", Held::Platform),
        walker(story.admin.clone(), "platform-admin", Held::Platform),
        walker(person("auditor", &auditor), "auditor", Held::Platform),
    ]
}

/// What the walk is about: one of each thing.
pub struct World {
    pub workspace: String,
    pub project: String,
    pub draft: String,
    pub draft_version: String,
    pub app: String,
    pub version: String,
    pub submitted: String,
    pub release: String,
    pub category: String,
    pub account: String,
    /// The one that Charthouse brings along.
    pub cluster: String,
    /// An account that nobody walks as, and a session of it.
    pub guest: String,
    pub guest_session: String,
    /// The digest of the draft's listing.
    pub listing: String,
    /// Of an event that is about the workspace.
    pub position: String,
    /// Paths: of the draft's pictures and package, and of what was submitted and published.
    pub icon: String,
    pub screenshot: String,
    pub draft_package: String,
    pub submitted_package: String,
    pub published_icon: String,
    pub published_package: String,
    /// How many events the published log has at least.
    pub signed: usize,
}

/// Gives an app pictures.
async fn adorn(story: &Story, app: &str) {
    let icon = story.isv.upload(&story.workspace, "icon", picture::png(8, 8)).await;
    story.isv.does("setIcon", json!({ "app": app, "upload": icon })).await;
    let shown = story
        .isv
        .upload(&story.workspace, "screenshot", picture::png(80, 60))
        .await;
    let shown = json!({ "app": app, "screenshots": [shown] });
    story.isv.does("editListing", shown).await;
}

const ABOUT: &str = "query($app: ID!, $workspace: ID!, $project: ID!, $published: ID!, $draftVersion: ID!, \
    $submitted: ID!, $version: ID!) { \
    draft: app(id: $app) { draftListing { digest content { iconPath screenshotPaths } } } \
    published: app(id: $published) { listing { content { iconPath } } } \
    draftVersion: version(id: $draftVersion) { packagePath } submitted: version(id: $submitted) { packagePath } \
    version(id: $version) { packagePath } node(id: $project) { ... on Project { cluster { id } } } \
    auditTrail(filter: { app: $app, workspace: $workspace }, first: 1) { nodes { position } } }";

async fn world(story: &Story) -> World {
    let published = story.app(&chart("redis", "11.3.4")).await;
    adorn(story, &published.app).await;
    story.publish(&published.version).await;
    let submitted = story.version(&published.app, &chart("redis", "12.0.0")).await;
    story.submit(&submitted).await;
    let draft = story.app(&chart("valkey", "1.0.0")).await;
    adorn(story, &draft.app).await;
    let release = story.install("cache", &published.version, None).await;
    harness::story::settled(&story.user, &release).await;
    let shelf = json!({ "name": "Databases", "icon": "database" });
    let shelf = story.reviewer.does("createCategory", shelf).await;
    let category = text(&shelf, "/category/id").to_owned();
    let shelved = json!({ "app": published.app, "category": category });
    story.reviewer.does("assignCategory", shelved).await;
    let password = "six kites over slow rivers";
    let guest = json!({ "name": "guest", "password": password });
    let guest = story.admin.does("createAccount", guest).await;
    let signed_in = Browser::new(story.server.address()).sign_in("guest", password).await;
    let signed_in = signed_in.expect("the guest signs in");
    let account = story.admin.ask("{ account(name: \"isv\") { id } }", json!({})).await;
    let about = story.isv.ask(ABOUT, json!({ "app": draft.app, "workspace": story.workspace, "project": story.project,
        "published": published.app, "draftVersion": draft.version, "submitted": submitted, "version": published.version }));
    let about = about.await;
    let said = |pointer: &str| text(&about, pointer).to_owned();
    World {
        workspace: story.workspace.clone(),
        project: story.project.clone(),
        draft: draft.app,
        draft_version: draft.version,
        app: published.app,
        version: published.version,
        submitted,
        release,
        category,
        account: text(&account, "/account/id").to_owned(),
        cluster: said("/node/cluster/id"),
        guest: text(&guest, "/account/id").to_owned(),
        guest_session: text(&signed_in, "/session/id").to_owned(),
        listing: said("/draft/draftListing/digest"),
        position: said("/auditTrail/nodes/0/position"),
        icon: said("/draft/draftListing/content/iconPath"),
        screenshot: said("/draft/draftListing/content/screenshotPaths/0"),
        draft_package: said("/draftVersion/packagePath"),
        submitted_package: said("/submitted/packagePath"),
        published_icon: said("/published/listing/content/iconPath"),
        published_package: said("/version/packagePath"),
        signed: story.all_signed().await,
    }
}

/// Whether an answer shows something: neither an error nor nothing.
fn shows_something(answer: &Value, field: &str) -> bool {
    let found = &answer["data"][field];
    let is_empty = found["nodes"]
        .as_array()
        .or_else(|| found.as_array())
        .is_some_and(Vec::is_empty);
    answer.get("errors").is_none() && !found.is_null() && !is_empty
}

#[tokio::test]
async fn every_query_shows_something_to_whom_the_policy_says_and_nothing_to_others() {
    let story = Story::begin().await;
    let (policy, world, walkers) = (Policy::documented(), world(&story).await, walkers(&story).await);
    let queries = queries(&world);
    let names: BTreeSet<_> = queries.iter().map(|door| door.name.to_owned()).collect();
    assert_eq!(names, fields("Query"), "every query has an entry");
    for door in &queries {
        for walker in &walkers {
            let answer = walker.person.send(&door.document, &json!({})).await.expect("an answer");
            let expected = policy.opens(walker, door);
            let (name, who) = (door.name, walker.person.name);
            assert_eq!(shows_something(&answer, name), expected, "{name} as {who}: {answer:#}");
        }
    }
}

#[tokio::test]
async fn every_mutation_is_forbidden_to_whom_the_policy_does_not_allow_it_and_to_nobody_else() {
    let story = Story::begin().await;
    let (policy, world, walkers) = (Policy::documented(), world(&story).await, walkers(&story).await);
    let mutations = mutations(&world);
    let names: BTreeSet<_> = mutations.iter().map(|door| door.name.to_owned()).collect();
    assert_eq!(names, fields("Mutation"), "every mutation has an entry");
    for door in &mutations {
        for walker in &walkers {
            let (name, who) = (door.name, walker.person.name);
            let input = match UNREPEATABLE.contains(&name) {
                true => (door.input)(who),
                false => repeatable((door.input)(who)),
            };
            let outcome = walker.person.attempt(name, &input).await.expect("an answer");
            let code = outcome.as_ref().err().map_or("", |refusal| refusal.code.as_str());
            let is_kept_out = ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "EXCEEDS_OWN_RIGHTS"].contains(&code);
            let expected = policy.opens(walker, door);
            assert_eq!(!is_kept_out, expected, "{name} as {who}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn every_subscription_says_something_to_whom_the_policy_says_and_nothing_to_others() {
    let story = Story::begin().await;
    let (policy, world, walkers) = (Policy::documented(), world(&story).await, walkers(&story).await);
    let subscriptions = subscriptions(&world);
    let names: BTreeSet<_> = subscriptions.iter().map(|door| door.name.to_owned()).collect();
    assert_eq!(names, fields("Subscription"), "every subscription has an entry");
    for walker in &walkers {
        let mut socket = Socket::open(&walker.person).await;
        for door in &subscriptions {
            let (name, who) = (door.name, walker.person.name);
            socket.asks(name, &door.document).await;
            let said = socket.said_of(name).await.expect("the socket stays open");
            let expected = policy.opens(walker, door);
            let shows = said["type"] == "next" && shows_something(&said["payload"], name);
            assert_eq!(shows, expected, "{name} as {who}: {said:#}");
        }
    }
}

#[tokio::test]
async fn every_path_leads_those_somewhere_whom_the_policy_lets_in_and_nobody_else() {
    let story = Story::begin().await;
    let (policy, world, walkers) = (Policy::documented(), world(&story).await, walkers(&story).await);
    let (uploads, downloads) = (uploads(), downloads(&world));
    let walked = uploads.iter().chain(&downloads).map(|door| door.name).chain(ELSEWHERE);
    assert_eq!(
        walked.map(str::to_owned).collect::<BTreeSet<_>>(),
        routes(),
        "every path has an entry"
    );
    for walker in &walkers {
        let opens = |door: &Door, status: u16| {
            let (expected, who) = (policy.opens(walker, door), walker.person.name);
            assert_eq!(status < 400, expected, "{} as {who}: {status}", door.document);
        };
        for door in &uploads {
            let bytes = match door.document.as_str() {
                "chart" => chart("upload", "1.0.0").packed(),
                _ => picture::png(8, 8),
            };
            let answer = walker.person.post_upload(&world.workspace, &door.document, bytes).await;
            opens(door, answer.status);
        }
        for door in &downloads {
            // As a browser does, so that there is a page to see.
            let request = walker
                .person
                .request(Method::GET, &door.document)
                .header(ACCEPT, "text/html, */*");
            opens(door, Answer::to(request).await.status);
        }
    }
}
