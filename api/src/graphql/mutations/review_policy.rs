//! What submissions have to pass.

use async_graphql::{Context, InputObject, Object};
use domain::review_policy::{Deciders, ReviewPolicy as Policy, ReviewStage};
use uuid::Uuid;

use super::payload::{self, UserError, give, payload};
use crate::{
    commands::SetReviewPolicy,
    graphql::{error::Result, review_policy::ReviewPolicy},
};

#[derive(Default)]
pub struct ReviewPolicyMutation;

/// What submissions have to pass from now on.
#[derive(InputObject)]
struct SetReviewPolicyInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The stages, in order, 1 to 10.
    stages: Vec<ReviewStageInput>,
    /// Whether whoever ever uploaded, edited or submitted something is kept from reviewing it. Where they are not, each
    /// such decision says so.
    #[graphql(default = true)]
    author_is_not_reviewer: bool,
}

/// One stage; it names a permission or a role.
#[derive(InputObject)]
struct ReviewStageInput {
    /// Its name, unique in the policy: 1 to 40 characters of a-z, 0-9 and -.
    name: String,
    /// Whoever holds this permission on the platform approves, `review.approve` unless a role is named.
    permission: Option<String>,
    /// Whoever holds this role of the platform decides; it must allow to start, approve and reject reviews.
    role: Option<String>,
    /// How many different people have to approve, 1 to 10.
    #[graphql(default = 1)]
    approvals: u32,
}

payload!(
    /// The policy that is in force now.
    SetReviewPolicyPayload {
        /// The policy.
        review_policy: ReviewPolicy
    }
);

#[Object]
impl ReviewPolicyMutation {
    /// Sets what submissions have to pass from now on. Submissions under way keep the policy of their day.
    async fn set_review_policy(
        &self,
        ctx: &Context<'_>,
        input: SetReviewPolicyInput,
    ) -> Result<SetReviewPolicyPayload> {
        let stages: std::result::Result<Vec<_>, _> = input.stages.into_iter().map(stage).collect();
        let command = stages.map(|stages| SetReviewPolicy {
            policy: Policy {
                stages,
                author_is_not_reviewer: input.author_is_not_reviewer,
            },
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

fn stage(input: ReviewStageInput) -> std::result::Result<ReviewStage, UserError> {
    let path = &["input", "stages"];
    let deciders = match (input.permission.as_deref(), input.role) {
        (Some(_), Some(_)) => {
            let message = format!("stage {} names a permission and a role; name one", input.name);
            return Err(UserError::new("POLICY_DECIDERS", message, path));
        }
        (None, Some(role)) => Deciders::Role(payload::name(&role, "stages")?),
        (permission, None) => {
            let permission = permission.unwrap_or("review.approve").parse();
            Deciders::Permission(permission.map_err(|error: domain::permission::UnknownPermission| {
                UserError::new("PERMISSION_UNKNOWN", error.to_string(), path)
            })?)
        }
    };
    Ok(ReviewStage {
        name: payload::name(&input.name, "stages")?,
        deciders,
        approvals: input.approvals,
    })
}
