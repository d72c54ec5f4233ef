//! Apps, as the viewer may know them.

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{app::Authority, ids::AppId};
use projections::apps;

use super::{
    NodeId,
    accounts::{Account, unseal},
    categories::Category,
    error::Result,
    listings::{Listing, ListingReview},
    page::{self, Connected},
    scalars::SemVer,
    tenancy::Workspace,
    versions::{Version, VersionStage},
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct AppQuery;

#[Object]
impl AppQuery {
    /// An app by its global id.
    async fn app(&self, ctx: &Context<'_>, id: ID) -> Result<Option<App>> {
        viewer(ctx)?;
        match NodeId::parse(&id) {
            Some(NodeId::App(id)) => App::load(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The apps of a workspace, the newest first; without the deleted ones unless it is them that are asked for.
    #[graphql(complexity = "first.unwrap_or(20) as usize * child_complexity + 1")]
    async fn apps(
        &self,
        ctx: &Context<'_>,
        workspace: ID,
        status: Option<AppStatus>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<Connected<App>>> {
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        viewer(ctx)?;
        let Some(NodeId::Workspace(id)) = NodeId::parse(&workspace) else {
            return Ok(None);
        };
        if Workspace::load(ctx, id).await?.is_none() {
            return Ok(None);
        }
        let status = status.map(Into::into);
        let apps = read(ctx, move |view| apps::of_workspace(view, id, status, &request)).await?;
        Ok(Some(page::connection(apps, is_first, App)))
    }
}

/// Where an app stands: computed from its versions and its own suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "apps::Status")]
pub enum AppStatus {
    /// It has never been in the store, or has nothing left to show there.
    InDevelopment,
    /// The store shows it.
    Published,
    /// It was in the store and is taken out, as a whole or all its versions.
    Suspended,
    /// It is gone for good; its history is not.
    Deleted,
}

/// In whose name something was suspended. What the store suspended, its owner does not resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Authority")]
pub enum SuspensionAuthority {
    /// The workspace that owns the app.
    Owner,
    /// The store's management.
    Store,
}

/// An app: a workspace's chart, its versions and its listing.
pub struct App(pub apps::App);

impl App {
    /// The app, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: AppId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let found = read(ctx, move |view| apps::app(view, id)).await?;
        Ok(found.filter(|app| viewer.sees_app(&app.visibility())).map(Self))
    }

    /// Whether the viewer sees more of the app than the store shows.
    fn seen_from_inside(&self, ctx: &Context<'_>) -> Result<bool> {
        use domain::{access::Place, permission::Permission};
        let viewer = viewer(ctx)?;
        Ok(
            viewer.may(Permission::WorkspaceView, Place::Workspace(self.0.workspace))
                || viewer.may(Permission::ReviewView, Place::Platform),
        )
    }
}

#[Object]
impl App {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::App(self.0.id).into()
    }

    /// The chart's name, which is the app's: unique in its workspace, and in the store.
    async fn chart_name(&self) -> &str {
        self.0.chart.as_str()
    }

    /// Where it stands.
    async fn status(&self) -> AppStatus {
        self.0.status.into()
    }

    /// The workspace that owns it; absent for whoever is not a member.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<Workspace>> {
        Workspace::load(ctx, self.0.workspace).await
    }

    /// What the store says about it; absent until its first publication.
    async fn listing(&self) -> Option<Listing> {
        self.0
            .listing
            .published
            .map(|digest| Listing { app: self.0.id, digest })
    }

    /// What the store will say after the next review. For the workspace and for reviewers.
    async fn draft_listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        let digest = self.0.listing.draft;
        Ok(self
            .seen_from_inside(ctx)?
            .then_some(Listing { app: self.0.id, digest }))
    }

    /// The listing's own review, if one was asked for without a version. For the workspace and for reviewers.
    async fn listing_review(&self, ctx: &Context<'_>) -> Result<Option<ListingReview>> {
        let review = self
            .0
            .listing
            .review
            .clone()
            .filter(|_| self.seen_from_inside(ctx).unwrap_or(false));
        Ok(review.map(|review| ListingReview { app: self.0.id, review }))
    }

    /// The shelf it is on; absent for the uncategorised.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        match self.0.category {
            Some(id) => Category::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The version the store offers first: the highest published one, a pre-release only if there is nothing else.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        match self.0.latest.clone() {
            Some(number) => Version::load(ctx, self.0.id, number).await,
            None => Ok(None),
        }
    }

    /// The version of this number.
    async fn version(&self, ctx: &Context<'_>, number: SemVer) -> Result<Option<Version>> {
        Version::load(ctx, self.0.id, number.0).await
    }

    /// Its versions, the highest first: all of them for the workspace, for others those they may know of.
    #[graphql(complexity = "first.unwrap_or(20) as usize * child_complexity + 1")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        stages: Option<Vec<VersionStage>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Version>> {
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        let (id, viewer, app) = (self.0.id, viewer(ctx)?.clone(), self.0.visibility());
        let asked = stages.map(|stages| stages.into_iter().map(apps::Stage::from).collect::<Vec<_>>());
        let wanted: Vec<_> = apps::Stage::NOT_DELETED
            .iter()
            .copied()
            .filter(|stage| asked.as_ref().is_none_or(|asked| asked.contains(stage)))
            .filter(|stage| viewer.sees_version(&app, stage.visibility()))
            .collect();
        let versions = read(ctx, move |view| apps::versions(view, id, &wanted, &request)).await?;
        Ok(page::connection(versions, is_first, Version))
    }

    /// Set while the app as a whole is suspended, whatever its versions are.
    async fn suspension(&self) -> Option<Suspension> {
        self.0.suspension.clone().map(Suspension)
    }

    /// When its first version was uploaded.
    async fn uploaded_at(&self) -> DateTime<Utc> {
        self.0.uploaded.at
    }
}

/// Why something is out of the store.
pub struct Suspension(pub apps::Suspension);

#[Object]
impl Suspension {
    /// In whose name.
    async fn authority(&self) -> SuspensionAuthority {
        self.0.authority.into()
    }

    /// Why; absent if no reason was given, or it was erased.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.reason {
            Some(reason) => unseal(ctx, reason).await,
            None => Ok(None),
        }
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.mark.at
    }

    /// By whom.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.mark.by).await
    }
}
