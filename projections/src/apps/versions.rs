//! The versions of apps.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{
    access::StageVisibility,
    app::{self, Claim, Contributors, Package, Review, Stage as DomainStage},
    digest::Digest,
    ids::{AccountId, AppId, SubmissionId, WorkspaceId},
    version_number::VersionNumber,
};
use rusqlite::{Connection, types::Value};
use serde::{Deserialize, Serialize};

use crate::{
    change::Change,
    dossier::{Decided, Dossier, Suspension},
    error::ViewError,
    lookup::{self, Children, Lookup},
    moment::{self, Changes, Kept, Mark},
    page::{Conditions, Key, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, Json, values},
};

const SCHEMA: &str = "
CREATE TABLE version (
    app        BLOB NOT NULL,
    sort_key   TEXT NOT NULL,
    stage      TEXT NOT NULL,
    chart      BLOB NOT NULL,
    listing    BLOB,
    row        TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    PRIMARY KEY (app, sort_key)
);
";

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

/// A reviewer's hold on a review. It lapses after [`domain::review_policy::CLAIM_LAPSES_AFTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewClaim {
    pub reviewer: AccountId,
    pub since: DateTime<Utc>,
}

/// What is not there is not written: most rows are past ones, and lack most of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub app: AppId,
    pub workspace: WorkspaceId,
    pub number: VersionNumber,
    pub stage: Stage,
    /// How many events this version has had.
    pub revision: u64,
    pub package: Package,
    /// What was frozen for the review it is in, or came out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ReviewClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decided>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// Whoever ever uploaded, replaced or submitted it.
    pub contributors: Contributors,
    pub ever_published: bool,
    pub uploaded: Mark,
    pub updated: Mark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub id: SubmissionId,
    pub package: Digest,
    pub listing: Digest,
    pub submitted: Option<Mark>,
    /// What it is decided by, and who approved so far.
    pub review: Option<Review>,
}

/// The versions of an app that stand in one of `stages`, the highest first.
pub fn versions(
    conn: &Connection,
    app: AppId,
    stages: &[Stage],
    page: &PageRequest,
) -> Result<Page<Version>, ViewError> {
    let mut conditions = Conditions::default();
    conditions.add("app = ?", values![app]);
    conditions.add(&in_one_of(stages), vec![]);
    let list = List {
        select: "SELECT sort_key, row FROM version",
        column: "sort_key",
        kind: KeyKind::Text,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, sql::json)
}

/// The places that the versions of an app have in the list of its [`versions`], those that stand in one of `stages`.
pub fn places(conn: &Connection, app: AppId, stages: &[Stage]) -> Result<HashSet<Key>, ViewError> {
    let sql = format!("SELECT sort_key FROM version WHERE app = ? AND {}", in_one_of(stages));
    let place = |c: &mut Columns<'_, '_>| Ok(Key::from_text(c.take()?));
    Ok(sql::rows(conn, &sql, values![app], place)?.into_iter().collect())
}

fn in_one_of(stages: &[Stage]) -> String {
    let names: Vec<_> = stages.iter().map(|stage| format!("'{}'", stage.as_str())).collect();
    format!("stage IN ({})", names.join(", "))
}

/// A version by its number, however that is written, also if it is deleted.
pub fn version(conn: &Connection, app: AppId, number: &VersionNumber) -> Result<Option<Version>, ViewError> {
    let key = values![app, number.sort_key()];
    Ok(sql::first(
        conn,
        "SELECT row FROM version WHERE app = ? AND sort_key = ?",
        key,
        sql::json,
    )?)
}

impl Lookup for (AppId, VersionNumber) {
    type Row = Version;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, Version>, ViewError> {
        if let [key @ (app, number)] = keys {
            return Ok(version(conn, *app, number)?
                .map(|row| (key.clone(), row))
                .into_iter()
                .collect());
        }
        let sql = "SELECT row FROM version WHERE (app, sort_key) IN (
                   SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?))";
        let named: Vec<_> = keys
            .iter()
            .map(|(app, number)| (lookup::hex(app), number.sort_key()))
            .collect();
        let found = sql::rows(conn, sql, values![Json(&named)], sql::json::<Version>)?;
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|row| ((row.app, row.number.sort_key()), row))
            .collect();
        let row = |key: &Self| Some((key.clone(), found.get(&(key.0, key.1.sort_key()))?.clone()));
        Ok(keys.iter().filter_map(row).collect())
    }
}

/// A page of the [`versions`] of an app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionsOf {
    pub app: AppId,
    pub stages: Vec<Stage>,
    pub page: PageRequest,
}

impl Lookup for VersionsOf {
    type Row = Page<Version>;

    fn find(conn: &Connection, keys: &[Self]) -> Result<HashMap<Self, Page<Version>>, ViewError> {
        const CHILDREN: Children = Children {
            table: "version",
            parent: "app",
            key: "sort_key",
            kind: KeyKind::Text,
        };
        let mut alike: HashMap<_, Vec<AppId>> = HashMap::new();
        for key in keys {
            alike.entry((&key.stages, &key.page)).or_default().push(key.app);
        }
        let mut found = HashMap::new();
        for ((stages, page), apps) in alike {
            let pages = CHILDREN.pages(conn, &apps, &format!("c.{}", in_one_of(stages)), page)?;
            found.extend(pages.into_iter().map(|(app, rows)| {
                let (stages, page) = (stages.clone(), page.clone());
                (Self { app, stages, page }, rows)
            }));
        }
        Ok(found)
    }
}

/// Whether a listing stands in the submission of one of the app's versions.
pub fn is_submitted_listing(conn: &Connection, app: AppId, listing: Digest) -> Result<bool, ViewError> {
    let sql = "SELECT 1 FROM version WHERE app = ? AND listing = ?";
    Ok(sql::first(conn, sql, values![app, listing], |_| Ok(()))?.is_some())
}

pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    moment::create_history::<Version>(conn)
}

pub(super) fn fold(change: &Change<'_>, rows: &mut Changes<Version>) {
    for number in change.touched() {
        let after = Version::of(change.after, number);
        rows.replace(change.fact.position, change.before.version(number), after);
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
            revision: version.revision,
            package: version.package.clone(),
            submission: version.stage.submission().map(|submission| {
                Submission::of(
                    submission,
                    version.review.clone(),
                    notes.submitted.map(|submitted| submitted.mark),
                )
            }),
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
    const fn of(submission: &app::Submission, review: Option<Review>, submitted: Option<Mark>) -> Self {
        Self {
            id: submission.id,
            package: submission.package,
            listing: submission.listing,
            submitted,
            review,
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
    /// Where a version may stand that is not deleted.
    pub const NOT_DELETED: &[Self] = &[
        Self::Draft,
        Self::Submitted,
        Self::InReview,
        Self::Approved,
        Self::Rejected,
        Self::Published,
        Self::Suspended,
    ];

    /// Who may know of a version that stands here; see [`domain::app::Stage::visibility`].
    #[must_use]
    pub const fn visibility(self) -> StageVisibility {
        match self {
            Self::Draft | Self::Deleted => StageVisibility::Own,
            Self::Published => StageVisibility::InStore,
            Self::Submitted | Self::InReview | Self::Approved | Self::Rejected | Self::Suspended => {
                StageVisibility::HandedIn
            }
        }
    }

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

impl Kept for Version {
    type Key = (AppId, VersionNumber);

    const TABLE: &'static str = "version";
    const KEY: &'static [&'static str] = &["app", "sort_key"];
    const COLUMNS: &'static [&'static str] = &["stage", "chart", "listing", "row"];
    const PAST_KEYS: &'static [&'static str] = &["app, sort_key"];

    moment::statements!();

    fn key(&self) -> Self::Key {
        (self.app, self.number.clone())
    }

    fn key_values((app, number): &Self::Key) -> Vec<Value> {
        values![*app, number.sort_key()]
    }

    fn values(&self) -> Vec<Value> {
        let listing = self.submission.as_ref().map(|submission| submission.listing);
        values![self.stage.as_str(), self.package.chart, listing, Json(self)]
    }
}
