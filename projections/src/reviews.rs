//! The review queue, and every decision that was made.

use chrono::{DateTime, Utc};
use domain::{
    app::{Event, Stage as DomainStage},
    digest::{Digest, Sealed},
    ids::{AccountId, AppId, SubmissionId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{
    Connection, Transaction,
    types::{FromSqlError, FromSqlResult, Value, ValueRef},
};
use serde::{Deserialize, Serialize};

pub use crate::{
    apps::ReviewClaim,
    dossier::Decision,
    moment::{Mark, Period},
};
use crate::{
    dossier::{Change, Dossier},
    error::ViewError,
    moment::{self, Kept},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, FromColumn, Json, ToColumn, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE queue (
    submitted  INTEGER NOT NULL PRIMARY KEY,
    submission BLOB NOT NULL UNIQUE,
    app        BLOB NOT NULL,
    row        TEXT NOT NULL,
    valid_from INTEGER NOT NULL
);
CREATE INDEX queue_of_app ON queue (app);

CREATE TABLE decision (
    position   INTEGER NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    reviewer   BLOB,
    decision   TEXT NOT NULL,
    reason     TEXT,
    app        BLOB NOT NULL,
    workspace  BLOB NOT NULL,
    chart      TEXT NOT NULL,
    version    TEXT,
    submission BLOB NOT NULL,
    package    BLOB,
    listing    BLOB NOT NULL
);
CREATE INDEX decision_of_app ON decision (app);
CREATE INDEX decision_of_workspace ON decision (workspace);
";

/// Something that waits for a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    pub submission: SubmissionId,
    pub app: AppId,
    pub workspace: WorkspaceId,
    pub chart: ChartName,
    pub subject: Subject,
    /// The listing that goes with it, or is the subject itself.
    pub listing: Digest,
    pub submitted: Mark,
    /// Set while it is in review; it may have lapsed.
    pub claim: Option<ReviewClaim>,
}

/// What a review is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Subject {
    Version { number: VersionNumber, package: Digest },
    Listing,
}

/// A decision that was made. Decisions are never taken back; a later one may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    pub position: u64,
    pub at: DateTime<Utc>,
    pub reviewer: Option<AccountId>,
    pub decision: Decision,
    /// Why it was rejected.
    pub reason: Option<Sealed>,
    pub app: AppId,
    pub workspace: WorkspaceId,
    pub chart: ChartName,
    pub subject: Subject,
    pub submission: SubmissionId,
    pub listing: Digest,
}

/// Which decisions to list; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionFilter {
    pub app: Option<AppId>,
    pub workspace: Option<WorkspaceId>,
    pub decision: Option<Decision>,
    pub period: Period,
}

/// Which entries of the queue to list; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFilter {
    pub app: Option<AppId>,
}

/// The review queue, the oldest submission first.
pub fn queue(conn: &Connection, filter: QueueFilter, page: &PageRequest) -> Result<Page<QueueEntry>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add_if("app = ?", filter.app);
    let list = List {
        select: "SELECT submitted, row FROM queue",
        column: "submitted",
        kind: KeyKind::Position,
        order: Order::Ascending,
    };
    list.page(conn, conditions, page, sql::json)
}

/// What waits under this submission, if it still does.
pub fn queued(conn: &Connection, submission: SubmissionId) -> Result<Option<QueueEntry>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT row FROM queue WHERE submission = ?",
        values![submission],
        sql::json,
    )?)
}

const DECISION: &str = "SELECT position, position, at, reviewer, decision, reason, app, workspace, chart, version,
                               package, submission, listing FROM decision";

/// The decisions, the newest first.
pub fn decisions(
    conn: &Connection,
    filter: &DecisionFilter,
    page: &PageRequest,
) -> Result<Page<DecisionRecord>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add_if("app = ?", filter.app);
    conditions.add_if("workspace = ?", filter.workspace);
    conditions.add_if("decision = ?", filter.decision);
    filter.period.restrict(conn, "position", &mut conditions)?;
    let list = List {
        select: DECISION,
        column: "position",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, decision_columns)
}

fn decision_columns(columns: &mut Columns<'_, '_>) -> rusqlite::Result<DecisionRecord> {
    Ok(DecisionRecord {
        position: columns.take()?,
        at: columns.take()?,
        reviewer: columns.take()?,
        decision: columns.take()?,
        reason: columns.take()?,
        app: columns.take()?,
        workspace: columns.take()?,
        chart: columns.take()?,
        subject: match (columns.take()?, columns.take()?) {
            (Some(number), Some(package)) => Subject::Version { number, package },
            (_, _) => Subject::Listing,
        },
        submission: columns.take()?,
        listing: columns.take()?,
    })
}

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<QueueEntry>(conn)
}

pub(crate) fn apply(tx: &Transaction<'_>, change: &Change<'_>) -> rusqlite::Result<()> {
    let position = change.fact.position;
    for number in change.touched() {
        let before = change
            .before
            .and_then(|dossier| QueueEntry::of_version(dossier, number));
        let after = QueueEntry::of_version(change.after, number);
        moment::replace(tx, position, before.as_ref(), after.as_ref())?;
    }
    let before = change.before.and_then(QueueEntry::of_listing);
    let after = QueueEntry::of_listing(change.after);
    moment::replace(tx, position, before.as_ref(), after.as_ref())?;
    record_decision(tx, change)
}

fn record_decision(tx: &Transaction<'_>, change: &Change<'_>) -> rusqlite::Result<()> {
    let (decision, version, package, submission, listing, reason) = match change.event {
        Event::VersionApproved {
            version,
            submission,
            digest,
            listing,
        } => (
            Decision::Approved,
            Some(version),
            Some(digest),
            submission,
            listing,
            None,
        ),
        Event::VersionRejected {
            version,
            submission,
            digest,
            listing,
            reason,
        } => (
            Decision::Rejected,
            Some(version),
            Some(digest),
            submission,
            listing,
            Some(reason),
        ),
        Event::ListingApproved { submission, listing } => (Decision::Approved, None, None, submission, listing, None),
        Event::ListingRejected {
            submission,
            listing,
            reason,
        } => (Decision::Rejected, None, None, submission, listing, Some(reason)),
        Event::AppUploaded { .. }
        | Event::VersionUploaded { .. }
        | Event::PackageReplaced { .. }
        | Event::ListingEdited { .. }
        | Event::IconSet { .. }
        | Event::CategoryAssigned { .. }
        | Event::VersionSubmitted { .. }
        | Event::VersionWithdrawn { .. }
        | Event::ReviewStarted { .. }
        | Event::ReviewReleased { .. }
        | Event::PublishedToStore { .. }
        | Event::ListingSubmitted { .. }
        | Event::ListingWithdrawn { .. }
        | Event::ListingReviewStarted { .. }
        | Event::ListingReviewReleased { .. }
        | Event::Suspended { .. }
        | Event::Resumed { .. }
        | Event::VersionDeleted { .. }
        | Event::AppDeleted {} => return Ok(()),
    };
    let (mark, Dossier { id, app, .. }) = (change.fact.mark(), change.after);
    let sql = "INSERT INTO decision (position, at, reviewer, decision, reason, app, workspace, chart, version,
               submission, package, listing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = values![
        mark.position,
        mark.at,
        mark.by,
        decision,
        reason.cloned(),
        *id,
        app.workspace,
        app.chart,
        version.cloned(),
        *submission,
        package.copied(),
        *listing,
    ];
    sql::execute(tx, sql, values).map(drop)
}

impl QueueEntry {
    fn of_version(dossier: &Dossier, number: &VersionNumber) -> Option<Self> {
        let (version, notes) = dossier.version(number)?;
        let (submission, claim) = match &version.stage {
            DomainStage::Submitted { submission } => (submission, None),
            DomainStage::InReview { submission, claim } => (submission, Some(ReviewClaim::from(*claim))),
            DomainStage::Draft {}
            | DomainStage::Approved { .. }
            | DomainStage::Rejected { .. }
            | DomainStage::Published { .. }
            | DomainStage::Suspended { .. }
            | DomainStage::Deleted {} => return None,
        };
        Some(Self {
            submission: submission.id,
            app: dossier.id,
            workspace: dossier.app.workspace,
            chart: dossier.app.chart.clone(),
            subject: Subject::Version {
                number: number.clone(),
                package: submission.package,
            },
            listing: submission.listing,
            submitted: notes.submitted?,
            claim,
        })
    }

    fn of_listing(dossier: &Dossier) -> Option<Self> {
        let review = dossier.app.listing.review.as_ref()?;
        Some(Self {
            submission: review.submission.id,
            app: dossier.id,
            workspace: dossier.app.workspace,
            chart: dossier.app.chart.clone(),
            subject: Subject::Listing,
            listing: review.submission.listing,
            submitted: dossier.listing_submitted?,
            claim: review.claim.map(ReviewClaim::from),
        })
    }
}

impl Decision {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

impl ToColumn for Decision {
    fn to_value(&self) -> Value {
        self.as_str().to_value()
    }
}

impl FromColumn for Decision {
    fn from_value(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "approved" => Ok(Self::Approved),
            "rejected" => Ok(Self::Rejected),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl Kept for QueueEntry {
    const TABLE: &'static str = "queue";
    const KEY: &'static [&'static str] = &["submitted"];
    const COLUMNS: &'static [&'static str] = &["submission", "app", "row"];
    const PAST_KEYS: &'static [&'static str] = &["submitted", "app, submitted"];

    fn key(&self) -> Vec<Value> {
        values![self.submitted.position]
    }

    fn values(&self) -> Vec<Value> {
        values![self.submission, self.app, Json(self)]
    }
}
