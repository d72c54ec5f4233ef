//! Apps and their versions, in every state.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    app::{self, Action, Claim, Package, Stage as DomainStage, Status as DomainStatus},
    digest::Digest,
    ids::{AccountId, AppId, CategoryId, SubmissionId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, Transaction, types::Value};
use serde::{Deserialize, Serialize};

use crate::{
    dossier::{Change, Dossier},
    error::ViewError,
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
    uploaded   INTEGER NOT NULL,
    status     TEXT NOT NULL,
    row        TEXT NOT NULL,
    valid_from INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX app_of_workspace ON app (workspace, uploaded);

CREATE TABLE version (
    app        BLOB NOT NULL,
    sort_key   TEXT NOT NULL,
    stage      TEXT NOT NULL,
    chart      BLOB NOT NULL,
    row        TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    PRIMARY KEY (app, sort_key)
) WITHOUT ROWID;
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

/// Where a version stands, without what exists only there; see [`domain::app::Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Draft,
    Submitted,
    InReview,
    Approved,
    Rejected,
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
    pub contributors: BTreeSet<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingReview {
    pub submission: SubmissionId,
    pub listing: Digest,
    pub submitted: Option<Mark>,
    pub claim: Option<ReviewClaim>,
}

/// A reviewer's hold on a review. It lapses after [`domain::review_policy::CLAIM_LAPSES_AFTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewClaim {
    pub reviewer: AccountId,
    pub since: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub app: AppId,
    pub workspace: WorkspaceId,
    pub number: VersionNumber,
    pub stage: Stage,
    /// What its stage allows now, whoever asks.
    #[serde(with = "action_names")]
    pub actions: Vec<Action>,
    /// How many events this version has had.
    pub revision: u64,
    pub package: Package,
    /// What was frozen for the review it is in, or came out of.
    pub submission: Option<Submission>,
    pub claim: Option<ReviewClaim>,
    pub decision: Option<Decided>,
    pub suspension: Option<Suspension>,
    /// Whoever ever uploaded, replaced or submitted it.
    pub contributors: BTreeSet<AccountId>,
    pub ever_published: bool,
    pub uploaded: Mark,
    pub updated: Mark,
    pub published: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub id: SubmissionId,
    pub package: Digest,
    pub listing: Digest,
    pub submitted: Option<Mark>,
}

/// The app by its id, also if it is deleted.
pub fn app(conn: &Connection, id: AppId) -> Result<Option<App>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT row FROM app WHERE id = ?",
        values![id],
        Columns::json,
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
    list.page(conn, conditions, page, Columns::json)
}

/// The versions of an app that are not deleted, the highest first.
pub fn versions(conn: &Connection, app: AppId, page: &PageRequest) -> Result<Page<Version>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("app = ?", values![app]);
    conditions.add("stage <> ?", values![Stage::Deleted.as_str()]);
    let list = List {
        select: "SELECT sort_key, row FROM version",
        column: "sort_key",
        kind: KeyKind::Text,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, Columns::json)
}

/// A version by its number, however that is written, also if it is deleted.
pub fn version(conn: &Connection, app: AppId, number: &VersionNumber) -> Result<Option<Version>, ViewError> {
    let key = values![app, number.sort_key()];
    Ok(sql::first(
        conn,
        "SELECT row FROM version WHERE app = ? AND sort_key = ?",
        key,
        Columns::json,
    )?)
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<App>(conn)?;
    moment::create_history::<Version>(conn)
}

pub(crate) fn apply(tx: &Transaction<'_>, change: &Change<'_>) -> rusqlite::Result<()> {
    let position = change.fact.position;
    let before = change.before.map(App::of);
    moment::replace(tx, position, before.as_ref(), Some(&App::of(change.after)))?;
    for number in change.touched() {
        let before = change.before.and_then(|dossier| Version::of(dossier, number));
        let after = Version::of(change.after, number);
        moment::replace(tx, position, before.as_ref(), after.as_ref())?;
    }
    Ok(())
}

impl App {
    fn of(dossier: &Dossier) -> Self {
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
        }
    }
}

impl Listing {
    fn of(dossier: &Dossier) -> Self {
        let listing = &dossier.app.listing;
        let review = listing.review.as_ref().map(|review| ListingReview {
            submission: review.submission.id,
            listing: review.submission.listing,
            submitted: dossier.listing_submitted,
            claim: review.claim.map(ReviewClaim::from),
        });
        Self {
            draft: listing.draft,
            published: listing.published,
            review,
            contributors: listing.contributors.clone(),
        }
    }
}

impl Version {
    pub(crate) fn of(dossier: &Dossier, number: &VersionNumber) -> Option<Self> {
        let (version, notes) = dossier.version(number)?;
        // The number as it was written when the version was uploaded, not as an event about it wrote it.
        let (number, _) = dossier.app.versions.get_key_value(number)?;
        Some(Self {
            app: dossier.id,
            workspace: dossier.app.workspace,
            number: number.clone(),
            stage: Stage::from(&version.stage),
            actions: version.stage.allows().to_vec(),
            revision: version.revision,
            package: version.package.clone(),
            submission: version
                .stage
                .submission()
                .map(|submission| Submission::of(submission, notes.submitted)),
            claim: claim(&version.stage),
            decision: notes.decision.clone(),
            suspension: notes.suspension.clone(),
            contributors: version.contributors.clone(),
            ever_published: version.ever_published,
            uploaded: notes.uploaded,
            updated: notes.updated,
            published: notes.published,
        })
    }
}

impl Submission {
    const fn of(submission: &app::Submission, submitted: Option<Mark>) -> Self {
        Self {
            id: submission.id,
            package: submission.package,
            listing: submission.listing,
            submitted,
        }
    }
}

const fn claim(stage: &DomainStage) -> Option<ReviewClaim> {
    match stage {
        DomainStage::InReview { claim, .. } => Some(ReviewClaim {
            reviewer: claim.reviewer,
            since: claim.since,
        }),
        DomainStage::Draft {}
        | DomainStage::Submitted { .. }
        | DomainStage::Approved { .. }
        | DomainStage::Rejected { .. }
        | DomainStage::Published { .. }
        | DomainStage::Suspended { .. }
        | DomainStage::Deleted {} => None,
    }
}

impl From<Claim> for ReviewClaim {
    fn from(claim: Claim) -> Self {
        Self {
            reviewer: claim.reviewer,
            since: claim.since,
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

impl From<&DomainStage> for Stage {
    fn from(stage: &DomainStage) -> Self {
        match stage {
            DomainStage::Draft {} => Self::Draft,
            DomainStage::Submitted { .. } => Self::Submitted,
            DomainStage::InReview { .. } => Self::InReview,
            DomainStage::Approved { .. } => Self::Approved,
            DomainStage::Rejected { .. } => Self::Rejected,
            DomainStage::Published { .. } => Self::Published,
            DomainStage::Suspended { .. } => Self::Suspended,
            DomainStage::Deleted {} => Self::Deleted,
        }
    }
}

impl Stage {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::InReview => "in review",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Published => "published",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl Kept for App {
    const TABLE: &'static str = "app";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [&'static str] = &["workspace", "uploaded", "status", "row"];

    fn key(&self) -> Vec<Value> {
        values![self.id]
    }

    fn values(&self) -> Vec<Value> {
        let mut values = values![self.workspace, self.uploaded.position, self.status.as_str()];
        values.push(Json(self).to_value());
        values
    }
}

impl Kept for Version {
    const TABLE: &'static str = "version";
    const KEY: &'static [&'static str] = &["app", "sort_key"];
    const COLUMNS: &'static [&'static str] = &["stage", "chart", "row"];

    fn key(&self) -> Vec<Value> {
        values![self.app, self.number.sort_key()]
    }

    fn values(&self) -> Vec<Value> {
        let mut values = values![self.stage.as_str(), self.package.chart];
        values.push(Json(self).to_value());
        values
    }
}

/// Actions are stored by the names clients know them by.
mod action_names {
    use domain::app::Action;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(actions: &[Action], serializer: S) -> Result<S::Ok, S::Error> {
        let names: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
        names.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Action::ALL
            .iter()
            .copied()
            .filter(|action| names.iter().any(|name| name == action.as_str()))
            .collect())
    }
}
