//! The audit trail: one row for every event of the log, with what it is about.
//!
//! Rows hold ids. What an event says beyond them is read from the log.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    account::{self, Account, Scope},
    app::App,
    category::{self, Category},
    cluster,
    decider::Decider,
    event::DomainEvent,
    export,
    health::Observed,
    ids::{AccountId, Actor, AppId, CategoryId, ProjectId, ReleaseId, SubmissionId, WorkspaceId},
    invitation, name,
    project::Project,
    refusal, release, role, session,
    version_number::VersionNumber,
    workspace::{self, Workspace},
};
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

pub use crate::moment::Period;
use crate::{
    dossier::Decision,
    error::ViewError,
    fact::Fact,
    page::{Conditions, KeyKind, List, Order, Page, PageRequest},
    releases::Release,
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE audit (
    position    INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       BLOB,
    event       TEXT NOT NULL,
    stream      TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    id          BLOB NOT NULL,
    correlation BLOB NOT NULL,
    causation   BLOB,
    workspace   BLOB,
    project     BLOB,
    app         BLOB,
    version     TEXT,
    submission  BLOB,
    release     BLOB,
    category    BLOB,
    account     BLOB
);
CREATE INDEX audit_by_correlation ON audit (correlation);
CREATE INDEX audit_by_actor ON audit (actor);
CREATE INDEX audit_by_event ON audit (event);
CREATE INDEX audit_by_workspace ON audit (workspace) WHERE workspace IS NOT NULL;
CREATE INDEX audit_by_app ON audit (app) WHERE app IS NOT NULL;
CREATE INDEX audit_by_release ON audit (release) WHERE release IS NOT NULL;
CREATE INDEX audit_by_submission ON audit (submission) WHERE submission IS NOT NULL;
";

/// An event, and what it is about as far as that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub position: u64,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// The event's stored name, such as `VersionApproved`.
    pub event: String,
    pub stream: String,
    /// The event's number in its stream, from 1.
    pub revision: u64,
    pub id: Uuid,
    /// What all events of one action have in common, those it set off included.
    pub correlation: Uuid,
    /// The id of the event that this one is a reaction to.
    pub causation: Option<Uuid>,
    pub about: About,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    pub workspace: Option<WorkspaceId>,
    pub project: Option<ProjectId>,
    pub app: Option<AppId>,
    pub version: Option<VersionNumber>,
    pub submission: Option<SubmissionId>,
    pub release: Option<ReleaseId>,
    pub category: Option<CategoryId>,
    pub account: Option<AccountId>,
}

/// Which events to list; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    pub actor: Option<Actor>,
    pub event: Option<String>,
    pub app: Option<AppId>,
    pub version: Option<VersionNumber>,
    pub workspace: Option<WorkspaceId>,
    pub release: Option<ReleaseId>,
    pub submission: Option<SubmissionId>,
    pub correlation: Option<Uuid>,
    /// Only review decisions that ended so.
    pub decision: Option<Decision>,
    pub period: Period,
}

/// Most events that [`actions`] answers: a hundred actions with as many events as a release has that was retried for days.
const ACTION_EVENTS_MAX: usize = 10_000;

const SELECT: &str = "SELECT position, position, at, actor, event, stream, revision, id, correlation, causation,
                             workspace, project, app, version, submission, release, category, account FROM audit";

/// The trail, the newest event first.
pub fn trail(conn: &Connection, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditRow>, ViewError> {
    let mut conditions = Conditions::default();
    match filter.actor {
        Some(Actor::Account(account)) => conditions.add("actor = ?", values![account]),
        Some(Actor::System) => conditions.add("actor IS NULL", vec![]),
        None => {}
    }
    conditions.add_if("event = ?", filter.event.clone());
    conditions.add_if("app = ?", filter.app);
    conditions.add_if("version = ?", filter.version.clone());
    conditions.add_if("workspace = ?", filter.workspace);
    conditions.add_if("release = ?", filter.release);
    conditions.add_if("submission = ?", filter.submission);
    conditions.add_if("correlation = ?", filter.correlation);
    match filter.decision {
        Some(Decision::Approved) => conditions.add("event IN ('VersionApproved', 'ListingApproved')", vec![]),
        Some(Decision::Rejected) => conditions.add("event IN ('VersionRejected', 'ListingRejected')", vec![]),
        None => {}
    }
    filter.period.restrict(conn, "position", &mut conditions)?;
    let list = List {
        select: SELECT,
        column: "position",
        kind: KeyKind::Position,
        order: Order::Descending,
    };
    list.page(conn, conditions, page, AuditRow::read)
}

/// One event of the trail.
pub fn entry(conn: &Connection, position: u64) -> Result<Option<AuditRow>, ViewError> {
    let sql = format!("{SELECT} WHERE position = ?");
    // The key of a page comes first in the row.
    Ok(sql::first(conn, &sql, values![position], |columns| {
        let _: u64 = columns.take()?;
        AuditRow::read(columns)
    })?)
}

/// The events of these actions, in order; no more than `ACTION_EVENTS_MAX` of them all.
pub fn actions(conn: &Connection, correlations: &BTreeSet<Uuid>) -> Result<Vec<AuditRow>, ViewError> {
    let sql = format!(
        "{SELECT} WHERE correlation IN (SELECT unhex(value) FROM json_each(?))
         ORDER BY position LIMIT {ACTION_EVENTS_MAX}"
    );
    let named: Vec<_> = correlations.iter().map(|id| id.simple().to_string()).collect();
    Ok(sql::rows(conn, &sql, values![Json(&named)], |columns| {
        let _: u64 = columns.take()?;
        AuditRow::read(columns)
    })?)
}

pub(crate) fn record(tx: &Transaction<'_>, fact: &Fact, about: &About) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (position, at, actor, event, stream, revision, id, correlation, causation, workspace,
               project, app, version, submission, release, category, account)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = values![
        fact.position,
        fact.stamp.at,
        fact.stamp.by.account(),
        fact.name.as_str(),
        fact.stream.as_str(),
        fact.revision,
        fact.id,
        fact.correlation,
        fact.causation,
        about.workspace,
        about.project,
        about.app,
        about.version,
        about.submission,
        about.release,
        about.category,
        about.account,
    ];
    sql::execute(tx, sql, values).map(drop)
}

impl About {
    /// What the event is about, as far as its stream and its facts say.
    pub(crate) fn of(fact: &Fact) -> Self {
        let mut about = Self::stream(fact.stream.as_str());
        match &fact.event {
            DomainEvent::Account(event) => about.granted(event),
            DomainEvent::App(event) => {
                about.version = event.version().cloned();
                about.submission = event.submission();
            }
            DomainEvent::Category(event) => about.shelved(event),
            DomainEvent::Name(name::Event::NameTaken { holder } | name::Event::NameReleased { holder }) => {
                about = Self::stream(holder);
            }
            DomainEvent::Cluster(
                cluster::Event::ClusterScopeAllowed { app } | cluster::Event::ClusterScopeForbidden { app },
            ) => about.app = Some(*app),
            DomainEvent::Invitation(
                invitation::Event::MemberInvited { scope, .. }
                | invitation::Event::InvitationAccepted { scope, .. }
                | invitation::Event::InvitationWithdrawn { scope, .. },
            ) => about.granted_at(*scope),
            DomainEvent::Invitation(invitation::Event::InvitationsWithdrawn {}) => {}
            DomainEvent::Role(
                role::Event::RoleDefined { workspace, .. } | role::Event::RoleRetired { workspace, .. },
            ) => about.workspace = *workspace,
            DomainEvent::Session(session::Event::SessionOpened { account, .. }) => about.account = Some(*account),
            DomainEvent::Refusal(refusal::Event::SignInRefused { account, .. }) => about.account = *account,
            DomainEvent::Workspace(event) => about.joined(event),
            DomainEvent::Export(export::Event::DecisionsExported { selection, .. }) => {
                about.app = selection.app;
                about.workspace = selection.workspace;
            }
            DomainEvent::Cluster(_)
            | DomainEvent::Content(_)
            | DomainEvent::Health(_)
            | DomainEvent::Log(_)
            | DomainEvent::Policy(_)
            | DomainEvent::Project(_)
            | DomainEvent::Release(_)
            | DomainEvent::Session(session::Event::SessionClosed {}) => {}
        }
        about
    }

    /// What an app's event is about beyond what it says.
    pub(crate) const fn within_app(mut self, workspace: WorkspaceId) -> Self {
        self.workspace = Some(workspace);
        self
    }

    /// What a release's event is about beyond what it says.
    pub(crate) fn within_release(mut self, release: &Release) -> Self {
        self.workspace = release.workspace;
        self.project = Some(release.project);
        self.app = Some(release.app);
        self.version = Some(release.wanted.version.clone());
        self
    }

    /// What a stream is about by its name, such as `app-0198…`.
    fn stream(name: &str) -> Self {
        let (category, key) = name.split_once('-').unwrap_or((name, ""));
        let mut about = Self::default();
        match category {
            Account::CATEGORY => about.account = key.parse().ok(),
            App::CATEGORY => about.app = key.parse().ok(),
            Category::CATEGORY => about.category = key.parse().ok(),
            Project::CATEGORY => about.project = key.parse().ok(),
            release::Release::CATEGORY | Observed::CATEGORY => about.release = key.parse().ok(),
            Workspace::CATEGORY => about.workspace = key.parse().ok(),
            _ => {}
        }
        about
    }

    const fn granted(&mut self, event: &account::Event) {
        match event {
            account::Event::RoleGranted { scope, .. } | account::Event::RoleRevoked { scope, .. } => {
                self.granted_at(*scope);
            }
            account::Event::AccountCreated { .. }
            | account::Event::TokenIssued { .. }
            | account::Event::TokenRevoked { .. }
            | account::Event::PasswordSet { .. }
            | account::Event::IdentityLinked { .. }
            | account::Event::AccountBlocked {}
            | account::Event::AccountUnblocked {}
            | account::Event::SubjectErased { .. } => {}
        }
    }

    const fn granted_at(&mut self, scope: Scope) {
        match scope {
            Scope::Platform {} => {}
            Scope::Workspace { workspace } => self.workspace = Some(workspace),
            Scope::Project { project } => self.project = Some(project),
        }
    }

    const fn joined(&mut self, event: &workspace::Event) {
        match event {
            workspace::Event::AppJoined { app, .. } | workspace::Event::AppLeft { app } => self.app = Some(*app),
            workspace::Event::ProjectJoined { project, .. } => self.project = Some(*project),
            workspace::Event::ReleaseJoined { release, .. } | workspace::Event::ReleaseLeft { release } => {
                self.release = Some(*release);
            }
            workspace::Event::WorkspaceCreated { .. } | workspace::Event::WorkspaceClosed {} => {}
        }
    }

    const fn shelved(&mut self, event: &category::Event) {
        match event {
            category::Event::AppShelved { app } | category::Event::AppUnshelved { app } => self.app = Some(*app),
            category::Event::CategoryCreated { .. }
            | category::Event::CategoryEdited { .. }
            | category::Event::CategoryDeleted {} => {}
        }
    }
}

impl AuditRow {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: columns.take()?,
            at: columns.take()?,
            actor: columns.take::<Option<_>>()?.map_or(Actor::System, Actor::Account),
            event: columns.take()?,
            stream: columns.take()?,
            revision: columns.take()?,
            id: columns.take()?,
            correlation: columns.take()?,
            causation: columns.take()?,
            about: About {
                workspace: columns.take()?,
                project: columns.take()?,
                app: columns.take()?,
                version: columns.take()?,
                submission: columns.take()?,
                release: columns.take()?,
                category: columns.take()?,
                account: columns.take()?,
            },
        })
    }
}
