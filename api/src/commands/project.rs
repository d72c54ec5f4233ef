//! Projects: making them, and what the effect that prepares them reports.

use domain::{
    access::Place,
    cluster::{self, Cluster},
    digest::Sealed,
    ids::{ClusterId, ProjectId, WorkspaceId},
    name::Claim,
    names::{Namespace, ProjectName},
    permission::Permission,
    project::{Command as Do, Preparation, PreparationFailure, Project},
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};
use crate::ids;

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
        let cluster = work.load::<Cluster>(self.cluster).await?;
        let cluster = cluster.ok_or(CommandError::NotFound("cluster"))?;
        let id = ProjectId::from_uuid(ids::fresh());
        let create = Do::Create {
            workspace: self.workspace,
            name: self.name.clone(),
            cluster: self.cluster,
            namespace: self.namespace.clone(),
            preparation: cluster.link.is_some().then(|| preparation(work)),
        };
        work.decide::<Project>(id, create).await?;
        let add = workspace::Command::AddProject {
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

/// Makes a project's namespace and service account again: after a failure, or because they were deleted.
#[derive(Debug, Serialize)]
pub struct PrepareProject {
    pub project: ProjectId,
}

impl Command for PrepareProject {
    const NAME: &'static str = "PrepareProject";

    fn target(&self) -> Option<Target> {
        Some(Target::Project(self.project))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let not_found = || CommandError::NotFound("project");
        let project = work.load::<Project>(self.project).await?.ok_or_else(not_found)?;
        let manages_clusters = work.may(Permission::ClusterManage, Place::Platform);
        if !manages_clusters {
            work.visible_workspace(project.workspace).map_err(|_| not_found())?;
            work.authorize(Permission::ProjectManage, Place::Workspace(project.workspace))?;
        }
        let cluster = work.load::<Cluster>(project.cluster).await?;
        if cluster.is_none_or(|cluster| cluster.link.is_none()) {
            return Err(CommandError::rejected(cluster::Rejection::NotKubernetes));
        }
        let prepare = Do::Prepare(preparation(work));
        work.decide::<Project>(self.project, prepare).await?;
        Ok(Target::Project(self.project))
    }
}

/// A preparation has come to its end.
#[derive(Debug, Serialize)]
pub struct FinishPreparation {
    pub project: ProjectId,
    pub result: Result<(), (PreparationFailure, Sealed)>,
}

impl Command for FinishPreparation {
    const NAME: &'static str = "FinishPreparation";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let finish = match self.result.clone() {
            Ok(()) => Do::Succeed,
            Err((reason, output)) => Do::Fail { reason, output },
        };
        work.decide::<Project>(self.project, finish).await?;
        Ok(Target::Project(self.project))
    }
}

/// Whoever manages clusters may give a project a namespace that is there already.
fn preparation(work: &Work<'_>) -> Preparation {
    Preparation {
        adopt: work.may(Permission::ClusterManage, Place::Platform),
    }
}

pub(super) async fn release_project_names(work: &mut Work<'_>, id: ProjectId) -> Result<(), CommandError> {
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
