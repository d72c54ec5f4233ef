//! Workspaces: what belongs to whom.

use domain::{
    access::Place,
    app::{App, Command as DoApp},
    ids::{AppId, WorkspaceId},
    name::Claim,
    names::WorkspaceName,
    permission::Permission,
    workspace::{Command as Do, Event, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, app::exists, project::release_project_names, work::holder};
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
