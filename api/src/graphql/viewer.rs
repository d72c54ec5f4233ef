//! Whoever asks, and what every resolver needs to know of them.

use async_graphql::{Context, Object};
use domain::{
    access::{Place, Principal},
    account::Scope,
    permission::Permission,
};
use projections::{Connection, ViewError};

use super::{
    accounts::Account,
    error::{ApiError, Result},
    tenancy::{Project, Workspace},
};
use crate::{auth::Sender, services::Services};

pub fn services<'a>(ctx: &Context<'a>) -> &'a Services {
    ctx.data_unchecked::<Services>()
}

/// The signed-in account with its grants.
///
/// # Errors
///
/// `UNAUTHENTICATED` for whoever sent no token.
pub fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Principal> {
    match ctx.data_opt::<Sender>() {
        Some(Sender::Account(principal)) => Ok(principal),
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

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in account, and what it may do where.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        viewer(ctx).map(|principal| Viewer(principal.clone()))
    }
}

/// The signed-in account.
pub struct Viewer(Principal);

#[Object]
impl Viewer {
    /// The account behind the token.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load(ctx, self.0.account).await
    }

    /// The roles it holds, and where.
    async fn grants(&self) -> Vec<GrantView> {
        self.0.grants.iter().cloned().map(GrantView).collect()
    }

    /// The workspaces it is a member of.
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<Workspace>> {
        let mut workspaces = vec![];
        for grant in &self.0.grants {
            if let Scope::Workspace { workspace } = grant.scope
                && self.0.may(Permission::WorkspaceView, Place::Workspace(workspace))
            {
                workspaces.extend(Workspace::load(ctx, workspace).await?);
            }
        }
        workspaces.dedup_by_key(|workspace| workspace.0.id);
        Ok(workspaces)
    }

    /// The projects it holds a role in.
    async fn projects(&self, ctx: &Context<'_>) -> Result<Vec<Project>> {
        let mut projects = vec![];
        for grant in &self.0.grants {
            if let Scope::Project { project } = grant.scope {
                projects.extend(Project::load(ctx, project).await?);
            }
        }
        projects.dedup_by_key(|project| project.0.id);
        Ok(projects)
    }
}

/// A role held in one place.
pub struct GrantView(domain::access::Grant);

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
