//! Workspaces, their projects, and the clusters these are on.

use async_graphql::{Context, Enum, ID, Object};
use domain::{
    access::Place,
    cluster::Kind,
    ids::{ClusterId, ProjectId, WorkspaceId},
    permission::Permission,
};
use projections::{Moment, tenancy};

use super::{
    NodeId,
    apps::{App, AppStatus},
    error::Result,
    page::{self, Connected},
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct TenancyQuery;

#[Object]
impl TenancyQuery {
    /// A workspace the viewer is a member of, by its name.
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
    /// The workspace, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: WorkspaceId) -> Result<Option<Self>> {
        if !viewer(ctx)?.may(Permission::WorkspaceView, Place::Workspace(id)) {
            return Ok(None);
        }
        Ok(read(ctx, move |view| tenancy::workspace(view, id)).await?.map(Self))
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
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(first, after)?);
        let projects = read(ctx, move |view| tenancy::projects(view, id, &request)).await?;
        Ok(page::connection(projects, is_first, Project))
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
