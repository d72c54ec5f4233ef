//! Versions: what was uploaded, where it stands, and what is in it.

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{ids::AppId, version_number::VersionNumber};
use projections::apps;
use uuid::Uuid;

use super::{
    NodeId,
    accounts::{Account, unseal},
    apps::{App, Suspension},
    error::Result,
    listings::{Listing, Maintainer},
    reviews::ReviewDecision,
    scalars::{SemVer, Sha256},
    viewer::{read, services, viewer},
};
use crate::{chart_archive::Chart, markdown};

#[derive(Default)]
pub struct VersionQuery;

#[Object]
impl VersionQuery {
    /// A version by its global id.
    async fn version(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Version>> {
        viewer(ctx)?;
        match NodeId::parse(&id) {
            Some(NodeId::Version(app, number)) => Version::load(ctx, app, number).await,
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

/// One version of an app: an archive, and its way to the store.
pub struct Version(pub apps::Version);

impl Version {
    /// The version, if the viewer may know of it. A deleted one is not found any more.
    pub async fn load(ctx: &Context<'_>, app: AppId, number: VersionNumber) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let found = read(ctx, move |view| {
            Ok((apps::app(view, app)?, apps::version(view, app, &number)?))
        })
        .await?;
        let (Some(app), Some(version)) = found else {
            return Ok(None);
        };
        let app = app.visibility();
        let visible = viewer.sees_app(&app)
            && viewer.sees_version(&app, version.stage.visibility())
            && version.stage != apps::Stage::Deleted;
        Ok(visible.then_some(Self(version)))
    }

    async fn document(&self, ctx: &Context<'_>) -> Result<Option<Chart>> {
        Ok(services(ctx).content.chart(self.0.package.chart).await?)
    }
}

#[Object]
impl Version {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Version(self.0.app, self.0.number.clone()).into()
    }

    /// The number, as the chart says it.
    async fn number(&self) -> SemVer {
        SemVer(self.0.number.clone())
    }

    /// The app it is a version of.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load(ctx, self.0.app).await
    }

    /// Where it stands.
    async fn stage(&self) -> VersionStage {
        self.0.stage.into()
    }

    /// What its stage allows now, to whoever has the permission: names of mutations.
    async fn possible_actions(&self) -> Vec<&'static str> {
        self.0.actions.iter().map(|action| action.as_str()).collect()
    }

    /// How many events this version has had; name it as `expectedRevision` to be sure of what was seen.
    async fn revision(&self) -> u64 {
        self.0.revision
    }

    /// The SHA-256 of the chart archive: what a reviewer approves.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.0.package.digest)
    }

    /// The size of the chart archive, in bytes.
    async fn package_size_bytes(&self) -> Option<u64> {
        self.0.package.size.parse().ok()
    }

    /// Path of the chart archive on this server; needs the same token.
    async fn package_path(&self) -> String {
        format!("/apps/{}/versions/{}/package", self.0.app, self.0.number)
    }

    /// What is in the archive; absent if it was removed for good.
    async fn chart(&self, ctx: &Context<'_>) -> Result<Option<ChartContent>> {
        Ok(self.document(ctx).await?.map(ChartContent))
    }

    /// What was frozen for the review it is in, or came out of.
    async fn submission(&self) -> Option<Submission> {
        self.0.submission.clone().map(|submission| Submission {
            app: self.0.app,
            submission,
        })
    }

    /// Who reviews it; absent while nobody does.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.claim.map(|claim| claim.reviewer)).await
    }

    /// The last decision about it.
    async fn decision(&self) -> Option<VersionDecision> {
        self.0.decision.clone().map(VersionDecision)
    }

    /// Set while it is suspended.
    async fn suspension(&self) -> Option<Suspension> {
        self.0.suspension.clone().map(Suspension)
    }

    /// When its archive was first uploaded.
    async fn uploaded_at(&self) -> DateTime<Utc> {
        self.0.uploaded.at
    }

    /// Who uploaded it.
    async fn uploaded_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.uploaded.by).await
    }

    /// When something last happened to it.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated.at
    }

    /// When it was published, if it was.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published.map(|mark| mark.at)
    }
}

/// A package and a listing, frozen for review. A decision names all three.
pub struct Submission {
    app: AppId,
    submission: apps::Submission,
}

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

    /// When it was submitted.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.submission.submitted.map(|mark| mark.at)
    }

    /// Who submitted it.
    async fn submitted_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.submission.submitted.and_then(|mark| mark.by)).await
    }
}

/// The last decision about a version.
pub struct VersionDecision(apps::Decided);

#[Object]
impl VersionDecision {
    /// What was decided.
    async fn decision(&self) -> ReviewDecision {
        self.0.decision.into()
    }

    /// The submission it was about.
    async fn submission(&self) -> Uuid {
        self.0.submission.as_uuid()
    }

    /// Why it was rejected; absent for an approval, or once it was erased.
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

/// What is in a chart archive.
pub struct ChartContent(Chart);

/// A file of a chart archive.
#[derive(SimpleObject)]
pub struct ChartFile {
    /// Its path below the chart's folder.
    path: String,
    /// Its size in bytes.
    size_bytes: u64,
}

#[Object]
impl ChartContent {
    /// The version of the software in it.
    async fn app_version(&self) -> Option<&str> {
        self.0.metadata.app_version.as_deref()
    }

    /// What the chart says it is.
    async fn description(&self) -> Option<&str> {
        self.0.metadata.description.as_deref()
    }

    /// The versions of Kubernetes it is for, as a SemVer range.
    async fn kube_version(&self) -> Option<&str> {
        self.0.metadata.kube_version.as_deref()
    }

    /// Whether its author advises against using it.
    async fn deprecated(&self) -> bool {
        self.0.metadata.deprecated
    }

    /// Words to find it by.
    async fn keywords(&self) -> &[String] {
        &self.0.metadata.keywords
    }

    /// Who keeps it.
    async fn maintainers(&self) -> Vec<Maintainer> {
        let maintainers = self.0.metadata.maintainers.iter().cloned();
        maintainers
            .map(|m| Maintainer {
                name: m.name,
                email: m.email,
                url: m.url,
            })
            .collect()
    }

    /// All of `Chart.yaml`, with its own field names.
    async fn metadata(&self) -> Result<Json<serde_json::Value>> {
        let metadata = serde_json::to_value(&self.0.metadata);
        metadata
            .map(Json)
            .map_err(|error| super::error::ApiError::internal(&error))
    }

    /// README.md, as it was written.
    async fn readme(&self) -> Option<&str> {
        self.0.readme.as_deref()
    }

    /// README.md as HTML, sanitised: no scripts, no styles, no frames.
    async fn readme_html(&self) -> Option<String> {
        self.0.readme.as_deref().map(markdown::to_html)
    }

    /// values.yaml, with its comments.
    async fn values(&self) -> Option<&str> {
        self.0.values.as_deref()
    }

    /// values.schema.json.
    async fn values_schema(&self) -> Option<&str> {
        self.0.values_schema.as_deref()
    }

    /// Every file of the archive, in path order.
    async fn files(&self) -> Vec<ChartFile> {
        let files = self.0.files.iter();
        files
            .map(|file| ChartFile {
                path: file.path.clone(),
                size_bytes: file.size_bytes,
            })
            .collect()
    }
}
