//! Workspaces, projects, and what belongs to whom.

use async_graphql::{Context, ID, InputObject, Object};
use domain::{ids::ClusterId, names::ClusterName};
use projections::clusters;
use uuid::Uuid;

use super::payload::{self, Deleted, UserError, give, payload};
use crate::{
    commands::{CloseWorkspace, CreateProject, CreateWorkspace, MoveApp, PrepareProject},
    graphql::{
        apps::App,
        error::Result,
        scalars::LogPosition,
        tenancy::{Project, Workspace},
        viewer::read,
    },
    services::DEFAULT_CLUSTER,
};

#[derive(Default)]
pub struct TenancyMutation;

/// The workspace to make.
#[derive(InputObject)]
struct CreateWorkspaceInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name, unique on the platform: 1 to 63 characters of a-z, 0-9 and -.
    name: String,
}

/// Which workspace to close.
#[derive(InputObject)]
struct CloseWorkspaceInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The workspace; it must own no app and no release.
    workspace: ID,
}

/// The project to make.
#[derive(InputObject)]
struct CreateProjectInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The workspace it belongs to.
    workspace: ID,
    /// Its name, unique in the workspace: 1 to 63 characters of a-z, 0-9 and -.
    name: String,
    /// The cluster; the one that Charthouse brings along if none is named.
    cluster: Option<ID>,
    /// The namespace on the cluster, of no other project; called as the project if none is named.
    namespace: Option<String>,
}

/// Which project to prepare.
#[derive(InputObject)]
struct PrepareProjectInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The project; its cluster must be of kind KUBERNETES.
    project: ID,
}

/// Which app to give to which workspace.
#[derive(InputObject)]
struct MoveAppInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The workspace it is to belong to.
    workspace: ID,
}

payload!(
    /// The workspace that was made.
    CreateWorkspacePayload {
        /// The workspace.
        workspace: Workspace
    }
);
payload!(
    /// The project that was made.
    CreateProjectPayload {
        /// The project.
        project: Project
    }
);
payload!(
    /// The project that is being prepared.
    PrepareProjectPayload {
        /// The project.
        project: Project
    }
);
payload!(
    /// The app where it is now.
    MoveAppPayload {
        /// The app.
        app: App
    }
);

/// The workspace that is gone.
#[derive(async_graphql::SimpleObject)]
struct CloseWorkspacePayload {
    /// The id it had.
    closed_workspace: Option<ID>,
    /// The last event it left, or for one that changed nothing, the last event there was; absent if it was refused.
    position: Option<LogPosition>,
    /// Why nothing was done; empty if it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl TenancyMutation {
    /// Makes a workspace. It has no members: whoever manages workspaces grants `workspace-admin` to somebody else.
    async fn create_workspace(&self, ctx: &Context<'_>, input: CreateWorkspaceInput) -> Result<CreateWorkspacePayload> {
        let command = payload::name(&input.name, "name").map(|name| CreateWorkspace { name });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Closes a workspace that owns no app and no release; the refusal names what is in the way.
    async fn close_workspace(&self, ctx: &Context<'_>, input: CloseWorkspaceInput) -> Result<CloseWorkspacePayload> {
        let command = payload::workspace(&input.workspace).map(|workspace| CloseWorkspace { workspace });
        let answer = give::<_, Deleted>(ctx, input.command_id, command).await?;
        Ok(CloseWorkspacePayload {
            closed_workspace: answer.object.map(|closed| closed.0),
            position: answer.position,
            user_errors: answer.user_errors,
        })
    }

    /// Makes a project: a namespace of a cluster that the workspace installs into. On Kubernetes the namespace is made, with a
    /// service account that the project acts as; the project's status tells when they are there.
    async fn create_project(&self, ctx: &Context<'_>, input: CreateProjectInput) -> Result<CreateProjectPayload> {
        let cluster = match &input.cluster {
            Some(id) => payload::cluster(id),
            None => default_cluster(ctx).await?,
        };
        let name = payload::name(&input.name, "name");
        let namespace = payload::name(input.namespace.as_ref().unwrap_or(&input.name), "namespace");
        let command = payload::workspace(&input.workspace).and_then(|workspace| {
            Ok(CreateProject {
                workspace,
                name: name?,
                cluster: cluster?,
                namespace: namespace?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Makes a project's namespace and service account again: after a failure, or because they were deleted on the cluster.
    /// Given by whoever manages clusters, the project may have a namespace that is there already and no project's.
    async fn prepare_project(&self, ctx: &Context<'_>, input: PrepareProjectInput) -> Result<PrepareProjectPayload> {
        let command = payload::project(&input.project).map(|project| PrepareProject { project });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Gives an app to another workspace, with its name; needs `app.move` in both. Releases of it stay where they are.
    async fn move_app(&self, ctx: &Context<'_>, input: MoveAppInput) -> Result<MoveAppPayload> {
        let workspace = payload::workspace(&input.workspace);
        let command = payload::app(&input.app).and_then(|app| {
            Ok(MoveApp {
                app,
                workspace: workspace?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

/// The cluster that Charthouse brings along.
async fn default_cluster(ctx: &Context<'_>) -> Result<std::result::Result<ClusterId, UserError>> {
    let named = match payload::name::<ClusterName>(DEFAULT_CLUSTER, "cluster") {
        Ok(named) => named,
        Err(error) => return Ok(Err(error)),
    };
    let found = read(ctx, move |view| clusters::named(view, &named)).await?;
    let missing = || {
        UserError::new(
            "NOT_FOUND",
            "there is no such cluster".to_owned(),
            &["input", "cluster"],
        )
    };
    Ok(found.map(|cluster| cluster.id).ok_or_else(missing))
}
