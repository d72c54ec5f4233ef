//! An answer takes as many statements as its document has steps, and not as many as it has rows.

use async_graphql::{Request, Variables};
use domain::{
    account::{self, Scope},
    app, category, cluster,
    digest::{Digest, Sealed},
    event::{SCHEMA, StoredEvent},
    health::{self, Health},
    ids::{AccountId, Actor, AppId, AttemptId, CategoryId, ClusterId, ProjectId, ReleaseId, SubmissionId, WorkspaceId},
    project,
    release::{self, Deployment, OperationKind},
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
    workspace,
};
use eventstore::{Append, Context, NewEvent, Revision, Write};
use projections::Asked;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Fixture, token_id};
use crate::{auth::Credentials, graphql::NodeId, ids};

const APPS: u128 = 20;
const VERSIONS: u128 = 4;

/// What is asked, with the list whose rows are counted.
const QUERIES: &[(&str, &str)] = &[
    (
        "/apps/nodes",
        "query ($first: Int!, $workspace: ID!) { apps(workspace: $workspace, first: $first) { nodes {
            chartName category { name apps } latestVersion { number app { chartName } } workspace { name }
            listing { digest removal { at } }
            versions(first: 3) { nodes {
                number stage uploadedBy { name } removal { at } app { chartName }
                submission { submittedBy { name } } decision { by { name } } } } } } }",
    ),
    (
        "/store/nodes",
        "query ($first: Int!) { store(first: $first, sort: NAME) {
            nodes { displayName updatedAt category { name apps } app { chartName workspace { name } }
                    latestVersion { number app { chartName } } }
            facets { apps category { name } } } }",
    ),
    (
        "/store/nodes",
        "query ($first: Int!, $asOf: AsOf!) { store(first: $first, asOf: $asOf, search: \"chart\") {
            nodes { displayName category { name apps } app { chartName versions(first: 2) { nodes { number } } }
                    latestVersion { number } }
            facets { apps } } }",
    ),
    (
        "/reviewQueue/nodes",
        "query ($first: Int!) { reviewQueue(first: $first) { nodes {
            app { chartName latestVersion { number } } version { number uploadedBy { name } } listing { removal { at } }
            submittedBy { name } reviewer { name } } } }",
    ),
    (
        "/auditTrail/nodes",
        "query ($first: Int!) { auditTrail(first: $first) { nodes {
            event commandId leafHash actor { name } workspace { name } app { chartName category { name } }
            release { name app { chartName } } action { event actor { name } } consequences { event } } } }",
    ),
    (
        "/decisions/nodes",
        "query ($first: Int!) { decisions(first: $first) { nodes {
            reviewer { name } reason app { chartName category { name } } } } }",
    ),
    (
        "/releases/nodes",
        "query ($first: Int!, $project: ID!) { releases(project: $project, first: $first) { nodes {
            name app { chartName latestVersion { number } }
            health { status since } project { name cluster { name } workspace { name } }
            revisions(first: 2) { nodes { number requestedBy { name } } }
            attempts(first: 2) { nodes { startedAt } } } } }",
    ),
    (
        "/workspace/members/nodes",
        "query ($first: Int!) { workspace(name: \"everybody\") { members(first: $first) { nodes { account { name } } } } }",
    ),
];

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn digest(n: u128) -> Digest {
    Digest::from_bytes(*eventstore::Digest::of(&n.to_be_bytes()).as_bytes())
}

fn number(n: u128) -> VersionNumber {
    format!("1.{n}.0").parse().unwrap()
}

impl Fixture {
    async fn record(&self, by: u128, stream: &str, events: Vec<impl StoredEvent>) {
        let stored = events.into_iter().map(|event| {
            let stored = event.store().unwrap();
            NewEvent {
                id: ids::fresh(),
                name: stored.name,
                schema: SCHEMA,
                data: stored.data,
            }
        });
        let stream = stream.parse().unwrap();
        let before = self.services.log.read_stream(&stream, Revision::NONE).await.unwrap();
        let write = Write {
            stream,
            expected: Revision::new(before.len() as u64),
            events: stored.collect(),
        };
        let context = Context {
            actor: Actor::Account(AccountId::from_uuid(id(by))).to_string(),
            command: None,
            correlation_id: ids::fresh(),
            causation_id: None,
        };
        let (writes, guards) = (vec![write], vec![]);
        let append = Append {
            writes,
            guards,
            context,
        };
        self.services.log.append(append).await.unwrap();
    }

    /// Twenty of everything, each with its own author, reviewer and shelf.
    async fn furnished() -> (Self, Credentials) {
        let server = Self::new().await;
        let credentials = server.token(token_id(1), "one").await;
        let workspace = WorkspaceId::from_uuid(id(1));
        let created = workspace::Event::WorkspaceCreated {
            name: "everybody".parse().unwrap(),
        };
        server.record(1, &format!("workspace-{workspace}"), vec![created]).await;
        let kind = cluster::Kind::Directory;
        let registered = cluster::Event::ClusterRegistered {
            name: "far".parse().unwrap(),
            kind,
            kubernetes: None,
        };
        let cluster = ClusterId::from_uuid(id(1));
        server.record(1, &format!("cluster-{cluster}"), vec![registered]).await;
        let project = project::Event::ProjectCreated {
            workspace,
            name: "shop".parse().unwrap(),
            cluster,
            namespace: "shop".parse().unwrap(),
        };
        server.record(1, &format!("project-{}", id(1)), vec![project]).await;
        let roles = [
            ("platform-admin", Scope::Platform {}),
            ("workspace-admin", Scope::Workspace { workspace }),
        ];
        let granted = roles.map(|(role, scope)| account::Event::RoleGranted {
            role: role.parse().unwrap(),
            scope,
        });
        let stream = format!("account-{}", server.auditor);
        server.record(1, &stream, granted.into()).await;
        for n in 1..=APPS {
            server.person(n, workspace).await;
            server.app(n, workspace).await;
            server.release(n).await;
        }
        let size = server.services.log.head().await.unwrap().size;
        server.services.views.reached(size).await;
        (server, credentials)
    }

    async fn seal(&self, subject: &str, text: &str) -> Sealed {
        self.services.vault.seal(subject, text).await.unwrap()
    }

    async fn person(&self, n: u128, workspace: WorkspaceId) {
        let stream = format!("account-{}", AccountId::from_uuid(id(n)));
        let name = self.seal(&stream, &format!("Person {n}")).await;
        let events = vec![
            account::Event::AccountCreated { name },
            account::Event::RoleGranted {
                role: "workspace-regular".parse().unwrap(),
                scope: Scope::Workspace { workspace },
            },
        ];
        self.record(n, &stream, events).await;
    }

    /// One version in the store, one rejected, and the others waiting.
    async fn app(&self, n: u128, workspace: WorkspaceId) {
        let (category, listing) = (CategoryId::from_uuid(id(n)), digest(n));
        let created = category::Event::CategoryCreated {
            name: format!("Shelf {n}").parse().unwrap(),
            icon: "box".parse().unwrap(),
        };
        self.record(n, &format!("category-{category}"), vec![created]).await;
        let stream = format!("app-{}", AppId::from_uuid(id(n)));
        let reason = self.seal(&stream, "No README.").await;
        let chart = format!("chart-{n}").parse().unwrap();
        let mut events = vec![
            app::Event::AppUploaded {
                workspace,
                chart,
                listing,
            },
            app::Event::CategoryAssigned {
                category: Some(category),
            },
        ];
        for v in 0..VERSIONS {
            events.extend(handed_in(n, v, listing));
        }
        self.record(n, &stream, events).await;
        let (submission, version, digest) = (submission(n, 0), number(0), digest(n * 100));
        let approved = app::Event::VersionApproved {
            version: version.clone(),
            submission,
            digest,
            listing,
            terms: None,
        };
        let rejected = app::Event::VersionRejected {
            version: number(1),
            submission: self::submission(n, 1),
            digest: self::digest(n * 100 + 1),
            listing,
            reason,
            terms: None,
        };
        let published = app::Event::PublishedToStore {
            version,
            submission,
            digest,
            listing,
        };
        self.record(APPS + 1 - n, &stream, vec![approved, rejected, published])
            .await;
    }

    async fn release(&self, n: u128) {
        let stream = format!("release-{}", ReleaseId::from_uuid(id(n)));
        let (output, attempt) = (self.seal(&stream, "done").await, AttemptId::from_uuid(id(n)));
        let (version, digest) = (number(0), digest(n * 100));
        let requested = release::Event::InstallRequested {
            app: AppId::from_uuid(id(n)),
            project: ProjectId::from_uuid(id(1)),
            name: format!("release-{n}").parse().unwrap(),
            deployment: Deployment {
                version: version.clone(),
                digest,
                values: None,
            },
        };
        let operation = OperationKind::Install;
        let installed = release::Event::ReleaseInstalled {
            attempt,
            version,
            digest,
            manifest: output.clone(),
            output,
        };
        let events = vec![
            requested,
            release::Event::OperationStarted {
                operation,
                attempt,
                worker: None,
            },
            installed,
        ];
        self.record(n, &stream, events).await;
        let found = health::Event::HealthChanged {
            health: Health::Ready,
            findings: None,
        };
        let observed = format!("health-{}", ReleaseId::from_uuid(id(n)));
        self.record(n, &observed, vec![found]).await;
    }

    /// What an answer took, and how many rows it had.
    async fn cost(&self, credentials: Credentials, query: &str, list: &str, first: u128) -> (Asked, usize) {
        let position = self.services.views.position() - 1;
        let variables = json!({
            "first": first as u64,
            "workspace": async_graphql::ID::from(NodeId::Workspace(WorkspaceId::from_uuid(id(1)))).to_string(),
            "project": async_graphql::ID::from(NodeId::Project(ProjectId::from_uuid(id(1)))).to_string(),
            "asOf": { "position": position.to_string() },
        });
        let request = Request::new(query)
            .variables(Variables::from_json(variables))
            .data(credentials);
        let before = self.services.views.asked();
        let answer = self.schema.execute(request).await;
        let after = self.services.views.asked();
        assert_eq!(answer.errors, vec![], "{query}");
        let data: Value = serde_json::to_value(answer.data).unwrap();
        let rows = data.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        let asked = Asked {
            questions: after.questions - before.questions,
            statements: after.statements - before.statements,
        };
        (asked, rows)
    }
}

fn submission(n: u128, version: u128) -> SubmissionId {
    SubmissionId::from_uuid(id(n * 100 + version))
}

fn handed_in(n: u128, v: u128, listing: Digest) -> Vec<app::Event> {
    let (version, submission) = (number(v), submission(n, v));
    let package = digest(n * 100 + v);
    vec![
        app::Event::VersionUploaded {
            version: version.clone(),
            package: app::Package {
                digest: package,
                chart: package,
                size: "1000".to_owned(),
            },
        },
        app::Event::VersionSubmitted {
            version: version.clone(),
            submission,
            digest: package,
            listing,
            policy: digest(0),
            review: Some(ReviewPolicy::default()),
        },
        app::Event::ReviewStarted { version, submission },
    ]
}

#[tokio::test]
async fn more_rows_take_no_more_statements() {
    let (server, credentials) = Fixture::furnished().await;
    for (list, query) in QUERIES {
        let (few, three) = server.cost(credentials, query, list, 3).await;
        let (many, twenty) = server.cost(credentials, query, list, APPS).await;
        assert_eq!((three, twenty), (3, 20), "rows of {list}");
        // Steps that do not wait for each other may fall together or not, as their answers come. A statement for each of
        // the other rows would be seventeen.
        let more = many.statements.saturating_sub(few.statements);
        assert!(more < 8, "{few:?}, then {many:?} for {list} of {query}");
        assert!(few.statements > 1 && few.statements < 60, "{few:?} for {list}");
    }
}
