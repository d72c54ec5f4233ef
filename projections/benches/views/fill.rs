//! A log as a busy store leaves it: versions that are handed in, refused, approved and published, and releases of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    app,
    digest::{Digest, Sealed},
    event::{SCHEMA, StoredEvent},
    ids::{AccountId, Actor, AppId, AttemptId, CategoryId, ClusterId, ProjectId, ReleaseId, SubmissionId, WorkspaceId},
    listing::{Listing, Maintainer},
    name, project,
    release::{self, Deployment, OperationKind},
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
    workspace,
};
use eventstore::{Append, Blobs, Context, EventStore, NewEvent, Revision, Write};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

pub(crate) const CATEGORIES: u64 = 12;
const WORKSPACES: u64 = 50;
const VERSIONS: u64 = 10;
const AT_ONCE: usize = 32;
const README_WORDS: u64 = 250;
const WORDS: u64 = 4_000;
const SYLLABLES: [&str; 16] = [
    "ba", "de", "fi", "go", "hu", "ja", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "za",
];

struct Filler {
    log: EventStore,
    blobs: Blobs,
    drawn: AtomicU64,
}

/// Appends the lives of `count` apps, many at once, so that their events are mixed as they are in a log.
pub(crate) async fn apps(log: &EventStore, blobs: &Blobs, count: u64) {
    let filler = Arc::new(Filler {
        log: log.clone(),
        blobs: blobs.clone(),
        drawn: AtomicU64::new(0),
    });
    filler.places().await;
    let (mut lives, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    for n in 0..count {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let filler = Arc::clone(&filler);
        lives.spawn(async move {
            filler.life(n).await;
            drop(place);
        });
    }
    while let Some(lived) = lives.join_next().await {
        lived.unwrap();
    }
}

/// A word that is used the more often the smaller its number is.
pub(crate) fn word(seed: u64) -> String {
    let scattered = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let share = (scattered >> 11) as f64 / (1_u64 << 53) as f64;
    // Squared twice: half of all words are among the first sixteenth of them.
    let number = (share.powi(4) * WORDS as f64) as usize;
    // Three syllables, so that no word is the beginning of another.
    [number % 16, number / 16 % 16, number / 256]
        .map(|syllable| SYLLABLES[syllable])
        .concat()
}

fn text(seed: u64, words: u64) -> String {
    let words: Vec<_> = (0..words)
        .map(|n| word(seed.wrapping_mul(1_000_003).wrapping_add(n)))
        .collect();
    words.join(" ")
}

impl Filler {
    async fn places(&self) {
        for n in 0..WORKSPACES {
            let created = workspace::Event::WorkspaceCreated {
                name: format!("workspace-{n}").parse().unwrap(),
            };
            self.append(n, &format!("workspace-{}", id(n)), 0, &[created]).await;
            let created = project::Event::ProjectCreated {
                workspace: WorkspaceId::from_uuid(id(n)),
                name: "shop".parse().unwrap(),
                cluster: ClusterId::from_uuid(id(0)),
                namespace: format!("shop-{n}").parse().unwrap(),
            };
            self.append(n, &format!("project-{}", id(n)), 0, &[created]).await;
        }
    }

    async fn life(&self, n: u64) {
        let (stream, chart) = (format!("app-{}", AppId::from_uuid(id(n))), format!("chart-{n}"));
        let taken = name::Event::NameTaken { holder: stream.clone() };
        self.append(n, &format!("name-chart-{chart}"), 0, &[taken]).await;
        let listing = self.listing(n, 0).await;
        let mut life = vec![
            app::Event::AppUploaded {
                workspace: WorkspaceId::from_uuid(id(n % WORKSPACES)),
                chart: chart.parse().unwrap(),
                listing,
            },
            app::Event::CategoryAssigned {
                category: (!n.is_multiple_of(10)).then(|| CategoryId::from_uuid(id(n % CATEGORIES))),
            },
        ];
        let mut revision = 0;
        for v in 0..VERSIONS {
            life.extend(self.version(n, v, &chart).await);
            self.append(n, &stream, revision, &life).await;
            revision += life.len() as u64;
            life.clear();
            self.release(n, v).await;
        }
    }

    async fn version(&self, n: u64, v: u64, chart: &str) -> Vec<app::Event> {
        let version: VersionNumber = format!("{}.{}.0", 1 + v / 4, v % 4).parse().unwrap();
        let (package, listing) = (self.package(n, v, chart).await, self.listing(n, v / 3).await);
        let digest = package.digest;
        let mut events = vec![app::Event::VersionUploaded {
            version: version.clone(),
            package,
        }];
        let review = |attempt: u64| {
            let submission = SubmissionId::from_uuid(id((n * VERSIONS + v) * 2 + attempt));
            let submitted = app::Event::VersionSubmitted {
                version: version.clone(),
                submission,
                digest,
                listing,
                policy: Digest::from_bytes([9; 32]),
                review: Some(ReviewPolicy::default()),
            };
            let started = app::Event::ReviewStarted {
                version: version.clone(),
                submission,
            };
            (submission, [submitted, started])
        };
        if (n + v).is_multiple_of(3) {
            let (submission, begun) = review(0);
            events.extend(begun);
            events.push(app::Event::VersionRejected {
                version: version.clone(),
                submission,
                digest,
                listing,
                reason: sealed(n),
                terms: None,
            });
        }
        let (submission, begun) = review(1);
        events.extend(begun);
        events.push(app::Event::VersionApproved {
            version: version.clone(),
            submission,
            digest,
            listing,
            terms: None,
        });
        events.push(app::Event::PublishedToStore {
            version,
            submission,
            digest,
            listing,
        });
        events
    }

    async fn release(&self, n: u64, v: u64) {
        let number = n * VERSIONS + v;
        let stream = format!("release-{}", ReleaseId::from_uuid(id(number)));
        let version: VersionNumber = format!("{}.{}.0", 1 + v / 4, v % 4).parse().unwrap();
        let (digest, attempt) = (digest(number), AttemptId::from_uuid(id(number)));
        let requested = release::Event::InstallRequested {
            app: AppId::from_uuid(id(n)),
            project: ProjectId::from_uuid(id(n % WORKSPACES)),
            name: format!("release-{number}").parse().unwrap(),
            deployment: Deployment {
                version: version.clone(),
                digest,
                values: Some(sealed(number)),
            },
        };
        let operation = OperationKind::Install;
        let started = release::Event::OperationStarted {
            operation,
            attempt,
            worker: None,
        };
        let installed = release::Event::ReleaseInstalled {
            attempt,
            version,
            digest,
            manifest: sealed(number),
            output: sealed(number),
        };
        self.append(n, &stream, 0, &[requested, started, installed]).await;
    }

    async fn listing(&self, n: u64, edition: u64) -> Digest {
        let seed = n * 100 + edition;
        let listing = Listing {
            display_name: format!("{} {n}", word(seed)),
            summary: text(seed, 12),
            description: text(seed + 50, 80),
            keywords: (0..5).map(|k| word(seed + k)).collect(),
            maintainers: vec![Maintainer {
                name: format!("Person {}", n % 100),
                email: None,
                url: None,
            }],
            ..Listing::default()
        };
        self.put(&serde_json::to_value(listing).unwrap()).await
    }

    async fn package(&self, n: u64, v: u64, chart: &str) -> app::Package {
        let readme = format!("# {chart}\n\n{}\n\n{}", text(n, README_WORDS), text(n * 100 + v, 20));
        let metadata =
            json!({ "name": chart, "version": format!("{v}.0.0"), "appVersion": "7.2.4", "description": text(n, 10) });
        let document = json!({ "metadata": metadata, "readme": readme, "values": text(n, 60), "files": [] });
        app::Package {
            digest: digest(n * VERSIONS + v),
            chart: self.put(&document).await,
            size: "31415".to_owned(),
        }
    }

    /// An id like no other.
    fn draw(&self) -> Uuid {
        id(1 << 40 | self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    async fn put(&self, document: &serde_json::Value) -> Digest {
        let kept = self.blobs.put(document.to_string().into()).await.unwrap();
        Digest::from_bytes(*kept.as_bytes())
    }

    async fn append(&self, by: u64, stream: &str, revision: u64, events: &[impl StoredEvent]) {
        let stored = events.iter().map(|event| {
            let stored = event.store().unwrap();
            NewEvent {
                id: self.draw(),
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
        let append = Append {
            writes: vec![write],
            guards: vec![],
            context: Context {
                actor: Actor::Account(AccountId::from_uuid(id(by % 200))).to_string(),
                command: None,
                correlation_id: self.draw(),
                causation_id: None,
            },
        };
        self.log.append(append).await.unwrap();
    }
}

pub(crate) fn id(n: u64) -> Uuid {
    uuid::Builder::from_custom_bytes(u128::from(n).to_be_bytes()).into_uuid()
}

fn digest(n: u64) -> Digest {
    Digest::from_bytes(*eventstore::Digest::of(&n.to_be_bytes()).as_bytes())
}

fn sealed(n: u64) -> Sealed {
    Sealed {
        subject: format!("release-{}", id(n)),
        digest: digest(n),
    }
}
