//! Releases: what is wanted, what was observed, and every attempt between.

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    ids::ReleaseId,
    permission::Permission,
    release::{self, Deployment as Deployed, FailureReason, OperationKind},
};
use projections::releases;

use super::{
    NodeId,
    accounts::{Account, unseal},
    allowed::{self, AllowedAction},
    apps::App,
    at_least::{self, AtLeast},
    error::Result,
    page::{self, Connected},
    scalars::{LogPosition, SemVer, Sha256},
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
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
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
        Ok(Some(page::connection(releases, is_first, Release)))
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
    /// Its removal is under way.
    Uninstalling,
    /// The last operation failed; what ran before may still run. It can be corrected by an upgrade.
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
    /// Another version, other values, or both.
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
}

pub struct Release(pub releases::Release);

impl Release {
    /// The release, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: ReleaseId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let found = read(ctx, move |view| releases::release(view, id)).await?;
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

    /// What the viewer may do to it now, and why not the rest: by the rules that the mutations themselves ask. To which
    /// versions it can be upgraded depends on them.
    #[graphql(complexity = "50 + 10 * child_complexity")]
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<AllowedAction>> {
        let Some(workspace) = self.0.workspace else {
            return Ok(vec![]);
        };
        let place = Place::Project {
            project: self.0.project,
            workspace,
        };
        allowed::on_release(ctx, self.0.id, place).await
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
    async fn wanted(&self) -> Deployment {
        Deployment(self.0.wanted.clone())
    }

    /// What was last seen to run; absent until the first success.
    async fn observed(&self) -> Option<Deployment> {
        self.0.observed.clone().map(Deployment)
    }

    /// How often what runs was changed.
    async fn revision(&self) -> u64 {
        self.0.revision
    }

    /// What is under way.
    async fn operation(&self) -> Option<Operation> {
        self.0.operation.as_ref().map(|operation| operation.kind.into())
    }

    /// What was changed, when and why, the newest first.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn revisions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Revision>> {
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(first, after)?);
        let revisions = read(ctx, move |view| releases::revisions(view, id, &request)).await?;
        Ok(page::connection(revisions, is_first, Revision))
    }

    /// Every run of Helm for it, the newest first, with all that Helm said.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn attempts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Attempt>> {
        let (id, is_first, request) = (self.0.id, after.is_none(), page::request(first, after)?);
        let attempts = read(ctx, move |view| releases::attempts(view, id, &request)).await?;
        Ok(page::connection(attempts, is_first, Attempt))
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

pub struct Deployment(Deployed);

/// A version by its bytes, and the values it runs with.
#[Object]
impl Deployment {
    /// The number of the version.
    async fn version_number(&self) -> SemVer {
        SemVer(self.0.version.clone())
    }

    /// The SHA-256 of the chart archive.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.0.digest)
    }

    /// The values, as they were written; absent for the chart's defaults, or once they were erased.
    #[graphql(complexity = 100)]
    async fn values(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.values {
            Some(values) => unseal(ctx, values).await,
            None => Ok(None),
        }
    }
}

/// Why a revision came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "releases::Cause")]
pub enum RevisionCause {
    /// The first installation.
    Install,
    /// Another package.
    Upgrade,
    /// The same package with other values.
    Reconfigure,
}

pub struct Revision(releases::Revision);

/// A change of what runs.
#[Object]
impl Revision {
    /// Its number: 1 is the installation.
    async fn number(&self) -> u64 {
        self.0.revision
    }

    /// Why it came to be.
    async fn cause(&self) -> RevisionCause {
        self.0.cause.into()
    }

    /// The number of the version it runs.
    async fn version_number(&self) -> SemVer {
        SemVer(self.0.version.clone())
    }

    /// The SHA-256 of the chart archive it runs.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.0.digest)
    }

    /// The values it runs with; absent for the chart's defaults, or once they were erased.
    #[graphql(complexity = 100)]
    async fn values(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.values {
            Some(values) => unseal(ctx, values).await,
            None => Ok(None),
        }
    }

    /// What Helm rendered; absent once it was erased.
    #[graphql(complexity = 100)]
    async fn manifest(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        unseal(ctx, &self.0.manifest).await
    }

    /// When it was seen to run.
    async fn at(&self) -> DateTime<Utc> {
        self.0.observed.at
    }

    /// Who asked for it.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.requested.by).await
    }
}

pub struct Attempt(releases::Attempt);

/// One run of Helm.
#[Object]
impl Attempt {
    /// What it was for.
    async fn operation(&self) -> Operation {
        self.0.operation.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started.at
    }

    /// When it ended; absent while it runs, and for one that died with its worker.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended.as_ref().map(|ended| ended.mark.at)
    }

    /// Where its outcome stands in the log.
    async fn position(&self) -> Option<LogPosition> {
        self.0.ended.as_ref().map(|ended| LogPosition(ended.mark.position))
    }

    /// Whether it succeeded; absent while it runs.
    async fn succeeded(&self) -> Option<bool> {
        self.0
            .ended
            .as_ref()
            .map(|ended| matches!(ended.outcome, releases::Outcome::Succeeded))
    }

    /// Why it failed.
    async fn failure(&self) -> Option<OperationFailure> {
        match self.0.ended.as_ref()?.outcome {
            releases::Outcome::Succeeded => None,
            releases::Outcome::Failed(reason) => Some(reason.into()),
        }
    }

    /// All that Helm said; absent while it runs, and once it was erased.
    #[graphql(complexity = 100)]
    async fn output(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.ended {
            Some(ended) => unseal(ctx, &ended.output).await,
            None => Ok(None),
        }
    }
}
