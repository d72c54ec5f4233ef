//! Apps and their versions, in every state.

mod versions;

use std::collections::HashMap;

use domain::{
    access::AppVisibility,
    app::{Contributors, Review, Status as DomainStatus},
    digest::Digest,
    ids::{AppId, CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, types::Value};
use serde::{Deserialize, Serialize};

pub use self::versions::{
    ReviewClaim, Stage, Submission, Version, VersionsOf, is_submitted_listing, places, version, versions,
};
use crate::{
    change::{Change, Rows},
    dossier::Dossier,
    error::ViewError,
    lookup::{self, Lookup},
    moment::{self, Kept},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Json, values},
};
pub use crate::{
    dossier::{Decided, Decision, Suspension},
    moment::Mark,
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE app (
    id         BLOB NOT NULL PRIMARY KEY,
    workspace  BLOB NOT NULL,
    chart      TEXT NOT NULL,
    uploaded   INTEGER NOT NULL,
    status     TEXT NOT NULL,
    row        TEXT NOT NULL,
    valid_from INTEGER NOT NULL
);
CREATE INDEX app_of_workspace ON app (workspace, uploaded);
CREATE INDEX app_of_chart ON app (workspace, chart);
";

/// Where an app stands; see [`domain::app::Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    InDevelopment,
    Published,
    Suspended,
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub id: AppId,
    pub workspace: WorkspaceId,
    pub chart: ChartName,
    pub status: Status,
    pub listing: Listing,
    pub category: Option<CategoryId>,
    /// Set while the app as a whole is suspended, whatever its versions are.
    pub suspension: Option<Suspension>,
    /// The published version the store offers first.
    pub latest: Option<VersionNumber>,
    pub uploaded: Mark,
    /// Whether it was ever handed to the reviewers; see [`domain::access::AppVisibility`].
    pub handed_in: bool,
}

/// The digests of an app's listing documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    pub draft: Digest,
    /// What the store shows.
    pub published: Option<Digest>,
    /// What was submitted without a version.
    pub review: Option<ListingReview>,
    /// Whoever ever edited or submitted it: they do not review it.
    pub contributors: Contributors,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingReview {
    pub submission: SubmissionId,
    pub listing: Digest,
    pub submitted: Option<Mark>,
    pub claim: Option<ReviewClaim>,
    /// What it is decided by, and who approved so far.
    pub review: Review,
}

/// The app by its id, also if it is deleted.
pub fn app(conn: &Connection, id: AppId) -> Result<Option<App>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT row FROM app WHERE id = ?",
        values![id],
        sql::json,
    )?)
}

impl Lookup for AppId {
    type Row = App;

    fn find(conn: &Connection, ids: &[Self]) -> Result<HashMap<Self, App>, ViewError> {
        lookup::by_id(conn, "SELECT row FROM app WHERE id", ids, sql::json, |app: &App| app.id)
    }
}

/// The app of a workspace that is made of this chart, if it is not deleted.
pub fn app_of_chart(conn: &Connection, workspace: WorkspaceId, chart: &ChartName) -> Result<Option<App>, ViewError> {
    let sql = "SELECT row FROM app WHERE workspace = ? AND chart = ? AND status <> ?";
    Ok(sql::first(
        conn,
        sql,
        values![workspace, *chart, Status::Deleted.as_str()],
        sql::json,
    )?)
}

/// The apps of a workspace, the newest first; without the deleted ones unless it is them that are asked for.
pub fn of_workspace(
    conn: &Connection,
    workspace: WorkspaceId,
    status: Option<Status>,
    page: &PageRequest,
) -> Result<Page<App>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("workspace = ?", values![workspace]);
    match status {
        Some(status) => conditions.add("status = ?", values![status.as_str()]),
        None => conditions.add("status <> ?", values![Status::Deleted.as_str()]),
    }
    let list = List {
        select: "SELECT uploaded, row FROM app",
        column: "uploaded",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, sql::json)
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<App>(conn)?;
    versions::create(conn)
}

pub(crate) fn fold(change: &Change<'_>, rows: &mut Rows) {
    let (position, after) = (change.fact.position, App::of(change.after));
    rows.apps.replace(position, change.before.app.as_ref(), Some(after));
    versions::fold(change, &mut rows.versions);
}

impl App {
    /// What decides who may know of it.
    #[must_use]
    pub fn visibility(&self) -> AppVisibility {
        AppVisibility {
            workspace: self.workspace,
            in_store: self.status == Status::Published,
            handed_in: self.handed_in,
        }
    }

    pub(crate) fn of(dossier: &Dossier) -> Self {
        let Dossier { app, .. } = dossier;
        Self {
            id: dossier.id,
            workspace: app.workspace,
            chart: app.chart.clone(),
            status: app.status().into(),
            listing: Listing::of(dossier),
            category: app.category,
            suspension: dossier.suspension.clone(),
            latest: app.latest_published().cloned(),
            uploaded: dossier.uploaded,
            handed_in: app.visibility().handed_in,
        }
    }
}

impl Listing {
    fn of(dossier: &Dossier) -> Self {
        let listing = &dossier.app.listing;
        let review = listing.review.as_ref().map(|review| ListingReview {
            submission: review.submission.id,
            listing: review.submission.listing,
            submitted: dossier.listing_submitted.map(|submitted| submitted.mark),
            claim: review.claim.map(ReviewClaim::from),
            review: review.review.clone(),
        });
        Self {
            draft: listing.draft,
            published: listing.published,
            review,
            contributors: listing.contributors.clone(),
        }
    }
}

impl From<DomainStatus> for Status {
    fn from(status: DomainStatus) -> Self {
        match status {
            DomainStatus::InDevelopment => Self::InDevelopment,
            DomainStatus::Published => Self::Published,
            DomainStatus::Suspended => Self::Suspended,
            DomainStatus::Deleted => Self::Deleted,
        }
    }
}

impl Status {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InDevelopment => "in development",
            Self::Published => "published",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl Kept for App {
    type Key = AppId;

    const TABLE: &'static str = "app";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [&'static str] = &["workspace", "chart", "uploaded", "status", "row"];
    const PAST_KEYS: &'static [&'static str] = &["id", "workspace, uploaded"];

    moment::statements!();

    fn key(&self) -> AppId {
        self.id
    }

    fn key_values(id: &AppId) -> Vec<Value> {
        values![*id]
    }

    fn values(&self) -> Vec<Value> {
        values![
            self.workspace,
            self.chart,
            self.uploaded.position,
            self.status.as_str(),
            Json(self)
        ]
    }
}
