//! The audit trail: who did what, when, to what.

use async_graphql::{Context, ID, InputObject, Json, Object};
use chrono::{DateTime, Utc};
use domain::{access::Place, ids::Actor, permission::Permission};
use eventstore::Position;
use projections::audit::{self, AuditFilter, Period};

use super::{
    NodeId,
    accounts::Account,
    apps::App,
    error::{ApiError, Result},
    limits::make_room,
    page::{self, Connected},
    releases::Release,
    scalars::{LogPosition, SemVer},
    viewer::{read, services, viewer},
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
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<AuditEntry>> {
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        let Some(filter) = filter.unwrap_or_default().within_reach(ctx)? else {
            return Ok(Connected::new(false, false));
        };
        let rows = read(ctx, move |view| audit::trail(view, &filter, &request)).await?;
        Ok(page::connection(rows, is_first, AuditEntry))
    }
}

/// Which entries of the audit trail to list.
#[derive(Debug, Default, InputObject)]
pub struct AuditFilterInput {
    /// Only what this account did.
    actor: Option<ID>,
    /// Only events of this name, such as `VersionApproved`.
    event: Option<String>,
    /// Only what happened to this app.
    app: Option<ID>,
    /// Only what happened in this workspace.
    workspace: Option<ID>,
    /// Only what happened to this release.
    release: Option<ID>,
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
        filter.app = named(self.app.as_ref(), |id| match id {
            NodeId::App(app) => Some(app),
            _ => None,
        })?;
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

pub struct AuditEntry(pub audit::AuditRow);

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

    /// Its facts, as they were recorded. Text that can be erased stands here only as the hash of its ciphertext.
    async fn data(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        let event = services(ctx).log.read(Position::new(self.0.position), 1).await?;
        let data = event.first().and_then(|event| Some(event.envelope().ok()?.data));
        make_room(ctx, data.as_ref().map_or(0, |data| data.get().len()))?;
        let data = data.and_then(|data| serde_json::from_str(data.get()).ok());
        Ok(Json(data.unwrap_or_default()))
    }
}
