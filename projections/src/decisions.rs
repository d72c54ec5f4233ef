//! Every review decision, with what an auditor asks of it: who, in which role, about which bytes, under which policy.
//!
//! What was so at the time is kept with the row: the roles that allowed it, who had worked on its subject, the policy
//! that its submission froze. What the event itself says of that is what counts. A decision is never taken back, so a row never changes.

mod made;

use chrono::{DateTime, Utc};
use domain::{
    app::{Event, Terms},
    digest::{Digest, Sealed},
    ids::{AccountId, AppId, DecisionId, SubmissionId, WorkspaceId},
    names::{ChartName, RoleName},
    permission::Permission,
    version_number::VersionNumber,
};
use rusqlite::{
    Connection, Transaction,
    types::{FromSqlError, FromSqlResult, Value, ValueRef},
};

use self::made::Made;
use crate::{
    change::Change,
    dossier::Submitted,
    error::ViewError,
    fact::Fact,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    sql::{self, Columns, FromColumn, Json, ToColumn, values},
};
pub use crate::{
    dossier::Decision,
    moment::{Mark, Period, ReversedPeriod},
    reviews::Subject,
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE decision (
    position     INTEGER NOT NULL PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    at           INTEGER NOT NULL,
    reviewer     BLOB,
    decision     TEXT NOT NULL,
    reason       TEXT,
    app          BLOB NOT NULL,
    workspace    BLOB NOT NULL,
    chart        TEXT NOT NULL,
    version      TEXT,
    package      BLOB,
    submission   BLOB NOT NULL,
    listing      BLOB NOT NULL,
    roles        TEXT NOT NULL,
    authors      TEXT NOT NULL,
    submitted    INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    submitted_by BLOB,
    policy       BLOB NOT NULL,
    terms        TEXT,
    last         INTEGER NOT NULL,
    earlier      INTEGER NOT NULL,
    previous     BLOB
);
CREATE INDEX decision_of_app ON decision (app);
CREATE INDEX decision_of_workspace ON decision (workspace);
CREATE INDEX decision_of_subject ON decision (app, version);
";

/// A decision that was made. A later one may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    pub position: u64,
    pub id: DecisionId,
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
    /// The reviewer's role that the decision was made in. Of a decision older than [`terms`](Self::terms) are, all roles
    /// that allowed it when it was made.
    pub roles: Vec<RoleName>,
    /// Whoever had uploaded, edited or submitted what was decided about.
    pub authors: Vec<AccountId>,
    pub submitted: Mark,
    /// The review policy that the submission froze.
    pub policy: Digest,
    /// By which stage, role and policy, as the event says; unknown of decisions older than policies.
    pub terms: Option<Terms>,
    /// Whether it ended the review, and was not one approval of several.
    pub last: bool,
    /// How many decisions there were before on the same subject: the same version, or the listing of the same app.
    pub earlier: u64,
    /// The last of them.
    pub previous: Option<DecisionId>,
}

/// Which decisions to list; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionFilter {
    pub id: Option<DecisionId>,
    pub app: Option<AppId>,
    pub workspace: Option<WorkspaceId>,
    pub decision: Option<Decision>,
    pub period: Period,
}

const SELECT: &str = "SELECT position, position, id, at, reviewer, decision, reason, app, workspace, chart, version,
    package, submission, listing, roles, authors, submitted, submitted_at, submitted_by, policy, terms, last,
    earlier, previous FROM decision";

/// The decisions, the newest first.
pub fn decisions(
    conn: &Connection,
    filter: &DecisionFilter,
    page: &PageRequest,
) -> Result<Page<DecisionRecord>, ViewError> {
    let conditions = filter.conditions(conn)?;
    let list = List {
        select: SELECT,
        column: "position",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, DecisionRecord::read)
}

/// How many decisions there are.
pub fn count(conn: &Connection, filter: &DecisionFilter) -> Result<u64, ViewError> {
    let conditions = filter.conditions(conn)?;
    let (sql, values) = conditions.statement("SELECT count(*) FROM decision");
    Ok(sql::first(conn, &sql, values, sql::value)?.unwrap_or_default())
}

/// At most `limit` decisions at positions from `from` to before `until`, the oldest first: a list of any length is read
/// in parts, each from behind the last position of the one before.
pub fn batch(
    conn: &Connection,
    filter: &DecisionFilter,
    (from, until): (u64, u64),
    limit: usize,
) -> Result<Vec<DecisionRecord>, ViewError> {
    let mut conditions = filter.conditions(conn)?;
    conditions.add("position >= ?", values![from]);
    conditions.add("position < ?", values![until]);
    let (mut sql, values) = conditions.statement(SELECT);
    sql.push_str(&format!(" ORDER BY position LIMIT {limit}"));
    let record = |columns: &mut Columns<'_, '_>| {
        let _key: u64 = columns.take()?;
        DecisionRecord::read(columns)
    };
    Ok(sql::rows(conn, &sql, values, record)?)
}

impl DecisionFilter {
    fn conditions(&self, conn: &Connection) -> rusqlite::Result<Conditions> {
        let mut conditions = Conditions::default();
        conditions.add_if("id = ?", self.id);
        conditions.add_if("app = ?", self.app);
        conditions.add_if("workspace = ?", self.workspace);
        conditions.add_if("decision = ?", self.decision);
        self.period.restrict(conn, "position", &mut conditions)?;
        Ok(conditions)
    }
}

/// How the app stood about which an event decides.
pub(crate) struct Circumstances {
    app: AppId,
    workspace: WorkspaceId,
    chart: ChartName,
    authors: Vec<AccountId>,
    submitted: Submitted,
}

impl Circumstances {
    /// `None` if the event decides nothing.
    pub(crate) fn of(change: &Change<'_>) -> Option<Self> {
        let (made, dossier) = (Made::by(change.event)?, change.after);
        Some(Self {
            app: dossier.id,
            workspace: dossier.app.workspace,
            chart: dossier.app.chart.clone(),
            authors: made.authors(dossier),
            // Nothing is decided that was not submitted.
            submitted: made.submitted(dossier)?,
        })
    }
}

pub(crate) fn record(
    tx: &Transaction<'_>,
    fact: &Fact,
    event: &Event,
    circumstances: &Circumstances,
) -> Result<(), ViewError> {
    let Some(made) = Made::by(event) else {
        return Ok(());
    };
    let Circumstances {
        app,
        workspace,
        chart,
        authors,
        submitted,
    } = circumstances;
    let mark = fact.mark();
    let roles = made.roles(tx, mark.by)?;
    let version = made.version.map(|(number, _)| number.clone());
    let (earlier, previous) = before(tx, *app, version.as_ref())?;
    let values = values![
        mark.position,
        DecisionId::from_uuid(fact.id),
        mark.at,
        mark.by,
        made.decision,
        made.reason.cloned(),
        app,
        workspace,
        chart,
        version,
        made.version.map(|(_, package)| package),
        made.submission,
        made.listing,
        Json(&roles),
        Json(authors),
        submitted.mark.position,
        submitted.mark.at,
        submitted.mark.by,
        submitted.policy,
        made.terms.map(Json),
        u64::from(made.last),
        earlier,
        previous,
    ];
    let sql = "INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sql::execute(tx, sql, values)?;
    Ok(())
}

/// How many decisions there are on this subject so far, and the last one.
fn before(
    conn: &Connection,
    app: AppId,
    version: Option<&VersionNumber>,
) -> rusqlite::Result<(u64, Option<DecisionId>)> {
    let sql = "SELECT earlier, id FROM decision WHERE app = ? AND version IS ? ORDER BY position DESC LIMIT 1";
    let last = sql::first(conn, sql, values![app, version], |c| Ok((c.take::<u64>()?, c.take()?)))?;
    Ok(last.map_or((0, None), |(earlier, id)| (earlier + 1, Some(id))))
}

impl DecisionRecord {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: columns.take()?,
            id: columns.take()?,
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
            roles: columns.json()?,
            authors: columns.json()?,
            submitted: Mark {
                position: columns.take()?,
                at: columns.take()?,
                by: columns.take()?,
            },
            policy: columns.take()?,
            terms: columns.optional_json()?,
            last: columns.take::<u64>()? == 1,
            earlier: columns.take()?,
            previous: columns.take()?,
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

    /// What allows it.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Approved => Permission::ReviewApprove,
            Self::Rejected => Permission::ReviewReject,
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
