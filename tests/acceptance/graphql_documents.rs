//! The schema and the operations of the guide, as other people's programs read them.

use std::{collections::HashMap, env, fs, path::Path};

use harness::{
    Person, Server,
    admin::Admin,
    chart,
    examples::{self, Example, Guide},
    graphql_testers::Workbench,
    helm::Helm,
    program,
    story::{audit_trail, settled},
    text,
};
use serde_json::{Map, Value, json};

const GUIDE: &str = "queries.md";
const BLESS: &str = "CHARTHOUSE_BLESS";

/// What was promised: the schema of the last release, and what was added to it since by `make promise`.
fn promised() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/schema.graphql");
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn nothing_that_was_promised_of_the_schema_is_broken() {
    let bench = Workbench::new();
    bench.put("promised.graphql", &promised());
    let diff = ["diff", "promised.graphql", "schema.graphql"];
    bench.run("graphql-inspector", &diff).await.unwrap_or_else(|said| {
        panic!("{said}\nDeprecate what shall go, and keep it until a release says that it is gone")
    });
}

#[tokio::test]
async fn a_change_that_would_break_clients_is_found() {
    let bench = Workbench::new();
    let schema = promised();
    for (what, before, after) in [
        ("a field that is gone", "uncategorisedApps: Int!", "others: Int!"),
        ("a type that is another", "apps: Int!", "apps: String!"),
        (
            "an argument that is demanded",
            "node(id: ID!): Node",
            "node(id: ID!, shelf: ID!): Node",
        ),
    ] {
        let broken = schema.replacen(before, after, 1);
        assert_ne!(broken, schema, "{what}");
        bench.put("promised.graphql", &schema);
        bench.put("broken.graphql", &broken);
        let diff = ["diff", "promised.graphql", "broken.graphql"];
        let said = bench.run("graphql-inspector", &diff).await.expect_err(what);
        assert!(said.contains("breaking"), "{what}: {said}");
    }
}

/// A bench with the operations of the guide, each in a file of its own.
fn with_documents() -> Workbench {
    let bench = Workbench::new();
    for Example { name, document, .. } in Guide::read(GUIDE).examples() {
        bench.put(&format!("documents/{name}.graphql"), document);
    }
    bench
}

#[tokio::test]
async fn graphql_eslint_finds_nothing_in_the_schema_and_the_guide() {
    let bench = with_documents();
    let arguments = ["--max-warnings=0", "schema.graphql", "documents"];
    bench
        .run("eslint", &arguments)
        .await
        .unwrap_or_else(|said| panic!("{said}"));
}

#[tokio::test]
async fn the_relay_compiler_understands_nodes_and_connections() {
    let bench = Workbench::new();
    bench
        .run::<&str>("relay-compiler", &[])
        .await
        .unwrap_or_else(|said| panic!("{said}"));
    assert!(
        bench
            .path("relay/__generated__/StorePaginationQuery.graphql.js")
            .is_file()
    );
}

#[tokio::test]
async fn a_program_with_generated_types_compiles_and_reads_the_store() {
    let bench = with_documents();
    let generate = ["--config", "codegen.config.mjs"];
    let compiled = async {
        bench.run("graphql-codegen", &generate).await?;
        bench.run::<&str>("tsc", &[]).await
    };
    compiled.await.unwrap_or_else(|said| panic!("{said}"));
    let demo = Demo::play().await;
    let arguments = ["client.ts", &demo.user.url("/graphql"), demo.user.token()];
    assert_eq!(bench.run("node", &arguments).await.unwrap(), "Redis 12.0.0\n");
}

#[tokio::test]
async fn the_guides_operations_are_answered_as_it_shows() {
    let (guide, mut demo, bench) = (Guide::read(GUIDE), Demo::play().await, Workbench::new());
    let mut answers = vec![];
    for example in guide.examples() {
        let answer = demo.run(example, &bench).await;
        let shown = examples::shown(&answer);
        if env::var_os(BLESS).is_none() {
            let expected = example.answer.as_deref().unwrap_or_default();
            assert_eq!(
                shown, expected,
                "{}: if this is right, bless it with {BLESS}=1",
                example.name
            );
        }
        demo.learn(&example.name, &answer).await;
        answers.push(shown);
    }
    if env::var_os(BLESS).is_some() {
        guide.bless(&answers);
    }
}

/// A server where the demo was played, and what is known of it so far.
struct Demo {
    isv: Person,
    reviewer: Person,
    user: Person,
    admin: Person,
    /// The values of variables, by their names.
    known: HashMap<&'static str, String>,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Demo {
    async fn play() -> Self {
        Helm::installed().await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut play = program::command();
        play.args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data);
        let played = play.output().await.unwrap();
        assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
        let tokens = Admin::of(&data);
        let server = Server::start(&data).await;
        let mut people = vec![];
        for name in ["isv", "reviewer", "project-regular", "admin"] {
            people.push(Person::new(name, &tokens.token(name).await, server.address()));
        }
        let [isv, reviewer, user, admin] = people.try_into().ok().unwrap();
        let rejected = audit_trail(&admin).await;
        let rejected = rejected
            .iter()
            .find(|entry| entry["event"] == "VersionRejected")
            .unwrap();
        Self {
            known: HashMap::from([("then", text(rejected, "/position").to_owned())]),
            isv,
            reviewer,
            user,
            admin,
            _server: server,
            _folder: folder,
        }
    }

    fn asks(&self, name: &str) -> &Person {
        match name {
            "UploadVersion" | "SubmitVersion" | "PublishVersion" | "SubmitPublishedVersion" => &self.isv,
            "ReviewQueue" | "StartReview" | "ApproveVersion" | "ReviewQueueChanged" => &self.reviewer,
            "Trail" | "Decisions" | "Why" | "StoreThen" | "Events" => &self.admin,
            _ => &self.user,
        }
    }

    async fn run(&self, example: &Example, bench: &Workbench) -> Value {
        let (person, document) = (self.asks(&example.name), &example.document);
        let wanted = self
            .known
            .iter()
            .filter(|(name, _)| document.contains(&format!("${name}:")));
        let variables: Map<_, _> = wanted.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let variables = Value::Object(variables);
        if !document.starts_with("subscription") {
            return person.send(document, &variables).await.unwrap();
        }
        let url = person.url("/graphql/ws").replacen("http", "ws", 1);
        let arguments = ["ask.mjs", &url, person.token(), "1", document, &variables.to_string()];
        let said = bench.run("node", &arguments).await.unwrap();
        serde_json::from_str(&said).unwrap()
    }

    /// What later operations need.
    async fn learn(&mut self, name: &str, answer: &Value) {
        let learned: &[(&'static str, &str)] = match name {
            "BrowseStore" => &[("app", "/data/store/nodes/0/app/id")],
            "ReadApp" => &[
                ("version", "/data/app/versions/nodes/0/id"),
                ("older", "/data/app/versions/nodes/1/id"),
            ],
            "UploadVersion" => &[("version", "/data/uploadVersion/version/id")],
            "SubmitVersion" => &[("position", "/data/submitVersion/position")],
            "ReviewQueue" => &[
                ("submission", "/data/reviewQueue/nodes/0/submission"),
                ("packageDigest", "/data/reviewQueue/nodes/0/version/packageDigest"),
                ("listingDigest", "/data/reviewQueue/nodes/0/listing/digest"),
            ],
            "Projects" => &[("project", "/data/viewer/projects/0/id")],
            "InstallRelease" => &[("release", "/data/installRelease/release/id")],
            _ => &[],
        };
        for (name, pointer) in learned {
            self.known.insert(name, text(answer, pointer).to_owned());
        }
        match name {
            "ReadVersion" => {
                let viewer = self.isv.ask("{ viewer { workspaces { id } } }", json!({})).await;
                let workspace = text(&viewer, "/viewer/workspaces/0/id");
                let upload = self.isv.upload(workspace, "chart", chart("redis", "12.1.0").packed());
                self.known.insert("upload", upload.await);
            }
            "InstallRelease" | "UpgradeRelease" => {
                settled(&self.user, &self.known["release"]).await;
            }
            _ => {}
        }
    }
}
