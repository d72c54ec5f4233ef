//! Whoever asks, and what every resolver needs to know of them.

use std::{sync::Arc, time::Duration};

use async_graphql::{
    Context, Data, Object, Response, ServerResult,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
};
use domain::{
    access::{Place, Principal},
    account::Scope,
    permission::Permission,
};
use futures_util::future::try_join_all;
use projections::{Connection, Moment, ViewError, access::Key};

use super::{
    accounts::Account,
    allowed::LoadedApps,
    credentials::{Session, Token, own},
    error::{ApiError, Result, request_error},
    loaders::Loads,
    members::Invitation,
    tenancy::{Project, Workspace},
};
use crate::{
    auth::{Credentials, Sender},
    services::Services,
};

pub fn services<'a>(ctx: &Context<'a>) -> &'a Services {
    ctx.data_unchecked::<Services>()
}

/// What a request or a socket showed of itself: for what goes on after the resolver that began it.
pub fn credentials(ctx: &Context<'_>) -> Credentials {
    ctx.data_opt().copied().unwrap_or(Credentials::Absent)
}

/// The signed-in account with its grants.
///
/// # Errors
///
/// `UNAUTHENTICATED` for whoever sent no token and has no session.
pub fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Principal> {
    match ctx.data_opt::<Sender>() {
        Some(Sender::Account(principal, _)) => Ok(principal),
        Some(Sender::Anonymous) | None => Err(ApiError::unauthenticated()),
    }
}

/// By what the viewer signed in.
///
/// # Errors
///
/// As [`viewer`].
pub fn key(ctx: &Context<'_>) -> Result<Key> {
    match ctx.data_opt::<Sender>() {
        Some(Sender::Account(_, key)) => Ok(*key),
        Some(Sender::Anonymous) | None => Err(ApiError::unauthenticated()),
    }
}

/// Reads the views, all of one moment.
pub async fn read<T, F>(ctx: &Context<'_>, query: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> std::result::Result<T, ViewError> + Send + 'static,
{
    Ok(services(ctx).views.read(query).await?)
}

/// Reads the views as they stood at a moment.
pub async fn read_at<T, F>(ctx: &Context<'_>, moment: Moment, query: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> std::result::Result<T, ViewError> + Send + 'static,
{
    Ok(services(ctx).views.read_at(moment, query).await?)
}

/// Begins every execution on a web socket, of a request as of each step of a subscription, as [`begin`] does, and ends it
/// in time.
pub struct Executions;

impl ExtensionFactory for Executions {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Executions {
    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        let services = ctx.data_unchecked::<Services>();
        let credentials = ctx.data_opt().copied().unwrap_or(Credentials::Absent);
        let mut data = Data::default();
        if let Err(refusal) = begin(services, credentials, &mut data) {
            return Response::from_errors(vec![refusal]);
        }
        in_time(services, next.run_with_data(ctx, operation, data)).await
    }
}

/// Gives an execution what it begins with: views that are not too old to answer from, who asks, with the rights of now,
/// and nothing loaded yet.
///
/// # Errors
///
/// `LOG_UNAVAILABLE` if the views may be too old; `UNAUTHENTICATED` if the credentials open nothing (any more).
pub(super) fn begin(services: &Services, credentials: Credentials, data: &mut Data) -> ServerResult<()> {
    let fresh = services.freshness.check();
    fresh.map_err(|stale| request_error("LOG_UNAVAILABLE", stale.to_string()))?;
    let sender = credentials.sender(&services.views);
    data.insert(sender.map_err(|invalid| request_error("UNAUTHENTICATED", invalid.to_string()))?);
    data.insert(LoadedApps::default());
    data.insert(Loads::default());
    Ok(())
}

/// Ends an execution that takes too long.
pub(super) async fn in_time(services: &Services, execution: impl Future<Output = Response>) -> Response {
    let limit = services.limits.request_timeout;
    let answered = tokio::time::timeout(limit, execution).await;
    answered.unwrap_or_else(|_| Response::from_errors(vec![request_error("TIMEOUT", timed_out(limit))]))
}

/// What is said of a request that took too long.
pub fn timed_out(limit: Duration) -> String {
    format!("the request took longer than {}", humantime::format_duration(limit))
}

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in account, and what it may do where.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        viewer(ctx).map(|principal| Viewer(principal.clone()))
    }
}

pub struct Viewer(Principal);

/// The signed-in account.
#[Object]
impl Viewer {
    /// The account behind the token or the session.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load(ctx, self.0.account).await
    }

    /// The roles it holds, and where.
    async fn grants(&self) -> Vec<GrantView> {
        self.0.grants.iter().cloned().map(GrantView).collect()
    }

    /// The workspaces it is a member of.
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<Workspace>> {
        let held = self.0.grants.iter().filter_map(|grant| match grant.scope {
            Scope::Workspace { workspace } => Some(workspace),
            Scope::Platform {} | Scope::Project { .. } => None,
        });
        let mut ids: Vec<_> = held
            .filter(|id| self.0.may(Permission::WorkspaceView, Place::Workspace(*id)))
            .collect();
        ids.dedup();
        let found = try_join_all(ids.into_iter().map(|id| Workspace::load(ctx, id))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The roles in workspaces and projects that are offered to it, the newest first.
    async fn invitations(&self, ctx: &Context<'_>) -> Result<Vec<Invitation>> {
        self.0.own_affairs().map_err(ApiError::narrowed)?;
        Invitation::of(ctx, self.0.account).await
    }

    /// The tokens that were not revoked, the newest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<Token>> {
        Token::of(ctx, own(ctx)?).await
    }

    /// The sessions that are open, the newest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        Session::of(ctx, own(ctx)?).await
    }

    /// The projects it holds a role in.
    async fn projects(&self, ctx: &Context<'_>) -> Result<Vec<Project>> {
        let held = self.0.grants.iter().filter_map(|grant| match grant.scope {
            Scope::Project { project } => Some(project),
            Scope::Platform {} | Scope::Workspace { .. } => None,
        });
        let mut ids: Vec<_> = held.collect();
        ids.dedup();
        let found = try_join_all(ids.into_iter().map(|id| Project::load(ctx, id))).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

pub struct GrantView(pub domain::access::Grant);

/// A role held in one place.
#[Object(name = "Grant")]
impl GrantView {
    /// The role's name.
    async fn role(&self) -> &str {
        self.0.role.as_str()
    }

    /// The workspace it is held in; absent for a role on the platform or in a project.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<Workspace>> {
        match self.0.scope {
            Scope::Workspace { workspace } => Workspace::load(ctx, workspace).await,
            Scope::Platform {} | Scope::Project { .. } => Ok(None),
        }
    }

    /// The project it is held in; absent for a role on the platform or in a workspace.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        match self.0.scope {
            Scope::Project { project } => Project::load(ctx, project).await,
            Scope::Platform {} | Scope::Workspace { .. } => Ok(None),
        }
    }

    /// What it allows there, such as `version.publish`.
    async fn permissions(&self) -> Vec<&'static str> {
        self.0
            .permissions
            .iter()
            .map(|permission| permission.as_str())
            .collect()
    }
}
