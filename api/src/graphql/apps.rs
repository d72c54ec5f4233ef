//! Apps, as the viewer may know them.

use std::collections::HashSet;

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    app::Authority,
    ids::AppId,
    permission::Permission,
};
use projections::{
    Connection, Key, Moment, PageRequest,
    apps::{self, VersionsOf},
};

use super::{
    NodeId,
    accounts::{Account, unseal},
    allowed::{self, AllowedAction},
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    categories::Category,
    error::Result,
    installations::Installations,
    listings::{Listing, ListingReview},
    loaders,
    page::{self, Connected},
    scalars::SemVer,
    tenancy::Workspace,
    versions::{Version, VersionStage},
    viewer::{read, read_at, viewer},
};

#[derive(Default)]
pub struct AppQuery;

#[Object]
impl AppQuery {
    /// An app by its global id.
    async fn app(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "As it was then. Who may know of it is decided by today's rights.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
    ) -> Result<Option<App>> {
        viewer(ctx)?;
        at_least::wait(ctx, at_least).await?;
        let moment = as_of::moment(ctx, as_of).await?;
        match NodeId::parse(&id) {
            Some(NodeId::App(id)) => App::load_at(ctx, id, moment).await,
            _ => Ok(None),
        }
    }

    /// The apps of a workspace, the newest first; without the deleted ones unless it is them that are asked for.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn apps(
        &self,
        ctx: &Context<'_>,
        workspace: ID,
        status: Option<AppStatus>,
        #[graphql(desc = "As they were then.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<Connected<App>>> {
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        viewer(ctx)?;
        at_least::wait(ctx, at_least).await?;
        let moment = as_of::moment(ctx, as_of).await?;
        let Some(NodeId::Workspace(id)) = NodeId::parse(&workspace) else {
            return Ok(None);
        };
        if Workspace::load_inside(ctx, id).await?.is_none() {
            return Ok(None);
        }
        let status = status.map(Into::into);
        let list = move |view: &Connection| apps::of_workspace(view, id, status, &request);
        let apps = read_at(ctx, moment, list).await?;
        Ok(Some(page::connection(ctx, apps, is_first, |row| App {
            row: Box::new(row),
            moment,
        })))
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

pub struct App {
    pub row: Box<apps::App>,
    /// When it was so; what it leads to is of the same moment.
    pub moment: Moment,
}

impl App {
    /// The app, if the viewer may know of it.
    pub async fn load(ctx: &Context<'_>, id: AppId) -> Result<Option<Self>> {
        Self::load_at(ctx, id, Moment::Now).await
    }

    /// The app as it was, if the viewer may know of it.
    pub async fn load_at(ctx: &Context<'_>, id: AppId, moment: Moment) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let sees = |app: &apps::App| viewer.sees_app(&app.visibility());
        let mut row = loaders::row(ctx, id).await?;
        if moment != Moment::Now && (row.as_ref().is_some_and(sees) || as_of::sees_history(viewer)) {
            row = loaders::row_at(ctx, moment, id).await?;
        }
        Ok(row.filter(sees).map(|row| Self {
            row: Box::new(row),
            moment,
        }))
    }

    /// Whether the viewer may see all of what this app was, and not only what is still so.
    fn is_past_open(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = viewer(ctx)?;
        Ok(self.moment == Moment::Now
            || viewer.may(Permission::WorkspaceView, Place::Workspace(self.row.workspace))
            || as_of::sees_history(viewer))
    }

    /// Its versions that the viewer may know of today.
    async fn versions_still_seen(&self, ctx: &Context<'_>) -> Result<HashSet<Key>> {
        let (id, viewer) = (self.row.id, viewer(ctx)?.clone());
        let seen = read(ctx, move |view| match apps::app(view, id)? {
            Some(app) => apps::places(view, id, &seen_stages(&viewer, &app)),
            None => Ok(HashSet::new()),
        });
        seen.await
    }

    /// Whether the viewer sees more of the app than the store shows.
    fn seen_from_inside(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = viewer(ctx)?;
        let from_inside = viewer.may(Permission::WorkspaceView, Place::Workspace(self.row.workspace))
            || viewer.may(Permission::ReviewView, Place::Platform);
        Ok(from_inside && self.is_past_open(ctx)?)
    }
}

/// The stages that a version of the app may stand in for the viewer to know of it.
fn seen_stages(viewer: &Principal, app: &apps::App) -> Vec<apps::Stage> {
    let app = app.visibility();
    let stages = apps::Stage::NOT_DELETED.iter().copied();
    stages
        .filter(|stage| viewer.sees_version(&app, stage.visibility()))
        .collect()
}

/// An app: a workspace's chart, its versions and its listing.
#[Object]
impl App {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::App(self.row.id).into()
    }

    /// The chart's name, which is the app's: unique in its workspace, and in the store.
    async fn chart_name(&self) -> &str {
        self.row.chart.as_str()
    }

    /// Where it stands.
    async fn status(&self) -> AppStatus {
        self.row.status.into()
    }

    /// The workspace that owns it; absent for whoever is not a member.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<Workspace>> {
        Workspace::load(ctx, self.row.workspace).await
    }

    /// What the store says about it; absent until its first publication.
    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        let (app, published) = (self.row.id, self.row.listing.published);
        let is_shown = self.is_past_open(ctx)?
            || Self::load(ctx, app)
                .await?
                .is_some_and(|now| now.row.listing.published == published);
        Ok(published.filter(|_| is_shown).map(|digest| Listing { app, digest }))
    }

    /// What the store will say after the next review. For the workspace and for reviewers.
    async fn draft_listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        let digest = self.row.listing.draft;
        Ok(self.seen_from_inside(ctx)?.then_some(Listing {
            app: self.row.id,
            digest,
        }))
    }

    /// The listing's own review, if one was asked for without a version. For the workspace and for reviewers.
    async fn listing_review(&self, ctx: &Context<'_>) -> Result<Option<ListingReview>> {
        let review = self.row.listing.review.clone();
        let review = review.filter(|_| self.seen_from_inside(ctx).unwrap_or(false));
        Ok(review.map(|review| ListingReview {
            app: self.row.id,
            review,
        }))
    }

    /// The shelf it is on; absent for the uncategorised.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        match self.row.category {
            Some(id) => Category::load_at(ctx, id, self.moment).await,
            None => Ok(None),
        }
    }

    /// The version the store offers first: the highest published one, a pre-release only if there is nothing else.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        match self.row.latest.clone() {
            Some(number) => Version::load_at(ctx, self.row.id, number, self.moment).await,
            None => Ok(None),
        }
    }

    /// The version of this number.
    async fn version(&self, ctx: &Context<'_>, number: SemVer) -> Result<Option<Version>> {
        Version::load_at(ctx, self.row.id, number.0, self.moment).await
    }

    /// Its versions, the highest first: all of them for the workspace, for others those they may know of.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        stages: Option<Vec<VersionStage>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Version>> {
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let (id, moment) = (self.row.id, self.moment);
        let mut wanted = seen_stages(viewer(ctx)?, &self.row);
        if let Some(asked) = stages {
            let asked: Vec<_> = asked.into_iter().map(apps::Stage::from).collect();
            wanted.retain(|stage| asked.contains(stage));
        }
        let versions = if self.is_past_open(ctx)? {
            let (stages, page) = (wanted, request);
            let page = VersionsOf { app: id, stages, page };
            loaders::row_at(ctx, moment, page).await?.unwrap_or_default()
        } else {
            let still = self.versions_still_seen(ctx).await?;
            read_at(ctx, moment, move |view| {
                let list = |page: &PageRequest| apps::versions(view, id, &wanted, page);
                request.sift(list, |version| still.contains(&version.key))
            })
            .await?
        };
        Ok(page::connection(ctx, versions, is_first, |row| Version {
            row: Box::new(row),
            moment,
        }))
    }

    /// What the viewer may do to it now, and why not the rest: by the rules that the mutations themselves ask.
    #[graphql(complexity = "100 + 10 * child_complexity")]
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<AllowedAction>> {
        allowed::on_app(ctx, self.row.id).await
    }

    /// The releases of it, in any version. For whoever may suspend it.
    async fn installations(&self, ctx: &Context<'_>) -> Result<Option<Installations>> {
        Installations::of(ctx, self.row.id, self.row.workspace, None)
    }

    /// Set while the app as a whole is suspended, whatever its versions are.
    async fn suspension(&self) -> Option<Suspension> {
        self.row.suspension.clone().map(Suspension)
    }

    /// When its first version was uploaded.
    async fn uploaded_at(&self) -> DateTime<Utc> {
        self.row.uploaded.at
    }
}

pub struct Suspension(pub apps::Suspension);

/// Why something is out of the store.
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
