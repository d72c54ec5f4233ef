//! Accounts, roles, workspaces, projects and clusters: what has to be there before the store can be used.

use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    account::{Account, Command as DoAccount, Scope},
    cluster::{self, Cluster},
    digest::Digest,
    ids::{AccountId, ClusterId, ProjectId, TokenId, WorkspaceId},
    name::Claim,
    names::{AccountName, ClusterName, Namespace, ProjectName, RoleName, WorkspaceName},
    permission::Permission,
    project::{self, Project},
    role::{self, BuiltInRole, Role},
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};
use crate::ids;

#[derive(Debug, Serialize)]
pub struct CreateAccount {
    pub name: AccountName,
    /// Granted at once, on the platform.
    pub role: Option<RoleName>,
}

impl Command for CreateAccount {
    const NAME: &'static str = "CreateAccount";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let id = AccountId::from_uuid(ids::fresh());
        let name = work.seal(&holder::<Account>(id), self.name.as_str()).await?;
        work.decide::<Account>(id, DoAccount::Create { name }).await?;
        if let Some(role) = self.role.clone() {
            role_exists(work, &role).await?;
            let scope = Scope::Platform {};
            work.decide::<Account>(id, DoAccount::Grant { role, scope }).await?;
        }
        let claim = Claim::Account(work.commands.key.of_account_name(&self.name));
        work.take_name(&claim, &holder::<Account>(id)).await?;
        Ok(Target::Account(id))
    }
}

#[derive(Debug, Serialize)]
pub struct GrantRole {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for GrantRole {
    const NAME: &'static str = "GrantRole";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        scope_exists(work, self.scope).await?;
        role_exists(work, &self.role).await?;
        let grant = DoAccount::Grant {
            role: self.role.clone(),
            scope: self.scope,
        };
        work.decide::<Account>(self.account, grant).await?;
        Ok(Target::Account(self.account))
    }
}

#[derive(Debug, Serialize)]
pub struct RevokeRole {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for RevokeRole {
    const NAME: &'static str = "RevokeRole";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let revoke = DoAccount::Revoke {
            role: self.role.clone(),
            scope: self.scope,
        };
        work.decide::<Account>(self.account, revoke).await?;
        Ok(Target::Account(self.account))
    }
}

/// Makes a bearer token known by the hash of its secret.
#[derive(Debug, Serialize)]
pub struct IssueToken {
    pub account: AccountId,
    pub token: TokenId,
    pub secret: Digest,
    pub expires: Option<DateTime<Utc>>,
}

impl Command for IssueToken {
    const NAME: &'static str = "IssueToken";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        let issue = DoAccount::IssueToken {
            token: self.token,
            secret: self.secret,
            expires: self.expires,
        };
        work.decide::<Account>(self.account, issue).await?;
        Ok(Target::Account(self.account))
    }
}

#[derive(Debug, Serialize)]
pub struct RevokeToken {
    pub account: AccountId,
    pub token: TokenId,
}

impl Command for RevokeToken {
    const NAME: &'static str = "RevokeToken";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::AccountManage, Place::Platform)?;
        work.decide::<Account>(self.account, DoAccount::RevokeToken { token: self.token })
            .await?;
        Ok(Target::Account(self.account))
    }
}

/// Gives a custom platform role these permissions and no others.
#[derive(Debug, Serialize)]
pub struct DefineRole {
    pub role: RoleName,
    pub permissions: std::collections::BTreeSet<Permission>,
}

impl Command for DefineRole {
    const NAME: &'static str = "DefineRole";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::RoleManage, Place::Platform)?;
        let define = role::Command::Define {
            role: self.role.clone(),
            permissions: self.permissions.clone(),
        };
        work.decide::<Role>(self.role.as_str(), define).await?;
        Ok(Target::Role)
    }
}

#[derive(Debug, Serialize)]
pub struct CreateWorkspace {
    pub name: WorkspaceName,
}

impl Command for CreateWorkspace {
    const NAME: &'static str = "CreateWorkspace";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::WorkspaceManage, Place::Platform)?;
        let id = WorkspaceId::from_uuid(ids::fresh());
        work.decide::<Workspace>(
            id,
            workspace::Command::Create {
                name: self.name.clone(),
            },
        )
        .await?;
        work.take_name(&Claim::Workspace(self.name.clone()), &holder::<Workspace>(id))
            .await?;
        Ok(Target::Workspace(id))
    }
}

#[derive(Debug, Serialize)]
pub struct CreateProject {
    pub workspace: WorkspaceId,
    pub name: ProjectName,
    pub cluster: ClusterId,
    pub namespace: Namespace,
}

impl Command for CreateProject {
    const NAME: &'static str = "CreateProject";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::ProjectManage, Place::Workspace(self.workspace))?;
        work.load::<Workspace>(self.workspace)
            .await?
            .ok_or(CommandError::NotFound("workspace"))?;
        work.load::<Cluster>(self.cluster)
            .await?
            .ok_or(CommandError::NotFound("cluster"))?;
        let Self { workspace, cluster, .. } = *self;
        let (name, namespace) = (self.name.clone(), self.namespace.clone());
        let id = ProjectId::from_uuid(ids::fresh());
        let claims = [
            Claim::Project {
                workspace,
                name: name.clone(),
            },
            Claim::Namespace {
                cluster,
                namespace: namespace.clone(),
            },
        ];
        work.decide::<Project>(
            id,
            project::Command::Create {
                workspace,
                name,
                cluster,
                namespace,
            },
        )
        .await?;
        for claim in claims {
            work.take_name(&claim, &holder::<Project>(id)).await?;
        }
        Ok(Target::Project(id))
    }
}

#[derive(Debug, Serialize)]
pub struct RegisterCluster {
    pub name: ClusterName,
    pub kind: cluster::Kind,
}

impl Command for RegisterCluster {
    const NAME: &'static str = "RegisterCluster";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::ClusterManage, Place::Platform)?;
        let id = ClusterId::from_uuid(ids::fresh());
        let register = cluster::Command::Register {
            name: self.name.clone(),
            kind: self.kind,
        };
        work.decide::<Cluster>(id, register).await?;
        work.take_name(&Claim::Cluster(self.name.clone()), &holder::<Cluster>(id))
            .await?;
        Ok(Target::Cluster(id))
    }
}

/// A role that is misspelt would be granted, and allow nothing.
async fn role_exists(work: &mut Work<'_>, role: &RoleName) -> Result<(), CommandError> {
    if BuiltInRole::named(role).is_none() {
        work.load::<Role>(role.as_str())
            .await?
            .ok_or(CommandError::NotFound("role"))?;
    }
    Ok(())
}

async fn scope_exists(work: &mut Work<'_>, scope: Scope) -> Result<(), CommandError> {
    match scope {
        Scope::Platform {} => {}
        Scope::Workspace { workspace } => {
            work.load::<Workspace>(workspace)
                .await?
                .ok_or(CommandError::NotFound("workspace"))?;
        }
        Scope::Project { project } => {
            work.load::<Project>(project)
                .await?
                .ok_or(CommandError::NotFound("project"))?;
        }
    }
    Ok(())
}
