//! Members of workspaces and projects, and who was invited to become one.

use async_graphql::{Context, Object};
use domain::{account::Scope, ids::AccountId, names::AccountName};
use projections::{accounts, tenancy};

use super::{
    accounts::Account,
    error::Result,
    page::{self, Connected},
    scalars::LogPosition,
    tenancy::{Project, Workspace},
    viewer::{read, services},
};
use crate::commands::invitations_to;

/// Who holds a role in exactly this place, in the order in which they got it.
pub async fn members(
    ctx: &Context<'_>,
    scope: Scope,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Connected<Member>> {
    let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
    let granted = read(ctx, move |view| accounts::granted_in(view, scope, &request)).await?;
    Ok(page::connection(ctx, granted, is_first, Member))
}

pub struct Member(accounts::Granted);

/// A role somebody holds in a workspace or project. Whoever holds two is listed twice.
#[Object]
impl Member {
    /// Who holds it.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load(ctx, self.0.account).await
    }

    /// The role's name.
    async fn role(&self) -> &str {
        self.0.role.as_str()
    }

    /// Where its grant stands in the log.
    async fn since(&self) -> LogPosition {
        LogPosition(self.0.since)
    }
}

pub struct Invitation {
    row: accounts::Invitation,
    workspace: Option<tenancy::Workspace>,
    project: Option<tenancy::Project>,
}

impl Invitation {
    /// What the account is invited to, the newest first. What it would be invited to under a name that was erased is not
    /// known any more.
    pub async fn of(ctx: &Context<'_>, account: AccountId) -> Result<Vec<Self>> {
        let Some(row) = read(ctx, move |view| accounts::account(view, account)).await? else {
            return Ok(vec![]);
        };
        let name = services(ctx).vault.unseal(&row.name).await?;
        let name = name.and_then(|name| std::str::from_utf8(&name).ok()?.parse::<AccountName>().ok());
        let Some(name) = name else { return Ok(vec![]) };
        let key = invitations_to(&services(ctx).key, &name);
        let found: Vec<Self> = read(ctx, move |view| {
            let open = accounts::invitations(view, &key)?;
            open.into_iter().map(|row| Self::read(view, row)).collect()
        })
        .await?;
        // What was closed meanwhile offers nothing.
        let stands = |invitation: &Self| invitation.workspace.is_some();
        Ok(found.into_iter().filter(stands).collect())
    }

    fn read(
        view: &projections::Connection,
        row: accounts::Invitation,
    ) -> std::result::Result<Self, projections::ViewError> {
        let project = match row.scope {
            Scope::Project { project } => tenancy::project(view, project)?,
            Scope::Platform {} | Scope::Workspace { .. } => None,
        };
        let workspace = match row.scope {
            Scope::Workspace { workspace } => Some(workspace),
            Scope::Platform {} | Scope::Project { .. } => project.as_ref().map(|project| project.workspace),
        };
        let workspace = workspace.map(|id| tenancy::workspace(view, id)).transpose()?.flatten();
        Ok(Self {
            row,
            workspace,
            project,
        })
    }
}

/// A role that is offered to the viewer. `acceptInvitation` takes it.
#[Object]
impl Invitation {
    /// The role's name.
    async fn role(&self) -> &str {
        self.row.role.as_str()
    }

    /// The workspace it is in, or the project is.
    async fn workspace(&self) -> Option<Workspace> {
        self.workspace.clone().map(Workspace)
    }

    /// The project it is in; absent for a role in the workspace.
    async fn project(&self) -> Option<Project> {
        self.project.clone().map(Project)
    }

    /// Who offers it.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.row.by).await
    }

    /// Where it stands in the log.
    async fn since(&self) -> LogPosition {
        LogPosition(self.row.since)
    }
}
