//! Versions: what was uploaded, where it stands, and what is in it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{access::Principal, ids::AppId, version_number::VersionNumber};
use projections::{Connection as View, Lookup, Moment, ViewError, apps};
use uuid::Uuid;

use super::{
    NodeId,
    accounts::{Account, unseal},
    allowed::{self, AllowedAction},
    apps::{App, Suspension},
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    error::{ApiError, Result},
    explanations::VersionExplanation,
    installations::Installations,
    limits::{self, make_room},
    listings::{Listing, Maintainer, html},
    loaders,
    removals::ContentRemoval,
    review_policy::{StageProgress, progress},
    reviews::ReviewDecision,
    scalars::{SemVer, Sha256},
    viewer::{services, viewer},
};
use crate::chart_archive::Chart;

#[derive(Default)]
pub struct VersionQuery;

#[Object]
impl VersionQuery {
    /// A version by its global id.
    async fn version(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "As it was then. Who may know of it is decided by today's rights.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
    ) -> Result<Option<Version>> {
        viewer(ctx)?;
        at_least::wait(ctx, at_least).await?;
        let moment = as_of::moment(ctx, as_of).await?;
        match NodeId::parse(&id) {
            Some(NodeId::Version(app, number)) => Version::load_at(ctx, app, number, moment).await,
            _ => Ok(None),
        }
    }
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "apps::Stage")]
pub enum VersionStage {
    /// Uploaded, and not handed in.
    Draft,
    /// Waits for a reviewer.
    Submitted,
    /// A reviewer has it.
    InReview,
    /// May be published.
    Approved,
    /// Was refused, with a reason; may be changed and submitted again.
    Rejected,
    /// In the store.
    Published,
    /// Taken out of the store; its releases go on.
    Suspended,
    /// Gone for good; its number is free again only if it was never published.
    Deleted,
}

pub struct Version {
    pub row: Box<apps::Version>,
    /// When it was so; what it leads to is of the same moment.
    pub moment: Moment,
}

impl Version {
    /// The version, if the viewer may know of it. A deleted one is not found any more.
    pub async fn load(ctx: &Context<'_>, app: AppId, number: VersionNumber) -> Result<Option<Self>> {
        Self::load_at(ctx, app, number, Moment::Now).await
    }

    /// The version as it was, if the viewer may know of it. Before it was deleted, it is found by whoever saw it then and
    /// may see it still.
    pub async fn load_at(ctx: &Context<'_>, app: AppId, number: VersionNumber, moment: Moment) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let sees = |found: &Arc<_>| sees(viewer, found);
        let key = WithApp(app, number);
        let mut found = loaders::row(ctx, key.clone()).await?;
        if moment != Moment::Now && (found.as_ref().is_some_and(sees) || as_of::sees_history(viewer)) {
            found = loaders::row_at(ctx, moment, key).await?;
        }
        let shown = found.filter(|found| sees(found) && found.1.stage != apps::Stage::Deleted);
        Ok(shown.map(|found| Self {
            row: Box::new(found.1.clone()),
            moment,
        }))
    }

    async fn document(&self, ctx: &Context<'_>) -> Result<Option<Chart>> {
        Ok(services(ctx).content.chart(self.row.package.chart).await?)
    }
}

/// A version with its app, whoever asks.
#[derive(Clone, PartialEq, Eq, Hash)]
struct WithApp(AppId, VersionNumber);

impl Lookup for WithApp {
    type Row = Arc<(apps::App, apps::Version)>;

    fn find(view: &View, keys: &[Self]) -> std::result::Result<HashMap<Self, Self::Row>, ViewError> {
        let owners: HashSet<_> = keys.iter().map(|Self(app, _)| *app).collect();
        let owners = AppId::find(view, &Vec::from_iter(owners))?;
        let named: Vec<_> = keys.iter().map(|Self(app, number)| (*app, number.clone())).collect();
        let versions = Lookup::find(view, &named)?.into_iter();
        let found = versions.filter_map(|((app, number), row)| {
            let owner = owners.get(&app)?.clone();
            Some((Self(app, number), Arc::new((owner, row))))
        });
        Ok(found.collect())
    }
}

fn sees(viewer: &Principal, (app, version): &(apps::App, apps::Version)) -> bool {
    let app = app.visibility();
    viewer.sees_app(&app) && viewer.sees_version(&app, version.stage.visibility())
}

/// One version of an app: an archive, and its way to the store.
#[Object]
impl Version {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Version(self.row.app, self.row.number.clone()).into()
    }

    /// The number, as the chart says it.
    async fn number(&self) -> SemVer {
        SemVer(self.row.number.clone())
    }

    /// The app it is a version of.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load_at(ctx, self.row.app, self.moment).await
    }

    /// Where it stands.
    async fn stage(&self) -> VersionStage {
        self.row.stage.into()
    }

    /// What the viewer may do to it now, and why not the rest: by the rules that the mutations themselves ask.
    #[graphql(complexity = "100 + 10 * child_complexity")]
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<AllowedAction>> {
        allowed::on_version(ctx, self.row.app, &self.row.number).await
    }

    /// How many events this version has had; name it as `expectedRevision` to be sure of what was seen.
    async fn revision(&self) -> u64 {
        self.row.revision
    }

    /// The SHA-256 of the chart archive: what a reviewer approves.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.row.package.digest)
    }

    /// The size of the chart archive, in bytes.
    async fn package_size_bytes(&self) -> Option<u64> {
        self.row.package.size.parse().ok()
    }

    /// Path of the chart archive on this server; needs the same token.
    async fn package_path(&self) -> String {
        format!("/apps/{}/versions/{}/package", self.row.app, self.row.number)
    }

    /// Set if the archive was taken away for good: it can be neither had nor installed, and releases of it go on.
    async fn removal(&self, ctx: &Context<'_>) -> Result<Option<ContentRemoval>> {
        ContentRemoval::of(ctx, self.row.package.digest).await
    }

    /// What is in the archive; absent if it was removed for good.
    async fn chart(&self, ctx: &Context<'_>) -> Result<Option<ChartContent>> {
        Ok(self.document(ctx).await?.map(ChartContent))
    }

    /// What was frozen for the review it is in, or came out of.
    async fn submission(&self) -> Option<Submission> {
        self.row.submission.clone().map(|submission| Submission {
            app: self.row.app,
            submission,
        })
    }

    /// Who reviews it; absent while nobody does. For the workspace, reviewers and auditors.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.row.app, self.row.claim.map(|claim| claim.reviewer)).await
    }

    /// The last decision about it.
    async fn decision(&self) -> Option<VersionDecision> {
        self.row.decision.clone().map(|decided| VersionDecision {
            app: self.row.app,
            decided,
        })
    }

    /// The releases that run it, or are being brought to it. For whoever may suspend it.
    async fn installations(&self, ctx: &Context<'_>) -> Result<Option<Installations>> {
        let app = App::load_at(ctx, self.row.app, self.moment).await?;
        let workspace = app.map(|app| app.row.workspace);
        workspace.map_or(Ok(None), |workspace| {
            Installations::of(ctx, self.row.app, workspace, Some(&self.row.number))
        })
    }

    /// Set while it is suspended.
    async fn suspension(&self) -> Option<Suspension> {
        self.row.suspension.clone().map(Suspension)
    }

    /// When its archive was first uploaded.
    async fn uploaded_at(&self) -> DateTime<Utc> {
        self.row.uploaded.at
    }

    /// Who uploaded it. For the workspace, reviewers and auditors.
    async fn uploaded_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.row.app, self.row.uploaded.by).await
    }

    /// When something last happened to it.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated.at
    }

    /// When it was published, if it was.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.row.published.map(|mark| mark.at)
    }

    /// The facts that led it to where it is, and what shows or hides it in the store. For the workspace, reviewers and
    /// auditors.
    #[graphql(complexity = "100 + child_complexity")]
    async fn explanation(&self, ctx: &Context<'_>) -> Result<Option<VersionExplanation>> {
        VersionExplanation::load(ctx, &self.row, self.moment).await
    }
}

pub struct Submission {
    app: AppId,
    submission: apps::Submission,
}

/// A package and a listing, frozen for review. A decision names all three.
#[Object]
impl Submission {
    /// What a decision has to name as `submission`.
    async fn id(&self) -> Uuid {
        self.submission.id.as_uuid()
    }

    /// What a decision has to name as `packageDigest`.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.submission.package)
    }

    /// The listing that goes with it; a decision names its digest as `listingDigest`.
    async fn listing(&self) -> Listing {
        Listing {
            app: self.app,
            digest: self.submission.listing,
        }
    }

    /// The digest of the review policy that was in force when it was submitted, and decides it.
    async fn policy_digest(&self) -> Option<Sha256> {
        self.submission.review.as_ref().map(|review| Sha256(review.digest))
    }

    /// The stages of that policy, and how far it has come.
    async fn stages(&self) -> Vec<StageProgress> {
        let review = self.submission.review.as_ref();
        review.map_or_else(Vec::new, |review| progress(self.app, review))
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.submission.submitted.map(|mark| mark.at)
    }

    /// Who submitted it. For the workspace, reviewers and auditors.
    async fn submitted_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.app, self.submission.submitted.and_then(|mark| mark.by)).await
    }
}

pub struct VersionDecision {
    app: AppId,
    decided: apps::Decided,
}

/// The last decision about a version.
#[Object]
impl VersionDecision {
    /// What was decided.
    async fn decision(&self) -> ReviewDecision {
        self.decided.decision.into()
    }

    /// The submission it was about.
    async fn submission(&self) -> Uuid {
        self.decided.submission.as_uuid()
    }

    /// Why it was rejected; absent for an approval, or once it was erased.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.decided.reason {
            Some(reason) => unseal(ctx, reason).await,
            None => Ok(None),
        }
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.decided.mark.at
    }

    /// By whom. For the workspace, reviewers and auditors.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.app, self.decided.mark.by).await
    }
}

pub struct ChartContent(Chart);

/// A file of a chart archive.
#[derive(SimpleObject)]
pub struct ChartFile {
    /// Its path below the chart's folder.
    path: String,
    /// Its size in bytes.
    size_bytes: u64,
}

/// What is in a chart archive.
#[Object]
impl ChartContent {
    /// The version of the software in it.
    async fn app_version(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.metadata.app_version.as_deref())
    }

    /// What the chart says it is.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.metadata.description.as_deref())
    }

    /// The versions of Kubernetes it is for, as a SemVer range.
    async fn kube_version(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.metadata.kube_version.as_deref())
    }

    /// Whether its author advises against using it.
    async fn deprecated(&self) -> bool {
        self.0.metadata.deprecated
    }

    /// Words to find it by.
    async fn keywords(&self, ctx: &Context<'_>) -> Result<&[String]> {
        let keywords = &self.0.metadata.keywords;
        make_room(ctx, keywords.iter().map(String::len).sum())?;
        Ok(keywords)
    }

    /// Who keeps it.
    async fn maintainers(&self, ctx: &Context<'_>) -> Result<Vec<Maintainer>> {
        let maintainers = self.0.metadata.maintainers.iter().cloned().map(|m| Maintainer {
            name: m.name,
            email: m.email,
            url: m.url,
        });
        let maintainers: Vec<_> = maintainers.collect();
        make_room(ctx, maintainers.iter().map(Maintainer::bytes).sum())?;
        Ok(maintainers)
    }

    /// All of `Chart.yaml`, with its own field names.
    #[graphql(complexity = 100)]
    async fn metadata(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        let metadata = serde_json::to_value(&self.0.metadata).map_err(|error| ApiError::internal(&error))?;
        make_room(ctx, metadata.to_string().len())?;
        Ok(Json(metadata))
    }

    /// README.md, as it was written.
    #[graphql(complexity = 100)]
    async fn readme(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.readme.as_deref())
    }

    /// README.md as HTML, sanitised: no scripts, no styles, no frames, no images.
    #[graphql(complexity = 100)]
    async fn readme_html(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.readme {
            Some(readme) => html(ctx, readme.clone()).await.map(Some),
            None => Ok(None),
        }
    }

    /// values.yaml, with its comments.
    #[graphql(complexity = 100)]
    async fn values(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.values.as_deref())
    }

    /// values.schema.json.
    #[graphql(complexity = 100)]
    async fn values_schema(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        limits::text(ctx, self.0.values_schema.as_deref())
    }

    /// Every file of the archive, in path order.
    #[graphql(complexity = "100 + child_complexity")]
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<ChartFile>> {
        make_room(ctx, self.0.files.iter().map(|file| file.path.len()).sum())?;
        let files = self.0.files.iter().map(|file| ChartFile {
            path: file.path.clone(),
            size_bytes: file.size_bytes,
        });
        Ok(files.collect())
    }
}
