//! A data folder with many decisions, written without the commands that would have left them.

use std::path::Path;

use domain::{
    account, app,
    digest::{Digest, Sealed},
    event::{SCHEMA, StoredEvent},
    ids::{AccountId, Actor, AppId, SubmissionId, TokenId, WorkspaceId},
    review_policy::ReviewPolicy,
    role, workspace,
};
use eventstore::{Append, Blobs, Context, EventStore, MasterKey, Mode, NewEvent, Revision, Vault, Write};
use futures_util::future::join_all;
use uuid::Uuid;

const TOKEN: &str = "charthouse_a-token-for-a-benchmark";
const DECISIONS_PER_APP: u64 = 100;
const WORKSPACES: u128 = 10;
const REVIEWERS: u128 = 10;
const AUTHOR: u128 = 1_000;
const REASON: &str = "The README does not say which ports are open, and values.yaml has a password in it. Please correct both, and submit it again.";

struct Filler {
    store: EventStore,
    vault: Vault,
    policy: Digest,
    drawn: u128,
}

/// Makes the folder, and answers the token of an auditor.
pub(crate) async fn decisions(data: &Path, count: u64) -> &'static str {
    std::fs::create_dir_all(data.join("keys")).unwrap();
    let mut filler = Filler::open(data).await;
    filler.people().await;
    filler.apps(0, count).await;
    TOKEN
}

/// Adds `count` decisions to a folder that has `before` of them.
pub(crate) async fn more_decisions(data: &Path, before: u64, count: u64) {
    let mut filler = Filler::open(data).await;
    filler.drawn = 1 << 64;
    filler.apps(before.div_ceil(DECISIONS_PER_APP), count).await;
}

impl Filler {
    async fn open(data: &Path) -> Self {
        let url = format!("sqlite://{}", data.join("log.db").display());
        let store = EventStore::open(&url, Mode::Append).await.unwrap();
        let master = MasterKey::from_file(&data.join("keys/master.key")).unwrap();
        let blobs = Blobs::open(&data.join("blobs")).unwrap();
        let policy = serde_json_canonicalizer::to_vec(&ReviewPolicy::default()).unwrap();
        let policy = blobs.put(policy.into()).await.unwrap();
        Self {
            vault: Vault::open(&store, master).await.unwrap(),
            store,
            policy: Digest::from_bytes(*policy.as_bytes()),
            drawn: 0,
        }
    }

    /// So many decisions on apps from the one numbered `first` on. Nothing can be added after it.
    async fn apps(&mut self, first: u64, count: u64) {
        for n in 0..count.div_ceil(DECISIONS_PER_APP) {
            let decisions = DECISIONS_PER_APP.min(count - n * DECISIONS_PER_APP);
            self.app(u128::from(first + n), decisions).await;
        }
        self.store.close().await;
    }

    async fn people(&mut self) {
        let role = "app-review".parse().unwrap();
        let permissions = role::bundle("app-store-management").unwrap().iter().copied().collect();
        let defined = role::Event::RoleDefined {
            role,
            workspace: None,
            permissions,
        };
        self.append(None, "role-app-review", vec![defined]).await;
        for n in 0..WORKSPACES {
            let name = format!("workspace-{n}").parse().unwrap();
            let created = workspace::Event::WorkspaceCreated { name };
            self.append(None, &format!("workspace-{}", id(n)), vec![created]).await;
        }
        for n in (0..REVIEWERS).chain([AUTHOR]) {
            let role = if n == AUTHOR { "auditor" } else { "app-review" };
            let stream = format!("account-{}", id(n));
            let events = vec![
                account::Event::AccountCreated {
                    name: self.seal(&stream, &format!("Reviewer Number {n}")).await,
                },
                account::Event::RoleGranted {
                    role: role.parse().unwrap(),
                    scope: account::Scope::Platform {},
                },
            ];
            self.append(None, &stream, events).await;
        }
        let issued = account::Event::TokenIssued {
            token: TokenId::from_uuid(id(1)),
            secret: Digest::from_bytes(*eventstore::Digest::of(TOKEN.as_bytes()).as_bytes()),
            name: None,
            permissions: None,
            expires: None,
        };
        let stream = format!("account-{}", id(AUTHOR));
        self.append_at(2, None, &stream, vec![issued]).await;
    }

    /// An app whose versions were all submitted by its author, and then decided about by one reviewer.
    async fn app(&mut self, n: u128, decisions: u64) {
        let (app, listing) = (AppId::from_uuid(id(n)), digest(n));
        let stream = format!("app-{app}");
        let mut submitted = vec![app::Event::AppUploaded {
            workspace: WorkspaceId::from_uuid(id(n % WORKSPACES)),
            chart: format!("chart-{n}").parse().unwrap(),
            listing,
        }];
        let reasons = join_all((0..decisions).map(|_| self.seal(&stream, REASON))).await;
        let mut decided = vec![];
        for (version, reason) in (0..).zip(reasons) {
            let number: domain::version_number::VersionNumber = format!("1.{version}.0").parse().unwrap();
            let submission = SubmissionId::from_uuid(id(n << 32 | version));
            let package = digest(n << 32 | version);
            submitted.push(app::Event::VersionUploaded {
                version: number.clone(),
                package: app::Package {
                    digest: package,
                    chart: package,
                    size: "1000".to_owned(),
                },
            });
            submitted.push(app::Event::VersionSubmitted {
                version: number.clone(),
                submission,
                digest: package,
                listing,
                policy: self.policy,
                review: None,
            });
            decided.push(app::Event::ReviewStarted {
                version: number.clone(),
                submission,
            });
            decided.push(match version % 2 {
                0 => app::Event::VersionApproved {
                    version: number,
                    submission,
                    digest: package,
                    listing,
                    terms: None,
                },
                _ => app::Event::VersionRejected {
                    version: number,
                    submission,
                    digest: package,
                    listing,
                    reason,
                    terms: None,
                },
            });
        }
        let revision = submitted.len() as u64;
        self.append(Some(AUTHOR), &stream, submitted).await;
        self.append_at(revision, Some(n % REVIEWERS), &stream, decided).await;
    }

    async fn seal(&self, subject: &str, text: &str) -> Sealed {
        let sealed = self.vault.seal(subject, text.as_bytes()).await.unwrap();
        Sealed {
            subject: sealed.subject,
            digest: Digest::from_bytes(*sealed.digest.as_bytes()),
        }
    }

    async fn append(&mut self, by: Option<u128>, stream: &str, events: Vec<impl StoredEvent>) {
        self.append_at(0, by, stream, events).await;
    }

    async fn append_at(&mut self, revision: u64, by: Option<u128>, stream: &str, events: Vec<impl StoredEvent>) {
        let stored = events.into_iter().map(|event| {
            let stored = event.store().unwrap();
            self.drawn += 1;
            NewEvent {
                id: id(1 << 100 | self.drawn),
                name: stored.name,
                schema: SCHEMA,
                data: stored.data,
            }
        });
        let write = Write {
            stream: stream.parse().unwrap(),
            expected: Revision::new(revision),
            events: stored.collect(),
        };
        let by = by.map_or(Actor::System, |by| Actor::Account(AccountId::from_uuid(id(by))));
        let append = Append {
            writes: vec![write],
            guards: vec![],
            context: Context {
                actor: by.to_string(),
                command: None,
                correlation_id: id(2 << 100 | self.drawn),
                causation_id: None,
            },
        };
        self.store.append(append).await.unwrap();
    }
}

fn id(n: u128) -> Uuid {
    // A version and a variant make it an id like others.
    uuid::Builder::from_custom_bytes(n.to_be_bytes()).into_uuid()
}

fn digest(n: u128) -> Digest {
    Digest::from_bytes(*eventstore::Digest::of(&n.to_be_bytes()).as_bytes())
}
