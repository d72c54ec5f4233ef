//! The audit trail: who did what, when, to what.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Json, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    digest::Digest,
    ids::{Actor, SubmissionId},
    permission::Permission,
};
use eventstore::Recorded;
use projections::audit::{self, AuditFilter, AuditRow, Period};
use uuid::Uuid;

use super::{
    NodeId,
    accounts::Account,
    apps::App,
    at_least::{self, AtLeast},
    error::{ApiError, Result},
    evidence::InclusionProof,
    limits::make_room,
    loaders::{self, Action, EventAt},
    page::{self, Connected},
    releases::Release,
    reviews::ReviewDecision,
    scalars::{LogPosition, SemVer, Sha256},
    tenancy::Workspace,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Everything that ever happened, the newest first: all of it for auditors, else what happened in one workspace of
    /// the viewer's.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn audit_trail(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilterInput>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<AuditEntry>> {
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let Some(filter) = filter.unwrap_or_default().within_reach(ctx)? else {
            return Ok(Connected::empty());
        };
        let rows = read(ctx, move |view| audit::trail(view, &filter, &request)).await?;
        Ok(page::connection(ctx, rows, is_first, AuditEntry))
    }
}

/// Which entries of the audit trail to list.
#[derive(Debug, Default, InputObject)]
pub struct AuditFilterInput {
    /// Only what this account did.
    actor: Option<ID>,
    /// Only what Charthouse did by itself: its worker, its first start, whoever holds its data folder.
    #[graphql(default)]
    by_charthouse: bool,
    /// Only events of this name, such as `VersionApproved`.
    event: Option<String>,
    /// Only what happened to this app.
    app: Option<ID>,
    /// Only what happened to this version.
    version: Option<ID>,
    /// Only what happened in this workspace.
    workspace: Option<ID>,
    /// Only what happened to this release.
    release: Option<ID>,
    /// Only review decisions that ended so.
    decision: Option<ReviewDecision>,
    /// Only what happened to this submission: how one decision came about, and what followed from it.
    submission: Option<Uuid>,
    /// Only what has this correlation id: one action, with everything that it set off.
    correlation_id: Option<Uuid>,
    /// Only what happened at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only what happened before this time.
    until: Option<DateTime<Utc>>,
}

impl AuditFilterInput {
    fn narrow(&self, filter: &mut AuditFilter) -> Option<()> {
        filter.actor = named(self.actor.as_ref(), |id| match id {
            NodeId::Account(account) => Some(Actor::Account(account)),
            _ => None,
        })?;
        if self.by_charthouse && filter.actor.replace(Actor::System).is_some() {
            return None;
        }
        filter.app = named(self.app.as_ref(), |id| match id {
            NodeId::App(app) => Some(app),
            _ => None,
        })?;
        let version = named(self.version.as_ref(), |id| match id {
            NodeId::Version(app, number) => Some((app, number)),
            _ => None,
        })?;
        if let Some((app, number)) = version {
            if filter.app.replace(app).is_some_and(|other| other != app) {
                return None;
            }
            filter.version = Some(number);
        }
        filter.workspace = named(self.workspace.as_ref(), |id| match id {
            NodeId::Workspace(workspace) => Some(workspace),
            _ => None,
        })?;
        filter.release = named(self.release.as_ref(), |id| match id {
            NodeId::Release(release) => Some(release),
            _ => None,
        })?;
        Some(())
    }

    /// The filter, if the viewer may look there; `None` if it names something that is not there for the viewer.
    fn within_reach(self, ctx: &Context<'_>) -> Result<Option<AuditFilter>> {
        let mut filter = AuditFilter {
            event: self.event.clone(),
            decision: self.decision.map(Into::into),
            submission: self.submission.map(SubmissionId::from_uuid),
            correlation: self.correlation_id,
            period: Period::new(self.from, self.until)?,
            ..AuditFilter::default()
        };
        // An id of another kind of thing names nothing there.
        let Some(()) = self.narrow(&mut filter) else {
            return Ok(None);
        };
        let viewer = viewer(ctx)?;
        if viewer.may(Permission::AuditView, Place::Platform) {
            return Ok(Some(filter));
        }
        let Some(workspace) = filter.workspace else {
            return Err(ApiError::new(
                "FORBIDDEN",
                "the whole trail is for auditors; name a workspace",
            ));
        };
        Ok(viewer
            .may(Permission::WorkspaceView, Place::Workspace(workspace))
            .then_some(filter))
    }
}

pub struct AuditEntry(pub AuditRow);

impl AuditEntry {
    async fn recorded(&self, ctx: &Context<'_>) -> Result<Recorded> {
        let event = loaders::load(ctx, EventAt(self.0.position)).await?;
        event.ok_or_else(|| ApiError::new("INTERNAL", "the log lacks an event of the audit trail"))
    }

    /// The events of its action, this one included.
    async fn of_its_action(&self, ctx: &Context<'_>) -> Result<Arc<Vec<AuditRow>>> {
        Ok(loaders::load(ctx, Action(self.0.correlation))
            .await?
            .unwrap_or_default())
    }

    /// The events of its action that the viewer may see and that `is_one` of those wanted.
    async fn related(&self, ctx: &Context<'_>, is_one: impl Fn(&AuditRow) -> bool) -> Result<Vec<Self>> {
        let viewer = viewer(ctx)?;
        let rows = self.of_its_action(ctx).await?;
        let rows = rows.iter().filter(|row| is_one(row) && is_in_trail_of(viewer, row));
        Ok(rows.cloned().map(Self).collect())
    }
}

/// The trail is all events for auditors, else those of the viewer's own workspaces.
pub(super) fn is_in_trail_of(viewer: &Principal, row: &AuditRow) -> bool {
    let of_workspace = row.about.workspace.map(Place::Workspace);
    viewer.may(Permission::AuditView, Place::Platform)
        || of_workspace.is_some_and(|place| viewer.may(Permission::WorkspaceView, place))
}

/// What an id names, if it is of the kind that is wanted.
fn named<T>(id: Option<&ID>, kind: fn(NodeId) -> Option<T>) -> Option<Option<T>> {
    match id {
        Some(id) => NodeId::parse(id).and_then(kind).map(Some),
        None => Some(None),
    }
}

/// One event, as an auditor reads it.
#[Object]
impl AuditEntry {
    /// Where it stands in the log.
    async fn position(&self) -> LogPosition {
        LogPosition(self.0.position)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What happened, by the event's stored name.
    async fn event(&self) -> &str {
        &self.0.event
    }

    /// The stream it happened to, such as `app-0198…`.
    async fn stream(&self) -> &str {
        &self.0.stream
    }

    /// Its number in its stream, from 1.
    async fn revision(&self) -> u64 {
        self.0.revision
    }

    /// Who did it; absent if it was Charthouse itself.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.actor.account()).await
    }

    /// The app it is about, as it is now.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        match self.0.about.app {
            Some(app) => App::load(ctx, app).await,
            None => Ok(None),
        }
    }

    /// The number of the version it is about.
    async fn version_number(&self) -> Option<SemVer> {
        self.0.about.version.clone().map(SemVer)
    }

    /// The release it is about, as it is now.
    async fn release(&self, ctx: &Context<'_>) -> Result<Option<Release>> {
        match self.0.about.release {
            Some(release) => Release::load(ctx, release).await,
            None => Ok(None),
        }
    }

    /// The workspace it happened in.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<Workspace>> {
        match self.0.about.workspace {
            Some(workspace) => Workspace::load(ctx, workspace).await,
            None => Ok(None),
        }
    }

    /// The submission it is about.
    async fn submission(&self) -> Option<Uuid> {
        self.0.about.submission.map(SubmissionId::as_uuid)
    }

    /// The event's id: what CloudEvents call `id`.
    async fn event_id(&self) -> Uuid {
        self.0.id
    }

    /// The id of the command it came of; absent for what Charthouse did by itself.
    async fn command_id(&self, ctx: &Context<'_>) -> Result<Option<Uuid>> {
        let event = self.recorded(ctx).await?;
        let envelope = event.envelope().map_err(|error| ApiError::internal(&error))?;
        Ok(envelope.command_id)
    }

    /// What all events of one action have in common, those it set off included.
    async fn correlation_id(&self) -> Uuid {
        self.0.correlation
    }

    /// The id of the event that this one is a reaction to.
    async fn causation_id(&self) -> Option<Uuid> {
        self.0.causation
    }

    /// The event that this one is a reaction to, if it is one and the viewer may see it.
    #[graphql(complexity = "1 + child_complexity")]
    async fn caused_by(&self, ctx: &Context<'_>) -> Result<Option<AuditEntry>> {
        match self.0.causation {
            Some(cause) => Ok(self.related(ctx, |row| row.id == cause).await?.pop()),
            None => Ok(None),
        }
    }

    /// The events that are reactions to this one, as far as the viewer may see them.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn consequences(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>> {
        self.related(ctx, |row| row.causation == Some(self.0.id)).await
    }

    /// All events of its action, this one and what was set off included, in order.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn action(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>> {
        self.related(ctx, |_| true).await
    }

    /// The RFC 6962 hash of its leaf. With the position it is what a proof is about.
    async fn leaf_hash(&self, ctx: &Context<'_>) -> Result<Sha256> {
        Ok(Sha256(Digest::from_bytes(self.recorded(ctx).await?.leaf_hash())))
    }

    /// Proof that it stands in the log as it is told here. Waits for a moment if it is too new to be signed.
    #[graphql(complexity = "20")]
    pub(super) async fn inclusion_proof(&self, ctx: &Context<'_>) -> Result<InclusionProof> {
        InclusionProof::of(ctx, &self.recorded(ctx).await?).await
    }

    /// Its facts, as they were recorded. Text that can be erased stands here only as the hash of its ciphertext.
    async fn data(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        let event = self.recorded(ctx).await?;
        let data = event.envelope().map_err(|error| ApiError::internal(&error))?.data;
        make_room(ctx, data.get().len())?;
        let data = serde_json::from_str(data.get()).map_err(|error| ApiError::internal(&error))?;
        Ok(Json(data))
    }
}
