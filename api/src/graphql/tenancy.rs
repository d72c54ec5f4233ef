//! Workspaces, their projects, and the clusters these are on.

use async_graphql::{Context, Enum, ID, Object};
use domain::{
    access::Place,
    account::Scope,
    cluster::Kind,
    ids::{ClusterId, ProjectId, WorkspaceId},
    permission::Permission,
};
use projections::{Moment, tenancy};

use super::{
    NodeId,
    apps::{App, AppStatus},
    error::Result,
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
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        let found = read(ctx, move |view| tenancy::workspaces(view, &request)).await?;
        Ok(page::connection(found, is_first, Workspace))
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
        Ok(read(ctx, move |view| tenancy::workspace(view, id)).await?.map(Self))
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
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(first, after)?);
        let status = status.map(Into::into);
        let apps = read(ctx, move |view| {
            projections::apps::of_workspace(view, id, status, &request)
        })
        .await?;
        Ok(page::connection(apps, is_first, |row| App {
            row,
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
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(first, after)?);
        let projects = read(ctx, move |view| tenancy::projects(view, id, &request)).await?;
        Ok(page::connection(projects, is_first, Project))
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
        let found = read(ctx, move |view| tenancy::project(view, id)).await?;
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
}

pub struct Cluster(tenancy::Cluster);

impl Cluster {
    pub async fn load(ctx: &Context<'_>, id: ClusterId) -> Result<Option<Self>> {
        Ok(read(ctx, move |view| tenancy::cluster(view, id)).await?.map(Self))
    }
}

/// What a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ClusterKind {
    /// A folder of rendered manifests, as a GitOps tool takes it over.
    Directory,
}

/// Where releases run.
#[Object]
impl Cluster {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Cluster(self.0.id).into()
    }

    /// The name, unique on the platform.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// What it is.
    async fn kind(&self) -> ClusterKind {
        match self.0.kind {
            Kind::Directory => ClusterKind::Directory,
        }
    }
}
