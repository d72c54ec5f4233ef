//! Review policy: what a submission has to pass. It is frozen, by digest, when a version is submitted.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::permission::Permission;

/// How long a reviewer who started a review keeps it from the others.
pub const CLAIM_LAPSES_AFTER: TimeDelta = TimeDelta::hours(24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewPolicy {
    pub stages: Vec<ReviewStage>,
    /// Whoever ever uploaded, edited or submitted a version or its listing does not review it.
    pub author_is_not_reviewer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStage {
    pub name: String,
    pub permission: Permission,
    pub approvals: u32,
}

impl Default for ReviewPolicy {
    /// One stage, one approval, by somebody else. It is the only policy so far.
    fn default() -> Self {
        Self {
            stages: vec![ReviewStage {
                name: "review".to_owned(),
                permission: Permission::ReviewApprove,
                approvals: 1,
            }],
            author_is_not_reviewer: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A submission names the policy in force by the digest of this text, so the text does not change by accident.
    #[test]
    fn the_default_policy_is_one_approval_by_somebody_else() {
        let expected = json!({
            "stages": [{ "name": "review", "permission": "review.approve", "approvals": 1 }],
            "authorIsNotReviewer": true,
        });
        assert_eq!(serde_json::to_value(ReviewPolicy::default()).unwrap(), expected);
        assert_eq!(
            serde_json::from_value::<ReviewPolicy>(expected).unwrap(),
            ReviewPolicy::default()
        );
    }
}
