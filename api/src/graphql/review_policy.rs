//! What a submission has to pass, and how far one has come.

use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    app::{Approval, Exception, Review},
    ids::AppId,
    review_policy::{Deciders, ReviewStage},
};
use projections::reviews::{self, PolicyInForce};

use super::{
    accounts::Account,
    error::Result,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct ReviewPolicyQuery;

#[Object]
impl ReviewPolicyQuery {
    /// What is submitted now has to pass this. What was submitted before keeps the policy of its day.
    async fn review_policy(&self, ctx: &Context<'_>) -> Result<ReviewPolicy> {
        viewer(ctx)?;
        ReviewPolicy::load(ctx).await
    }
}

pub struct ReviewPolicy(PolicyInForce);

impl ReviewPolicy {
    pub async fn load(ctx: &Context<'_>) -> Result<Self> {
        Ok(Self(read(ctx, reviews::policy_in_force).await?))
    }
}

/// What a submission has to pass.
#[Object]
impl ReviewPolicy {
    /// The stages, in order: each opens when the one before it has passed.
    async fn stages(&self) -> Vec<ReviewStageRule> {
        self.0.policy.stages.iter().map(ReviewStageRule::from).collect()
    }

    /// Whether whoever ever uploaded, edited or submitted something is kept from reviewing it.
    async fn author_is_not_reviewer(&self) -> bool {
        self.0.policy.author_is_not_reviewer
    }

    /// When it was set; absent of the policy that is in force until one is set.
    async fn set_at(&self) -> Option<DateTime<Utc>> {
        self.0.set.map(|mark| mark.at)
    }
}

/// One stage of a review policy.
#[derive(SimpleObject)]
pub struct ReviewStageRule {
    /// Its name, unique in the policy.
    name: String,
    /// Whoever holds this permission approves; absent if a role is named.
    permission: Option<&'static str>,
    /// Whoever holds this role of the platform decides; absent if a permission is named.
    role: Option<String>,
    /// How many different people have to approve.
    approvals: u32,
}

impl From<&ReviewStage> for ReviewStageRule {
    fn from(stage: &ReviewStage) -> Self {
        let (permission, role) = match &stage.deciders {
            Deciders::Permission(permission) => (Some(permission.as_str()), None),
            Deciders::Role(role) => (None, Some(role.to_string())),
        };
        Self {
            name: stage.name.to_string(),
            permission,
            role,
            approvals: stage.approvals,
        }
    }
}

/// What the policy allowed although it is not the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Exception")]
pub enum ReviewException {
    /// Whoever decided had uploaded, edited or submitted it.
    OwnWork,
}

/// The stages of a submission, with who approved at each.
pub fn progress(app: AppId, review: &Review) -> Vec<StageProgress> {
    let open = review.open_stage().map(|stage| stage.name.clone());
    let stages = review.policy.stages.iter().map(|stage| StageProgress {
        app,
        is_open: open.as_ref() == Some(&stage.name),
        has_passed: review.has_passed(stage),
        approvals: review
            .approvals
            .iter()
            .filter(|it| it.stage == stage.name)
            .cloned()
            .collect(),
        stage: stage.clone(),
    });
    stages.collect()
}

pub struct StageProgress {
    app: AppId,
    stage: ReviewStage,
    is_open: bool,
    has_passed: bool,
    approvals: Vec<Approval>,
}

/// How far a submission has come at one stage of the policy that it froze.
#[Object]
impl StageProgress {
    /// What is asked for.
    async fn rule(&self) -> ReviewStageRule {
        ReviewStageRule::from(&self.stage)
    }

    /// Whether it is the stage whose decisions are asked for now.
    async fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether it has all its approvals.
    async fn has_passed(&self) -> bool {
        self.has_passed
    }

    /// The approvals given so far.
    async fn approvals(&self) -> Vec<GivenApproval> {
        let approvals = self.approvals.iter().cloned();
        approvals
            .map(|approval| GivenApproval {
                app: self.app,
                approval,
            })
            .collect()
    }
}

pub struct GivenApproval {
    app: AppId,
    approval: Approval,
}

/// An approval that was given at a stage.
#[Object]
impl GivenApproval {
    /// By whom. For the workspace, reviewers and auditors.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.app, Some(self.approval.reviewer)).await
    }

    /// The role that allowed it; unknown of approvals older than the record of roles.
    async fn role(&self) -> Option<&str> {
        self.approval.role.as_ref().map(domain::names::RoleName::as_str)
    }
}
