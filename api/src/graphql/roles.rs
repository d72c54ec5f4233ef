//! Roles: the built-in ones, those of the platform, and those of workspaces.

use async_graphql::{Context, Enum, Object};
use domain::{
    access::Place,
    ids::WorkspaceId,
    permission::{Level, Permission},
    role::{BUILT_IN, BuiltInRole, RoleKey},
};
use projections::accounts;

use super::{
    error::{ApiError, Result},
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The roles of the platform: the built-in ones, then those that were defined, by name. For whoever gives or defines
    /// them, and for auditors.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        let viewer = viewer(ctx)?;
        let either = [Permission::RoleManage, Permission::AccountManage, Permission::AuditView];
        if !either.iter().any(|permission| viewer.may(*permission, Place::Platform)) {
            return Err(ApiError::needs(Permission::RoleManage));
        }
        Role::of(ctx, None).await
    }
}

/// Where a role is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Level")]
pub enum RoleLevel {
    /// On the platform.
    Platform,
    /// In a workspace; it reaches the projects of the workspace.
    Workspace,
    /// In one project.
    Project,
}

pub enum Role {
    BuiltIn(&'static BuiltInRole),
    Custom(accounts::Role),
}

impl Role {
    /// The built-in roles and the own ones of the platform or of a workspace; whether the viewer may know is asked before.
    pub async fn of(ctx: &Context<'_>, workspace: Option<WorkspaceId>) -> Result<Vec<Self>> {
        let own = read(ctx, move |view| accounts::roles(view, workspace)).await?;
        let is_here = |role: &&BuiltInRole| (role.level == Level::Platform) == workspace.is_none();
        let built_in = BUILT_IN.iter().filter(is_here).map(Self::BuiltIn);
        Ok(built_in.chain(own.into_iter().map(Self::Custom)).collect())
    }

    /// The role that a command was about.
    pub async fn load(ctx: &Context<'_>, key: RoleKey) -> Result<Option<Self>> {
        Ok(read(ctx, move |view| accounts::role(view, &key))
            .await?
            .map(Self::Custom))
    }
}

/// A named set of permissions.
#[Object]
impl Role {
    /// The name: unique on the platform, or in the workspace that it is a role of.
    async fn name(&self) -> &str {
        match self {
            Self::BuiltIn(role) => role.name,
            Self::Custom(role) => role.key.name.as_str(),
        }
    }

    /// Where it is granted. A workspace's own role of nothing but project permissions may be granted in a project, too.
    async fn level(&self) -> RoleLevel {
        match self {
            Self::BuiltIn(role) => role.level.into(),
            Self::Custom(role) if role.key.workspace.is_some() => RoleLevel::Workspace,
            Self::Custom(_) => RoleLevel::Platform,
        }
    }

    /// Whether it is the same everywhere, and cannot be changed.
    async fn is_built_in(&self) -> bool {
        matches!(self, Self::BuiltIn(_))
    }

    /// Whether it was ended: it allows nothing any more.
    async fn is_retired(&self) -> bool {
        matches!(self, Self::Custom(role) if role.retired.is_some())
    }

    /// What it allows, such as `version.publish`.
    async fn permissions(&self) -> Vec<&'static str> {
        let permissions = match self {
            Self::BuiltIn(role) => role.permissions(),
            Self::Custom(role) => role.permissions.clone(),
        };
        permissions.into_iter().map(Permission::as_str).collect()
    }
}
