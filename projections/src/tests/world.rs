//! A log with a clock that ticks, blobs, and views that follow.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    account, app, category,
    digest::{Digest, Sealed},
    event::StoredEvent,
    ids::{AccountId, Actor, AppId, AttemptId, CategoryId, ClusterId, ProjectId, ReleaseId, SubmissionId, WorkspaceId},
    listing::Listing,
    release,
    version_number::VersionNumber,
};
use eventstore::{Append, Blobs, Clock, Context, EventStore, Mode, NewEvent, Revision, StreamName, Write};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    PageRequest, ViewError, Views,
    storefront::{Filter, Shelf},
};

macro_rules! numbered {
    ($($function:ident -> $id:ident),*) => {$(
        pub(super) fn $function(n: u128) -> $id {
            $id::from_uuid(Uuid::from_u128(n))
        }
    )*};
}

numbered!(
    account -> AccountId, app -> AppId, attempt -> AttemptId, category -> CategoryId, cluster -> ClusterId,
    project -> ProjectId, release -> ReleaseId, submission -> SubmissionId, workspace -> WorkspaceId
);

pub(super) fn number(text: &str) -> VersionNumber {
    text.parse().unwrap()
}

pub(super) fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

pub(super) fn sealed(n: u8) -> Sealed {
    Sealed {
        subject: "release-1".to_owned(),
        digest: digest(n),
    }
}

pub(super) fn first(count: usize) -> PageRequest {
    PageRequest::new(count, None)
}

pub(super) fn on_shelf(shelf: Shelf) -> Filter {
    Filter {
        shelf,
        ..Filter::default()
    }
}

pub(super) fn with_words(text: &str) -> Filter {
    Filter {
        text: Some(text.to_owned()),
        ..Filter::default()
    }
}

/// The author of everything a test does not say otherwise of, and the reviewer.
pub(super) const AUTHOR: u128 = 1;
pub(super) const REVIEWER: u128 = 2;

/// One second passes with every append.
pub(super) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        at(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed).unsigned_abs())
    }
}

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) log: EventStore,
    pub(super) blobs: Blobs,
    pub(super) views: Views,
    pub(super) size: u64,
    /// Whether the views take each event in a batch of its own.
    pub(super) one_by_one: bool,
    /// Id and correlation of the event that what happens next is a reaction to.
    pub(super) cause: Option<(Uuid, Uuid)>,
    follower: JoinHandle<ViewError>,
    revisions: HashMap<String, u64>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("log.db").display());
        let clock = Ticking(AtomicI64::new(0));
        let log = EventStore::open_with_clock(&url, Mode::Append, clock).await.unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        let views = Views::open(&folder.path().join("views.db"), &log).await.unwrap();
        let follower = follow(&views, &log, &blobs);
        Self {
            folder,
            log,
            blobs,
            views,
            size: 0,
            one_by_one: false,
            cause: None,
            follower,
            revisions: HashMap::new(),
        }
    }

    /// Other views of the same log, in a file of their own.
    pub(super) async fn views_in(&self, file: &str) -> Views {
        Views::open(&self.folder.path().join(file), &self.log).await.unwrap()
    }

    /// The whole log in the views, and what stopped them if something did.
    pub(super) async fn stopped(&mut self) -> ViewError {
        (&mut self.follower).await.unwrap()
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    ) -> T {
        self.views.reached(self.size).await;
        self.views.read(question).await.unwrap()
    }

    pub(super) async fn app(&mut self, by: u128, id: u128, event: app::Event) -> u64 {
        self.record(by, &format!("app-{}", app(id)), &event).await
    }

    pub(super) async fn release(&mut self, by: u128, id: u128, event: release::Event) -> u64 {
        self.record(by, &format!("release-{}", release(id)), &event).await
    }

    pub(super) async fn category(&mut self, id: u128, event: category::Event) -> u64 {
        self.record(AUTHOR, &format!("category-{}", category(id)), &event).await
    }

    pub(super) async fn account(&mut self, id: u128, event: account::Event) -> u64 {
        self.record(AUTHOR, &format!("account-{}", account(id)), &event).await
    }

    /// Appends one event and answers its position.
    pub(super) async fn record(&mut self, by: u128, stream: &str, event: &impl StoredEvent) -> u64 {
        let stored = event.store().unwrap();
        self.record_stored(
            &Actor::Account(account(by)).to_string(),
            stream,
            &stored.name,
            stored.data,
        )
        .await
    }

    pub(super) async fn record_stored(&mut self, actor: &str, stream: &str, name: &str, data: Value) -> u64 {
        let revision = self.revisions.entry(stream.to_owned()).or_default();
        let id = Uuid::from_u128(u128::from(self.size) + 1);
        let event = NewEvent {
            id,
            name: name.to_owned(),
            schema: 1,
            data,
        };
        let write = Write {
            stream: StreamName::try_from(stream.to_owned()).unwrap(),
            expected: Revision::new(*revision),
            events: vec![event],
        };
        let context = Context {
            actor: actor.to_owned(),
            command: None,
            correlation_id: self.cause.map_or(id, |(_, correlation)| correlation),
            causation_id: self.cause.map(|(cause, _)| cause),
        };
        let appended = self
            .log
            .append(Append {
                writes: vec![write],
                guards: vec![],
                context,
            })
            .await
            .unwrap();
        *revision += 1;
        self.size = appended.last.get() + 1;
        if self.one_by_one {
            self.views.reached(self.size).await;
        }
        appended.last.get()
    }

    /// An event of an app that this program does not know; answers its position.
    pub(super) async fn record_unknown(&mut self, id: u128) -> u64 {
        let stream = format!("app-{}", app(id));
        self.record_stored("system", &stream, "AppFrozen", json!({})).await
    }

    pub(super) async fn put(&self, document: &Value) -> Digest {
        let stored = self.blobs.put(Bytes::from(document.to_string())).await.unwrap();
        Digest::from_bytes(*stored.as_bytes())
    }

    pub(super) async fn listing(&self, display_name: &str, summary: &str) -> Digest {
        let listing = Listing {
            display_name: display_name.to_owned(),
            summary: summary.to_owned(),
            ..Listing::default()
        };
        self.put(&serde_json::to_value(listing).unwrap()).await
    }

    pub(super) async fn package(&self, chart: &str, version: &str, readme: &str) -> app::Package {
        let metadata = json!({ "name": chart, "version": version, "appVersion": format!("app-{version}") });
        let document = json!({ "metadata": metadata, "readme": readme, "values": {}, "files": ["Chart.yaml"] });
        let chart = self.put(&document).await;
        app::Package {
            digest: Digest::from_bytes([chart.as_bytes()[0] ^ 0xff; 32]),
            chart,
            size: "1000".to_owned(),
        }
    }

    /// An app called `chart`, without versions, in workspace 1.
    pub(super) async fn upload_app(&mut self, id: u128, chart: &str) -> Digest {
        self.upload_app_into(id, chart, 1).await
    }

    pub(super) async fn upload_app_into(&mut self, id: u128, chart: &str, into: u128) -> Digest {
        let listing = self.listing(chart, &format!("{chart} for everybody")).await;
        let uploaded = app::Event::AppUploaded {
            workspace: workspace(into),
            chart: chart.parse().unwrap(),
            listing,
        };
        self.app(AUTHOR, id, uploaded).await;
        listing
    }

    pub(super) async fn upload_version(&mut self, id: u128, version: &str) -> app::Package {
        let package = self.package("chart", version, &format!("How to run {version}")).await;
        let uploaded = app::Event::VersionUploaded {
            version: number(version),
            package: package.clone(),
        };
        self.app(AUTHOR, id, uploaded).await;
        package
    }

    /// Takes an uploaded version from draft into the review queue.
    pub(super) async fn submit(&mut self, id: u128, version: &str, package: &app::Package, listing: Digest) {
        let submission = submission(self.size.into());
        let (version, digest, policy) = (number(version), package.digest, digest(9));
        let submitted = app::Event::VersionSubmitted {
            version,
            submission,
            digest,
            listing,
            policy,
            review: None,
        };
        self.app(AUTHOR, id, submitted).await;
    }

    /// Takes a version from draft into the store; answers the position of the publication.
    pub(super) async fn publish(&mut self, id: u128, version: &str, package: &app::Package, listing: Digest) -> u64 {
        let submission = submission(self.size.into());
        self.submit(id, version, package, listing).await;
        let (version, digest) = (number(version), package.digest);
        let started = app::Event::ReviewStarted {
            version: version.clone(),
            submission,
        };
        self.app(REVIEWER, id, started).await;
        let approved = app::Event::VersionApproved {
            version: version.clone(),
            submission,
            digest,
            listing,
            terms: None,
        };
        self.app(REVIEWER, id, approved).await;
        self.app(
            AUTHOR,
            id,
            app::Event::PublishedToStore {
                version,
                submission,
                digest,
                listing,
            },
        )
        .await
    }

    /// A whole app in the store, with one version.
    pub(super) async fn stock(&mut self, id: u128, chart: &str, version: &str) -> u64 {
        let listing = self.upload_app(id, chart).await;
        let package = self.upload_version(id, version).await;
        self.publish(id, version, &package, listing).await
    }
}

pub(super) fn follow(views: &Views, log: &EventStore, blobs: &Blobs) -> JoinHandle<ViewError> {
    let (views, log, blobs) = (views.clone(), log.clone(), blobs.clone());
    tokio::spawn(async move {
        let Err(error) = views.follow(log, blobs).await;
        error
    })
}
