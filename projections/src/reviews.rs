//! The review queue.

mod policy;

use domain::{
    app::{Review, Stage as DomainStage},
    digest::Digest,
    ids::{AppId, SubmissionId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use rusqlite::{Connection, types::Value};
use serde::{Deserialize, Serialize};

pub(crate) use self::policy::apply_policy;
pub use self::policy::{PolicyInForce, policy_in_force};
pub use crate::{apps::ReviewClaim, moment::Mark};
use crate::{
    change::Change,
    dossier::Dossier,
    error::ViewError,
    moment::{self, Changes, Kept},
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    past,
    sql::{self, Json, values},
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
    /// What it is decided by, and who approved so far.
    pub review: Review,
}

/// What a review is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Subject {
    Version { number: VersionNumber, package: Digest },
    Listing,
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
    let queue = match filter.app {
        Some(_) => "queue".to_owned(),
        // Whatever is past was submitted before what waits: in the order of submission it would all be passed over.
        None => past::whole(conn, "queue")?,
    };
    let list = List {
        select: &format!("SELECT submitted, row FROM {queue}"),
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

pub(crate) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    conn.execute_batch(policy::SCHEMA)?;
    moment::create_history::<QueueEntry>(conn)
}

pub(crate) fn fold(change: &Change<'_>, rows: &mut Changes<QueueEntry>) {
    let position = change.fact.position;
    for number in change.touched() {
        let after = QueueEntry::of_version(change.after, number);
        rows.replace(position, change.before.queued(number), after);
    }
    let after = QueueEntry::of_listing(change.after);
    rows.replace(position, change.before.listing.as_ref(), after);
}

impl QueueEntry {
    pub(crate) fn of_version(dossier: &Dossier, number: &VersionNumber) -> Option<Self> {
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
            submitted: notes.submitted?.mark,
            claim,
            review: version.review.clone()?,
        })
    }

    pub(crate) fn of_listing(dossier: &Dossier) -> Option<Self> {
        let review = dossier.app.listing.review.as_ref()?;
        Some(Self {
            submission: review.submission.id,
            app: dossier.id,
            workspace: dossier.app.workspace,
            chart: dossier.app.chart.clone(),
            subject: Subject::Listing,
            listing: review.submission.listing,
            submitted: dossier.listing_submitted?.mark,
            claim: review.claim.map(ReviewClaim::from),
            review: review.review.clone(),
        })
    }
}

impl Kept for QueueEntry {
    type Key = u64;

    const TABLE: &'static str = "queue";
    const KEY: &'static [&'static str] = &["submitted"];
    const COLUMNS: &'static [&'static str] = &["submission", "app", "row"];
    const PAST_KEYS: &'static [&'static str] = &["submitted", "app, submitted"];
    const OF_A_MOMENT: Option<&'static str> = Some("submitted");

    moment::statements!();

    fn key(&self) -> u64 {
        self.submitted.position
    }

    fn key_values(submitted: &u64) -> Vec<Value> {
        values![*submitted]
    }

    fn values(&self) -> Vec<Value> {
        values![self.submission, self.app, Json(self)]
    }
}
