//! Clusters: where releases run.

use async_graphql::{Context, Enum, ID, Object};
use domain::{
    access::Place,
    cluster::{Kind, Trouble},
    ids::ClusterId,
    permission::Permission,
};
use projections::clusters;
use uuid::Uuid;

use super::{
    NodeId,
    apps::App,
    error::Result,
    loaders,
    page::{self, Connected},
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct ClusterQuery;

#[Object]
impl ClusterQuery {
    /// All clusters, by name. For whoever manages them; what a project is on, its members see there.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn clusters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Cluster>> {
        viewer(ctx)?.authorize(Permission::ClusterManage, Place::Platform)?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let found = read(ctx, move |view| clusters::list(view, &request)).await?;
        Ok(page::connection(ctx, found, is_first, Cluster))
    }
}

pub struct Cluster(clusters::Cluster);

impl Cluster {
    pub async fn load(ctx: &Context<'_>, id: ClusterId) -> Result<Option<Self>> {
        Ok(loaders::row(ctx, id).await?.map(Self))
    }
}

/// What a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum ClusterKind {
    /// A folder of rendered manifests, as a GitOps tool takes it over.
    Directory,
    /// A Kubernetes API server, on which Helm acts as the project.
    Kubernetes,
}

/// Why the last check did not find a cluster, as far as a program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Trouble")]
pub enum ClusterTrouble {
    /// Nothing answers at its address, or not in time.
    Unreachable,
    /// What answers has no certificate of the kubeconfig's authority.
    Untrusted,
    /// The kubeconfig's credentials are not accepted, or over.
    CredentialsRefused,
    /// The credentials are accepted and may not do what Charthouse needs.
    RightsMissing,
    /// Another cluster answers at its address.
    AnotherCluster,
    /// What answers is in trouble, or is no Kubernetes.
    Failed,
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
        self.0.kind.into()
    }

    /// The UID of its namespace `kube-system`, by which it is known; absent for a folder of manifests.
    async fn uid(&self) -> Option<Uuid> {
        self.0.uid
    }

    /// What it said of itself when it was last reached, such as `v1.36.0`; absent for a folder of manifests.
    async fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// Whether the last check found it.
    async fn reachable(&self) -> bool {
        self.0.trouble.is_none()
    }

    /// Why the last check did not find it; absent if it did.
    async fn trouble(&self) -> Option<ClusterTrouble> {
        self.0.trouble.map(Into::into)
    }

    /// Apps whose releases may hold objects of the whole cluster and of other namespaces. For whoever manages clusters,
    /// those they may know of.
    #[graphql(complexity = "10 + 10 * child_complexity")]
    async fn cluster_wide_apps(&self, ctx: &Context<'_>) -> Result<Vec<App>> {
        viewer(ctx)?.authorize(Permission::ClusterManage, Place::Platform)?;
        let mut apps = vec![];
        for app in &self.0.cluster_wide {
            apps.extend(App::load(ctx, *app).await?);
        }
        Ok(apps)
    }
}
