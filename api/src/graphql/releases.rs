//! Releases: what is wanted, what was observed, and every attempt between.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    ids::ReleaseId,
    permission::Permission,
    release::{self, FailureReason, OperationKind},
};
use projections::{health::HealthOf, releases};

use super::{
    NodeId,
    allowed::{self, AllowedAction},
    apps::App,
    at_least::{self, AtLeast},
    deployments::{Attempt, Deployment, Revision},
    error::Result,
    health::ObservedHealth,
    loaders,
    page::{self, Connected},
    tenancy::Project,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct ReleaseQuery;

#[Object]
impl ReleaseQuery {
    /// A release by its global id.
    async fn release(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
    ) -> Result<Option<Release>> {
        viewer(ctx)?;
        at_least::wait(ctx, at_least).await?;
        match NodeId::parse(&id) {
            Some(NodeId::Release(id)) => Release::load(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The releases of a project, the newest first, without those that are uninstalled.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn releases(
        &self,
        ctx: &Context<'_>,
        project: ID,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<Connected<Release>>> {
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let viewer = viewer(ctx)?;
        let Some(NodeId::Project(id)) = NodeId::parse(&project) else {
            return Ok(None);
        };
        let Some(project) = Project::load(ctx, id).await? else {
            return Ok(None);
        };
        let place = Place::Project {
            project: id,
            workspace: project.0.workspace,
        };
        viewer.authorize(Permission::ReleaseView, place)?;
        let releases = read(ctx, move |view| {
            releases::list(view, releases::Of::Project(id), &request)
        })
        .await?;
        Ok(Some(page::connection(ctx, releases, is_first, Release)))
    }
}

/// A release as people speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "release::Status")]
pub enum ReleaseStatus {
    /// Its first installation is under way.
    Creating,
    /// It runs as wanted.
    Running,
    /// A change is under way; what ran before may still run.
    Upgrading,
    /// It is on its way back to an earlier revision.
    RollingBack,
    /// Its removal is under way.
    Uninstalling,
    /// The last operation failed or was cancelled; what ran before may still run. It can be tried again, corrected by an
    /// upgrade, rolled back, or removed.
    Failed,
    /// It is gone.
    Uninstalled,
}

/// What is done to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "OperationKind")]
pub enum Operation {
    /// The first installation, or its correction.
    Install,
    /// Another version, other values, or both; also a rollback.
    Upgrade,
    /// The removal.
    Uninstall,
}

/// Why an operation failed, as far as a program can tell. The output says the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "FailureReason")]
pub enum OperationFailure {
    /// Helm ran and refused.
    HelmFailed,
    /// Helm did not end in time.
    HelmTimeout,
    /// There is no usable Helm.
    HelmMissing,
    /// The chart or the values could not be read back.
    ContentUnavailable,
    /// The result could not be written to the cluster.
    ClusterFailed,
    /// The cluster does not answer, or something else answers there.
    ClusterUnreachable,
    /// The cluster does not accept the credentials it was registered with.
    CredentialsRefused,
    /// The project's namespace, or its service account, could not be made.
    ProjectNotReady,
    /// The project's namespace is not on the cluster any more, or not the project's.
    NamespaceMissing,
    /// Somebody else's release has the name in the namespace.
    NameTaken,
    /// What was applied did not become ready in time.
    NotReady,
    /// Helm's record of the release exceeds the 1 MiB that Kubernetes keeps in a Secret.
    ReleaseTooLarge,
    /// The chart holds objects of the whole cluster or of other namespaces; the output lists them.
    ScopeRefused,
}

/// How an operation ended without its result.
#[derive(SimpleObject)]
pub struct ReleaseFailure {
    /// What it was.
    operation: Operation,
    /// Why it failed; absent if it was cancelled.
    reason: Option<OperationFailure>,
    /// Whether somebody asked for its end.
    is_cancelled: bool,
}

impl From<release::Failure> for ReleaseFailure {
    fn from(failure: release::Failure) -> Self {
        Self {
            operation: failure.operation.into(),
            reason: failure.reason.map(Into::into),
            is_cancelled: failure.reason.is_none(),
        }
    }
}

pub struct Release(pub releases::Release);

impl Release {
    /// Whether the viewer may read its values.
    fn shows_values(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = viewer(ctx)?;
        let place = self.place();
        Ok(place.is_some_and(|place| viewer.may(Permission::ReleaseValues, place)))
    }

    fn place(&self) -> Option<Place> {
        let (project, workspace) = (self.0.project, self.0.workspace?);
        Some(Place::Project { project, workspace })
    }

    /// The release, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: ReleaseId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let found = loaders::row(ctx, id).await?;
        Ok(found.filter(|release| sees(viewer, release)).map(Self))
    }
}

pub fn sees(viewer: &domain::access::Principal, release: &releases::Release) -> bool {
    release.workspace.is_some_and(|workspace| {
        viewer.may(
            Permission::ReleaseView,
            Place::Project {
                project: release.project,
                workspace,
            },
        )
    })
}

/// An installed app.
#[Object]
impl Release {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Release(self.0.id).into()
    }

    /// The name, unique in its project among those that are not uninstalled.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Where it stands.
    async fn status(&self) -> ReleaseStatus {
        self.0.status().into()
    }

    /// How it was when somebody last looked at its cluster; absent if nobody did.
    async fn health(&self, ctx: &Context<'_>) -> Result<Option<ObservedHealth>> {
        let health = loaders::row(ctx, HealthOf(self.0.id)).await?;
        Ok(health.map(ObservedHealth))
    }

    /// What the viewer may do to it now, and why not the rest: by the rules that the mutations themselves ask. To which
    /// versions it can be upgraded depends on them, and what never ran is tried again only while it could be installed.
    #[graphql(complexity = "50 + 10 * child_complexity")]
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<AllowedAction>> {
        match self.place() {
            Some(place) => allowed::on_release(ctx, self.0.id, place).await,
            None => Ok(vec![]),
        }
    }

    /// The app it is a release of; absent if the viewer may not see it any more.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load(ctx, self.0.app).await
    }

    /// The project it is in.
    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        Project::load(ctx, self.0.project).await
    }

    /// What was asked for last.
    async fn wanted(&self, ctx: &Context<'_>) -> Result<Deployment> {
        let shows_values = self.shows_values(ctx)?;
        Ok(Deployment::new(self.0.wanted.clone(), shows_values))
    }

    /// What was last seen to run; absent until the first success. What failed or was cancelled may have changed it since.
    async fn observed(&self, ctx: &Context<'_>) -> Result<Option<Deployment>> {
        let shows_values = self.shows_values(ctx)?;
        let observed = self.0.observed.clone();
        Ok(observed.map(|observed| Deployment::new(observed, shows_values)))
    }

    /// How often what runs was changed.
    async fn revision(&self) -> u64 {
        self.0.revision
    }

    /// What is under way.
    async fn operation(&self) -> Option<Operation> {
        self.0.operation.as_ref().map(|operation| operation.kind.into())
    }

    /// Whether somebody asked for the end of what is under way.
    async fn is_cancelling(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.cancelling)
    }

    /// How the last operation ended, if without its result and nothing happened since.
    async fn failure(&self) -> Option<ReleaseFailure> {
        self.0.failure.map(Into::into)
    }

    /// What was changed, when and why, the newest first.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn revisions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Revision>> {
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let shows_values = self.shows_values(ctx)?;
        let revisions = loaders::row(ctx, releases::RevisionsOf(self.0.id, request)).await?;
        Ok(page::connection(ctx, revisions.unwrap_or_default(), is_first, |row| {
            Revision { row, shows_values }
        }))
    }

    /// Every run of Helm for it, the newest first, with all that Helm said.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn attempts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Attempt>> {
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let attempts = loaders::row(ctx, releases::AttemptsOf(self.0.id, request)).await?;
        Ok(page::connection(ctx, attempts.unwrap_or_default(), is_first, Attempt))
    }

    /// When its installation was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.installed.at
    }

    /// When something last happened to it.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated.at
    }
}
