//! A data folder with many decisions, written without the commands that would have left them.

use std::path::Path;

use domain::{
    account, app,
    digest::Digest,
    ids::{AppId, SubmissionId, WorkspaceId},
    role, workspace,
};
use eventstore::{Blobs, EventStore, Mode};
use futures_util::{StreamExt as _, future::join_all, stream};
use projections::Views;

use crate::filler::{Filler, digest, id};

const TOKEN: &str = "charthouse_a-token-for-a-benchmark";
const DECISIONS_PER_APP: u64 = 100;
const APPS_AT_ONCE: usize = 8;
const WORKSPACES: u128 = 10;
const REVIEWERS: u128 = 10;
const AUTHOR: u128 = 1_000;
const REASON: &str = "The README does not say which ports are open, and values.yaml has a password in it. Please correct both, and submit it again.";

struct Folder {
    filler: Filler,
    policy: Digest,
}

/// Makes the folder, and answers the token of an auditor.
pub(crate) async fn decisions(data: &Path, count: u64) -> &'static str {
    let folder = Folder::open(data).await;
    folder.people().await;
    folder.apps(0, count).await;
    TOKEN
}

/// Adds `count` decisions to a folder that has `before` of them.
pub(crate) async fn more_decisions(data: &Path, before: u64, count: u64) {
    let folder = Folder::open(data).await;
    folder.apps(before.div_ceil(DECISIONS_PER_APP), count).await;
}

impl Folder {
    async fn open(data: &Path) -> Self {
        let filler = Filler::open(data).await;
        let policy = filler.policy().await;
        Self { filler, policy }
    }

    /// So many decisions on apps from the one numbered `first` on. Nothing can be added after it.
    async fn apps(self, first: u64, count: u64) {
        let apps = stream::iter(0..count.div_ceil(DECISIONS_PER_APP)).map(|n| {
            let decisions = DECISIONS_PER_APP.min(count - n * DECISIONS_PER_APP);
            self.app(u128::from(first + n), decisions)
        });
        apps.buffer_unordered(APPS_AT_ONCE).collect::<()>().await;
        self.filler.close().await;
    }

    async fn people(&self) {
        let role = "app-review".parse().unwrap();
        let permissions = role::bundle("app-store-management").unwrap().iter().copied().collect();
        let defined = role::Event::RoleDefined {
            role,
            workspace: None,
            permissions,
        };
        self.filler.append(None, "role-app-review", vec![defined]).await;
        for n in 0..WORKSPACES {
            let name = format!("workspace-{n}").parse().unwrap();
            let created = workspace::Event::WorkspaceCreated { name };
            let stream = format!("workspace-{}", id(n));
            self.filler.append(None, &stream, vec![created]).await;
        }
        for n in 0..REVIEWERS {
            self.filler
                .account(n, &[("app-review", account::Scope::Platform {})], None)
                .await;
        }
        let auditor = [("auditor", account::Scope::Platform {})];
        self.filler.account(AUTHOR, &auditor, Some(TOKEN)).await;
    }

    /// An app whose versions were all submitted by its author, and then decided about by one reviewer: every other
    /// one was rejected.
    async fn app(&self, n: u128, decisions: u64) {
        let (app, listing) = (AppId::from_uuid(id(n)), digest(n));
        let stream = format!("app-{app}");
        let mut submitted = vec![app::Event::AppUploaded {
            workspace: WorkspaceId::from_uuid(id(n % WORKSPACES)),
            chart: format!("chart-{n}").parse().unwrap(),
            listing,
        }];
        let rejected = join_all((0..decisions / 2).map(|_| self.filler.seal(&stream, REASON))).await;
        let mut reasons = rejected.into_iter();
        let mut decided = vec![];
        for version in 0..u128::from(decisions) {
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
            let reason = if version % 2 == 0 { None } else { reasons.next() };
            decided.push(match reason {
                None => app::Event::VersionApproved {
                    version: number,
                    submission,
                    digest: package,
                    listing,
                    terms: None,
                },
                Some(reason) => app::Event::VersionRejected {
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
        self.filler.append(Some(AUTHOR), &stream, submitted).await;
        self.filler
            .append_at(revision, Some(n % REVIEWERS), &stream, decided)
            .await;
    }
}

/// Folds the whole log, and publishes what came of it.
pub(crate) async fn publish(data: &Path) {
    let url = format!("sqlite://{}", data.join("log.db").display());
    let log = EventStore::open(&url, Mode::Append).await.unwrap();
    let blobs = Blobs::open(&data.join("blobs")).unwrap();
    let views = Views::open(&data.join("views.db"), &log).await.unwrap();
    let follower = tokio::spawn({
        let (views, log, blobs) = (views.clone(), log.clone(), blobs.clone());
        async move { views.follow(log, blobs).await.map(|_| ()) }
    });
    views.reached(log.head().await.unwrap().size).await;
    views.publish(&log, &blobs, 1).await.unwrap().unwrap();
    follower.abort();
    log.close().await;
}
