//! Workspaces and projects: what belongs to whom.

use domain::{
    access::Place,
    app::{App, Command as DoApp},
    cluster::Cluster,
    ids::{AppId, ClusterId, ProjectId, WorkspaceId},
    name::Claim,
    names::{Namespace, ProjectName, WorkspaceName},
    permission::Permission,
    project::{self, Project},
    workspace::{Command as Do, Event, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, app::exists, work::holder};
use crate::ids;

#[derive(Debug, Serialize)]
pub struct CreateWorkspace {
    pub name: WorkspaceName,
}

impl Command for CreateWorkspace {
    const NAME: &'static str = "CreateWorkspace";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::WorkspaceManage, Place::Platform)?;
        let id = WorkspaceId::from_uuid(ids::fresh());
        let create = Do::Create {
            name: self.name.clone(),
        };
        work.decide::<Workspace>(id, create).await?;
        work.take_name(&Claim::Workspace(self.name.clone()), &holder::<Workspace>(id))
            .await?;
        Ok(Target::Workspace(id))
    }
}

/// Closes a workspace that owns no app and no release, and gives its names and namespaces back.
#[derive(Debug, Serialize)]
pub struct CloseWorkspace {
    pub workspace: WorkspaceId,
}

impl Command for CloseWorkspace {
    const NAME: &'static str = "CloseWorkspace";

    fn target(&self) -> Option<Target> {
        Some(Target::Workspace(self.workspace))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.visible_workspace(self.workspace)?;
        work.authorize(Permission::WorkspaceClose, Place::Workspace(self.workspace))?;
        let closed = work.decide::<Workspace>(self.workspace, Do::Close).await?;
        if closed.contains(&Event::WorkspaceClosed {})
            && let Some(workspace) = work.load::<Workspace>(self.workspace).await?
        {
            let own = holder::<Workspace>(self.workspace);
            work.release_name(&Claim::Workspace(workspace.name), &own).await?;
            for project in workspace.projects.into_keys() {
                release_project_names(work, project).await?;
            }
        }
        Ok(Target::Workspace(self.workspace))
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
        work.visible_workspace(self.workspace)?;
        work.authorize(Permission::ProjectManage, Place::Workspace(self.workspace))?;
        work.load::<Cluster>(self.cluster)
            .await?
            .ok_or(CommandError::NotFound("cluster"))?;
        let id = ProjectId::from_uuid(ids::fresh());
        let create = project::Command::Create {
            workspace: self.workspace,
            name: self.name.clone(),
            cluster: self.cluster,
            namespace: self.namespace.clone(),
        };
        work.decide::<Project>(id, create).await?;
        let add = Do::AddProject {
            project: id,
            name: self.name.clone(),
        };
        work.decide::<Workspace>(self.workspace, add).await?;
        for claim in project_claims(self.workspace, &self.name, self.cluster, &self.namespace) {
            work.take_name(&claim, &holder::<Project>(id)).await?;
        }
        Ok(Target::Project(id))
    }
}

/// Gives an app to another workspace, with its name. Releases of it stay where they are.
#[derive(Debug, Serialize)]
pub struct MoveApp {
    pub app: AppId,
    pub workspace: WorkspaceId,
}

impl Command for MoveApp {
    const NAME: &'static str = "MoveApp";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let app = work.visible_app(self.app).await?;
        work.authorize(Permission::AppMove, Place::Workspace(app.workspace))?;
        work.visible_workspace(self.workspace)?;
        work.authorize(Permission::AppMove, Place::Workspace(self.workspace))?;
        let destination = DoApp::MoveApp {
            workspace: self.workspace,
        };
        if work.decide_on_app(self.app, destination).await?.is_empty() {
            return Ok(Target::App(self.app));
        }
        let (own, chart) = (holder::<App>(self.app), app.chart);
        let claim = |workspace| Claim::App {
            workspace,
            chart: chart.clone(),
        };
        let taken = work.take_name(&claim(self.workspace), &own).await;
        taken.map_err(|error| match error {
            error if error.is("NAME_TAKEN") => exists(&chart, "app"),
            error => error,
        })?;
        work.release_name(&claim(app.workspace), &own).await?;
        work.decide::<Workspace>(app.workspace, Do::RemoveApp { app: self.app })
            .await?;
        let add = Do::AddApp {
            app: self.app,
            chart: chart.clone(),
        };
        work.decide::<Workspace>(self.workspace, add).await?;
        Ok(Target::App(self.app))
    }
}

async fn release_project_names(work: &mut Work<'_>, id: ProjectId) -> Result<(), CommandError> {
    let Some(project) = work.load::<Project>(id).await? else {
        return Ok(());
    };
    for claim in project_claims(project.workspace, &project.name, project.cluster, &project.namespace) {
        work.release_name(&claim, &holder::<Project>(id)).await?;
    }
    Ok(())
}

/// The names a project has: its own in its workspace, and its namespace on the cluster.
fn project_claims(workspace: WorkspaceId, name: &ProjectName, cluster: ClusterId, namespace: &Namespace) -> [Claim; 2] {
    [
        Claim::Project {
            workspace,
            name: name.clone(),
        },
        Claim::Namespace {
            cluster,
            namespace: namespace.clone(),
        },
    ]
}
