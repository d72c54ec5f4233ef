//! What waits for a review, and every decision that was made.

use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    ids::{AppId, WorkspaceId},
    permission::Permission,
};
use projections::{
    Connection, Moment,
    decisions::{self, DecisionFilter, Period},
    reviews::{self, QueueFilter, Subject},
};
use uuid::Uuid;

use super::{
    NodeId,
    accounts::{Account, unseal},
    apps::App,
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    error::{ApiError, Result},
    listings::Listing,
    page::{self, Connected},
    review_policy::{ReviewException, StageProgress, progress},
    scalars::{LogPosition, SemVer, Sha256},
    versions::Version,
    viewer::{read, read_at, viewer},
};

#[derive(Default)]
pub struct ReviewQuery;

#[Object]
impl ReviewQuery {
    /// What waits for a review or is in one, the oldest submission first. For reviewers and auditors.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn review_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What waited then. For whoever may also see history.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<QueueEntry>> {
        viewer(ctx)?.authorize(Permission::ReviewView, Place::Platform)?;
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let moment = as_of::moment(ctx, as_of).await?;
        as_of::authorize(ctx, moment)?;
        let list = move |view: &Connection| reviews::queue(view, QueueFilter::default(), &request);
        let entries = read_at(ctx, moment, list).await?;
        Ok(page::connection(ctx, entries, is_first, |row| QueueEntry {
            row,
            moment,
        }))
    }

    /// Every review decision, the newest first: all for auditors, else those about one workspace or app of the viewer's.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn decisions(
        &self,
        ctx: &Context<'_>,
        filter: Option<DecisionFilterInput>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Decision>> {
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let filter = filter.unwrap_or_default();
        let Some((app, workspace)) = filter.within_reach(ctx).await? else {
            return Ok(Connected::empty());
        };
        let filter = DecisionFilter {
            app,
            workspace,
            decision: filter.decision.map(Into::into),
            period: Period::new(filter.from, filter.until)?,
            ..DecisionFilter::default()
        };
        let decisions = read(ctx, move |view| decisions::decisions(view, &filter, &request)).await?;
        Ok(page::connection(ctx, decisions, is_first, Decision))
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "decisions::Decision")]
pub enum ReviewDecision {
    /// It may be published.
    Approved,
    /// It may not, for a reason.
    Rejected,
}

/// Which decisions to list.
#[derive(Debug, Default, InputObject)]
pub struct DecisionFilterInput {
    /// Only those about this app.
    app: Option<ID>,
    /// Only those about apps of this workspace.
    workspace: Option<ID>,
    /// Only approvals, or only rejections.
    decision: Option<ReviewDecision>,
    /// Only those made at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only those made before this time.
    until: Option<DateTime<Utc>>,
}

impl DecisionFilterInput {
    /// The app and the workspace to look in, if the viewer may: an auditor anywhere, others in what is theirs.
    async fn within_reach(&self, ctx: &Context<'_>) -> Result<Option<(Option<AppId>, Option<WorkspaceId>)>> {
        let viewer = viewer(ctx)?;
        let app = match self.app.as_ref().map(|id| NodeId::parse(id)) {
            Some(Some(NodeId::App(app))) => Some(app),
            Some(_) => return Ok(None),
            None => None,
        };
        let workspace = match self.workspace.as_ref().map(|id| NodeId::parse(id)) {
            Some(Some(NodeId::Workspace(workspace))) => Some(workspace),
            Some(_) => return Ok(None),
            None => None,
        };
        if viewer.may(Permission::AuditView, Place::Platform) {
            return Ok(Some((app, workspace)));
        }
        let owner = match (app, workspace) {
            (Some(app), _) => App::load(ctx, app).await?.map(|app| app.row.workspace),
            (None, Some(workspace)) => Some(workspace),
            (None, None) => {
                return Err(ApiError::new(
                    "FORBIDDEN",
                    "all decisions are for auditors; name an app or a workspace",
                ));
            }
        };
        let may = owner.is_some_and(|owner| viewer.may(Permission::WorkspaceView, Place::Workspace(owner)));
        Ok(may.then_some((app, workspace)))
    }
}

pub struct QueueEntry {
    pub row: reviews::QueueEntry,
    /// When it was so; what it leads to is of the same moment.
    pub moment: Moment,
}

impl QueueEntry {
    pub const fn now(row: reviews::QueueEntry) -> Self {
        Self {
            row,
            moment: Moment::Now,
        }
    }
}

/// Something that waits for a review, or is in one.
#[Object]
impl QueueEntry {
    /// What a decision has to name as `submission`.
    async fn submission(&self) -> Uuid {
        self.row.submission.as_uuid()
    }

    /// The app it is about.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load_at(ctx, self.row.app, self.moment).await
    }

    /// The version to be reviewed; absent if it is the listing alone.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        match &self.row.subject {
            Subject::Version { number, .. } => Version::load_at(ctx, self.row.app, number.clone(), self.moment).await,
            Subject::Listing => Ok(None),
        }
    }

    /// The listing to be reviewed, alone or with the version.
    async fn listing(&self) -> Listing {
        Listing {
            app: self.row.app,
            digest: self.row.listing,
        }
    }

    /// The stages of the policy it was submitted under, and how far it has come.
    async fn stages(&self) -> Vec<StageProgress> {
        progress(self.row.app, &self.row.review)
    }

    /// Who reviews it; absent while it waits.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.row.claim.map(|claim| claim.reviewer)).await
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> DateTime<Utc> {
        self.row.submitted.at
    }

    /// Who submitted it.
    async fn submitted_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.row.submitted.by).await
    }
}

pub struct Decision(decisions::DecisionRecord);

/// A decision that was made. It is never taken back; a later one may say otherwise.
#[Object]
impl Decision {
    /// The id of its event: an export of this decision alone takes it.
    async fn event_id(&self) -> Uuid {
        self.0.id.as_uuid()
    }

    /// Where its event stands in the log.
    async fn position(&self) -> LogPosition {
        LogPosition(self.0.position)
    }

    /// What was decided.
    async fn decision(&self) -> ReviewDecision {
        self.0.decision.into()
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// By whom.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.reviewer).await
    }

    /// Why it was rejected; absent for an approval, or once it was erased.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.reason {
            Some(reason) => unseal(ctx, reason).await,
            None => Ok(None),
        }
    }

    /// Whether it ended the review, and was not one approval of several.
    async fn is_last(&self) -> bool {
        self.0.last
    }

    /// The stage of the policy at which it was made; absent of decisions older than policies.
    async fn stage(&self) -> Option<&str> {
        self.0.terms.as_ref().map(|terms| terms.stage.as_str())
    }

    /// The role that allowed it; absent of decisions older than policies.
    async fn role(&self) -> Option<&str> {
        self.0.terms.as_ref().map(|terms| terms.role.as_str())
    }

    /// The digest of the policy in force; absent of decisions older than policies.
    async fn policy_digest(&self) -> Option<Sha256> {
        self.0.terms.as_ref().map(|terms| Sha256(terms.policy))
    }

    /// What the policy allowed although it is not the rule.
    async fn exception(&self) -> Option<ReviewException> {
        self.0.terms.as_ref()?.exception.map(Into::into)
    }

    /// The chart's name.
    async fn chart_name(&self) -> &str {
        self.0.chart.as_str()
    }

    /// The number of the version; absent if the listing alone was decided about.
    async fn version_number(&self) -> Option<SemVer> {
        match &self.0.subject {
            Subject::Version { number, .. } => Some(SemVer(number.clone())),
            Subject::Listing => None,
        }
    }

    /// The digest of the archive that was decided about; absent if it was the listing alone.
    async fn package_digest(&self) -> Option<Sha256> {
        match &self.0.subject {
            Subject::Version { package, .. } => Some(Sha256(*package)),
            Subject::Listing => None,
        }
    }

    /// The digest of the listing that was decided about.
    async fn listing_digest(&self) -> Sha256 {
        Sha256(self.0.listing)
    }

    /// The submission that was decided about.
    async fn submission(&self) -> Uuid {
        self.0.submission.as_uuid()
    }

    /// The app, as it is now.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load(ctx, self.0.app).await
    }
}
