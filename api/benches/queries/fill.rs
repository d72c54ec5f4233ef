//! A store as it is after years: thousands of apps, with the whole history of their versions.

use std::{path::Path, sync::Arc};

use domain::{
    account, app, category,
    digest::Digest,
    ids::{AppId, CategoryId, SubmissionId, WorkspaceId},
    listing::Listing,
    role,
    version_number::VersionNumber,
    workspace,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::filler::{Filler, digest, id};

pub(crate) const TOKEN: &str = "charthouse_a-token-for-a-benchmark";
pub(crate) const CATEGORIES: u128 = 10;
/// Apps with very many versions; as many with few. The newest version of each is a draft that clients submit and withdraw.
pub(crate) const COMMANDED: u128 = 64;
/// Apps whose newest version waits for a review.
const QUEUED: u128 = 500;
const WORKSPACES: u128 = 10;
const REVIEWERS: u128 = 10;
const AUTHOR: u128 = 1_000;
/// How often a version was submitted and withdrawn before it was reviewed.
const WITHDRAWALS: usize = 2;
const EVENTS_AT_ONCE: usize = 1_000;
const TASKS: usize = 32;

/// How much there is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) apps: u128,
    /// Versions of an app that has very many.
    pub(crate) long: u32,
}

impl Size {
    /// The others share what is left of ten for each app.
    pub(crate) const fn versions(self, app: u128) -> u32 {
        if app < COMMANDED {
            return self.long;
        }
        let left = (self.apps * 10).saturating_sub(COMMANDED * self.long as u128);
        let share = left / (self.apps - COMMANDED);
        let rest = left % (self.apps - COMMANDED);
        let versions = share + if app - COMMANDED < rest { 1 } else { 0 };
        if versions < 2 { 2 } else { versions as u32 }
    }

    /// The version that clients submit and withdraw.
    pub(crate) fn draft(self, app: u128) -> VersionNumber {
        number(self.versions(app) - 1)
    }
}

struct Store {
    filler: Filler,
    size: Size,
    policy: Digest,
}

/// Makes the folder.
pub(crate) async fn store(data: &Path, size: Size) {
    let filler = Filler::open(data).await;
    let policy = filler.policy().await;
    let store = Arc::new(Store { filler, size, policy });
    store.people().await;
    let apps = stream::iter(0..size.apps).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.app(n).await })
    });
    apps.buffer_unordered(TASKS)
        .for_each(|done| async move { done.unwrap() })
        .await;
    store.categories().await;
    if let Some(store) = Arc::into_inner(store) {
        store.filler.close().await;
    }
}

impl Store {
    async fn people(&self) {
        let permissions = role::bundle("app-store-management").unwrap().iter().copied().collect();
        let defined = role::Event::RoleDefined {
            role: "app-review".parse().unwrap(),
            workspace: None,
            permissions,
        };
        self.filler.append(None, "role-app-review", vec![defined]).await;
        let mut grants = vec![("platform-admin", account::Scope::Platform {})];
        for n in 0..WORKSPACES {
            let name = format!("workspace-{n}").parse().unwrap();
            let created = workspace::Event::WorkspaceCreated { name };
            self.filler
                .append(None, &format!("workspace-{}", id(n)), vec![created])
                .await;
            let workspace = WorkspaceId::from_uuid(id(n));
            grants.push(("workspace-admin", account::Scope::Workspace { workspace }));
        }
        for n in 0..REVIEWERS {
            let review = [("app-review", account::Scope::Platform {})];
            self.filler.account(n, &review, None).await;
        }
        self.filler.account(AUTHOR, &grants, Some(TOKEN)).await;
    }

    /// Each shelf with the apps that stand on it.
    async fn categories(&self) {
        for shelf in 0..CATEGORIES {
            let created = category::Event::CategoryCreated {
                name: format!("Category {shelf}").parse().unwrap(),
                icon: "box".parse().unwrap(),
            };
            let apps = (shelf..self.size.apps).step_by(CATEGORIES as usize);
            let shelved = apps.map(|app| category::Event::AppShelved {
                app: AppId::from_uuid(id(app)),
            });
            let events: Vec<_> = std::iter::once(created).chain(shelved).collect();
            self.append(None, 0, &format!("category-{}", id(shelf)), events).await;
        }
    }

    async fn app(&self, n: u128) {
        let listing = self.filler.document(&listing(n)).await;
        let chart = self.filler.document(&chart(n)).await;
        let stream = format!("app-{}", id(n));
        let submitted = self.submitted(n, listing, chart);
        let (reviewed, published) = self.decided(n, listing);
        let mut revision = submitted.len() as u64;
        self.append(Some(AUTHOR), 0, &stream, submitted).await;
        let reviews = reviewed.len() as u64;
        self.append(Some(n % REVIEWERS), revision, &stream, reviewed).await;
        revision += reviews;
        self.append(Some(AUTHOR), revision, &stream, published).await;
    }

    fn submitted(&self, n: u128, listing: Digest, chart: Digest) -> Vec<app::Event> {
        let mut events = vec![
            app::Event::AppUploaded {
                workspace: WorkspaceId::from_uuid(id(n % WORKSPACES)),
                chart: format!("chart-{n}").parse().unwrap(),
                listing,
            },
            app::Event::CategoryAssigned {
                category: Some(CategoryId::from_uuid(id(n % CATEGORIES))),
            },
        ];
        for v in 0..self.size.versions(n) {
            let (version, package) = (number(v), package(n, v));
            events.push(app::Event::VersionUploaded {
                version: version.clone(),
                package: app::Package {
                    digest: package,
                    chart,
                    size: "1000".to_owned(),
                },
            });
            for (attempt, submission) in submissions(n, v).into_iter().enumerate() {
                let is_last = attempt == WITHDRAWALS;
                if is_last && self.is_draft(n, v) {
                    break;
                }
                events.push(app::Event::VersionSubmitted {
                    version: version.clone(),
                    submission,
                    digest: package,
                    listing,
                    policy: self.policy,
                    review: None,
                });
                if !is_last {
                    let version = version.clone();
                    events.push(app::Event::VersionWithdrawn { version, submission });
                }
            }
        }
        events
    }

    /// What reviewers did about an app, and what was published then.
    fn decided(&self, n: u128, listing: Digest) -> (Vec<app::Event>, Vec<app::Event>) {
        let (mut reviewed, mut published) = (vec![], vec![]);
        for v in 0..self.size.versions(n) {
            if self.is_draft(n, v) || self.is_queued(n, v) {
                continue;
            }
            let (version, digest, submission) = (number(v), package(n, v), submissions(n, v)[WITHDRAWALS]);
            reviewed.push(app::Event::ReviewStarted {
                version: version.clone(),
                submission,
            });
            reviewed.push(app::Event::VersionApproved {
                version: version.clone(),
                submission,
                digest,
                listing,
                terms: None,
            });
            published.push(app::Event::PublishedToStore {
                version,
                submission,
                digest,
                listing,
            });
        }
        (reviewed, published)
    }

    fn is_draft(&self, n: u128, v: u32) -> bool {
        n < 2 * COMMANDED && self.is_newest(n, v)
    }

    fn is_queued(&self, n: u128, v: u32) -> bool {
        (2 * COMMANDED..2 * COMMANDED + QUEUED).contains(&n) && self.is_newest(n, v)
    }

    fn is_newest(&self, n: u128, v: u32) -> bool {
        v + 1 == self.size.versions(n)
    }

    async fn append<E>(&self, by: Option<u128>, revision: u64, stream: &str, events: Vec<E>)
    where
        E: domain::event::StoredEvent + Clone,
    {
        for (n, events) in (0..).zip(events.chunks(EVENTS_AT_ONCE)) {
            let revision = revision + n * EVENTS_AT_ONCE as u64;
            self.filler.append_at(revision, by, stream, events.to_vec()).await;
        }
    }
}

fn number(v: u32) -> VersionNumber {
    format!("1.{v}.0").parse().unwrap()
}

fn package(n: u128, v: u32) -> Digest {
    digest(n << 32 | u128::from(v))
}

fn submissions(n: u128, v: u32) -> [SubmissionId; WITHDRAWALS + 1] {
    [0, 1, 2].map(|attempt| SubmissionId::from_uuid(id(n << 40 | u128::from(v) << 8 | attempt)))
}

/// A word that about a quarter of the apps have in their text, one of [`WORDS`].
pub(crate) fn word(n: u64) -> String {
    format!("word{:03}", n % WORDS)
}

const WORDS: u64 = 400;
const README_WORDS: u64 = 120;

/// Text that differs from app to app, and is the same in every run.
fn words(n: u128, count: u64) -> String {
    let mut state = n as u64;
    let mut next = || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    let words: Vec<_> = (0..count).map(|_| word(next())).collect();
    words.join(" ")
}

fn listing(n: u128) -> Listing {
    Listing {
        display_name: format!("App {n}"),
        summary: format!("Does {}", words(n, 10)),
        description: words(n + 1, 50),
        keywords: words(n + 2, 4).split(' ').map(str::to_owned).collect(),
        ..Listing::default()
    }
}

fn chart(n: u128) -> serde_json::Value {
    json!({
        "metadata": { "apiVersion": "v2", "name": format!("chart-{n}"), "version": "1.0.0", "appVersion": "7.0" },
        "readme": words(n + 3, README_WORDS),
        "appReadme": null,
        "values": "replicas: 1\n",
        "valuesSchema": null,
        "files": [],
    })
}
