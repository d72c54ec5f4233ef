//! Workspaces, and their projects.

use async_graphql::{Context, Enum, ID, Object};
use domain::{
    access::Place,
    account::Scope,
    ids::{ProjectId, WorkspaceId},
    permission::Permission,
    project::PreparationFailure,
};
use projections::{Moment, tenancy};

use super::{
    NodeId,
    accounts::unseal_long,
    apps::{App, AppStatus},
    clusters::Cluster,
    error::Result,
    loaders,
    members::{Member, members},
    page::{self, Connected},
    roles::Role,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct TenancyQuery;

#[Object]
impl TenancyQuery {
    /// All workspaces, by name. For whoever manages them.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn workspaces(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Workspace>> {
        viewer(ctx)?.authorize(Permission::WorkspaceManage, Place::Platform)?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let found = read(ctx, move |view| tenancy::workspaces(view, &request)).await?;
        Ok(page::connection(ctx, found, is_first, Workspace))
    }

    /// A workspace by its name: one the viewer is a member of, or any for whoever manages them.
    async fn workspace(&self, ctx: &Context<'_>, name: String) -> Result<Option<Workspace>> {
        viewer(ctx)?;
        let Ok(name) = name.parse() else { return Ok(None) };
        let found = read(ctx, move |view| tenancy::workspace_named(view, &name)).await?;
        match found {
            Some(workspace) => Workspace::load(ctx, workspace.id).await,
            None => Ok(None),
        }
    }
}

pub struct Workspace(pub tenancy::Workspace);

impl Workspace {
    /// The workspace, if the viewer may know of it: its members, and whoever manages them all. What is in it is for
    /// members.
    pub async fn load(ctx: &Context<'_>, id: WorkspaceId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        if !viewer.may(Permission::WorkspaceView, Place::Workspace(id))
            && !viewer.may(Permission::WorkspaceManage, Place::Platform)
        {
            return Ok(None);
        }
        Ok(loaders::row(ctx, id).await?.map(Self))
    }

    /// The workspace, for its members.
    pub async fn load_inside(ctx: &Context<'_>, id: WorkspaceId) -> Result<Option<Self>> {
        if !viewer(ctx)?.may(Permission::WorkspaceView, Place::Workspace(id)) {
            return Ok(None);
        }
        Self::load(ctx, id).await
    }

    fn for_members(&self, ctx: &Context<'_>) -> Result<()> {
        Ok(viewer(ctx)?.authorize(Permission::WorkspaceView, Place::Workspace(self.0.id))?)
    }
}

/// A tenant: it owns apps and projects.
#[Object]
impl Workspace {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Workspace(self.0.id).into()
    }

    /// The name, unique on the platform.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Its apps, the newest first; without the deleted ones unless it is them that are asked for.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn apps(
        &self,
        ctx: &Context<'_>,
        status: Option<AppStatus>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<App>> {
        self.for_members(ctx)?;
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(ctx, first, after)?);
        let status = status.map(Into::into);
        let apps = read(ctx, move |view| {
            projections::apps::of_workspace(view, id, status, &request)
        })
        .await?;
        Ok(page::connection(ctx, apps, is_first, |row| App {
            row: Box::new(row),
            moment: Moment::Now,
        }))
    }

    /// Its projects, in the order of their names.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Project>> {
        self.for_members(ctx)?;
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(ctx, first, after)?);
        let projects = read(ctx, move |view| tenancy::projects(view, id, &request)).await?;
        Ok(page::connection(ctx, projects, is_first, Project))
    }

    /// Who holds a role in it, the longest first. For its members, and whoever manages workspaces.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn members(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Connected<Member>> {
        if !viewer(ctx)?.may(Permission::WorkspaceManage, Place::Platform) {
            self.for_members(ctx)?;
        }
        members(ctx, Scope::Workspace { workspace: self.0.id }, first, after).await
    }

    /// The roles that can be given in it: the built-in ones, then its own, by name.
    #[graphql(complexity = "10 + child_complexity")]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        self.for_members(ctx)?;
        Role::of(ctx, Some(self.0.id)).await
    }
}

pub struct Project(pub tenancy::Project);

impl Project {
    /// The project, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: ProjectId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let found = loaders::row(ctx, id).await?;
        Ok(found.filter(|project| sees(viewer, project)).map(Self))
    }
}

fn sees(viewer: &domain::access::Principal, project: &tenancy::Project) -> bool {
    let place = Place::Project {
        project: project.id,
        workspace: project.workspace,
    };
    viewer.may(Permission::ReleaseView, place)
        || viewer.may(Permission::WorkspaceView, Place::Workspace(project.workspace))
}

/// A namespace of a cluster that a workspace installs into.
#[Object]
impl Project {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Project(self.0.id).into()
    }

    /// The name, unique in its workspace.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// The namespace on the cluster.
    async fn namespace(&self) -> &str {
        self.0.namespace.as_str()
    }

    /// The workspace it belongs to; absent for whoever is a member of the project only.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<Workspace>> {
        Workspace::load(ctx, self.0.workspace).await
    }

    /// Who holds a role in it, the longest first; those of the workspace reach it too. For whoever manages its members,
    /// and the members of the workspace.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn members(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Connected<Member>> {
        let (project, workspace) = (self.0.id, self.0.workspace);
        let viewer = viewer(ctx)?;
        if !viewer.may(Permission::WorkspaceView, Place::Workspace(workspace)) {
            viewer.authorize(Permission::MemberManage, Place::Project { project, workspace })?;
        }
        members(ctx, Scope::Project { project }, first, after).await
    }

    /// Where its releases run.
    async fn cluster(&self, ctx: &Context<'_>) -> Result<Option<Cluster>> {
        Cluster::load(ctx, self.0.cluster).await
    }

    /// Whether its namespace and its service account are on the cluster. Releases go there when they are.
    async fn status(&self) -> ProjectStatus {
        match self.0.status {
            tenancy::ProjectStatus::Preparing => ProjectStatus::Preparing,
            tenancy::ProjectStatus::Ready => ProjectStatus::Ready,
            tenancy::ProjectStatus::Failed { .. } => ProjectStatus::Failed,
        }
    }

    /// Why it could not be prepared; absent unless that failed.
    async fn failure(&self) -> Option<ProjectFailure> {
        match self.0.status {
            tenancy::ProjectStatus::Failed { reason, .. } => Some(reason.into()),
            tenancy::ProjectStatus::Preparing | tenancy::ProjectStatus::Ready => None,
        }
    }

    /// What was said about the failure, by the cluster too.
    #[graphql(complexity = 100)]
    async fn failure_output(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.status {
            tenancy::ProjectStatus::Failed { output, .. } => unseal_long(ctx, output).await,
            tenancy::ProjectStatus::Preparing | tenancy::ProjectStatus::Ready => Ok(None),
        }
    }
}

/// Whether a project has its place on the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ProjectStatus {
    /// Its namespace and its service account are being made.
    Preparing,
    /// They are there; on a folder of manifests nothing has to be.
    Ready,
    /// They could not be made.
    Failed,
}

/// Why a project could not be prepared, as far as a program can tell. The output says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "PreparationFailure")]
pub enum ProjectFailure {
    /// The cluster does not answer, or something else answers there.
    ClusterUnreachable,
    /// The cluster does not accept the credentials it was registered with.
    CredentialsRefused,
    /// The cluster's kubeconfig may not make namespaces, service accounts or role bindings.
    RightsMissing,
    /// The namespace belongs to another project.
    NamespaceTaken,
    /// The namespace is there already; whoever manages clusters can let the project have it, by `prepareProject`.
    NamespaceExists,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// The cluster refused something.
    ClusterFailed,
}
