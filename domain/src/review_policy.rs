//! Review policy: what a submission has to pass. A submission freezes the one in force, so that a change of policy does
//! not touch it.

use std::{collections::BTreeSet, fmt};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    decimal,
    names::{RoleName, StageName},
    permission::{Level, Permission},
};

/// How long a reviewer who started a review keeps it from the others.
pub const CLAIM_LAPSES_AFTER: TimeDelta = TimeDelta::hours(24);
/// Stages a policy may have.
pub const STAGES_MAX: usize = 10;
/// Approvals a stage may ask for.
pub const APPROVALS_MAX: u32 = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewPolicy {
    /// In order: each opens when the one before it has passed.
    pub stages: Vec<ReviewStage>,
    /// Whoever ever uploaded, edited or submitted a version or its listing does not review it.
    pub author_is_not_reviewer: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStage {
    pub name: StageName,
    #[serde(flatten)]
    pub deciders: Deciders,
    /// How many different people have to approve.
    #[serde(with = "decimal")]
    pub approvals: u32,
}

/// Who decides at a stage, beside holding `review.approve` or `review.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deciders {
    /// Whoever holds this on the platform approves; `review.reject` is enough to reject.
    Permission(Permission),
    /// Whoever holds this role of the platform.
    Role(RoleName),
}

impl fmt::Display for Deciders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission(permission) => write!(f, "the permission {permission}"),
            Self::Role(role) => write!(f, "the role {role}"),
        }
    }
}

impl Default for ReviewPolicy {
    /// One stage, one approval, by somebody else. It is in force until another is set.
    fn default() -> Self {
        Self {
            stages: vec![ReviewStage {
                name: StageName::default(),
                deciders: Deciders::Permission(Permission::ReviewApprove),
                approvals: 1,
            }],
            author_is_not_reviewer: true,
        }
    }
}

/// The facts of the policy's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    ReviewPolicySet { policy: ReviewPolicy },
}

#[derive(Debug, Clone)]
pub enum Command {
    Set { policy: ReviewPolicy },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("a review policy has 1 to {STAGES_MAX} stages, and this one has {0}")]
    Stages(usize),
    #[error("two stages are called {0}")]
    StageTwice(StageName),
    #[error("a stage asks for 1 to {APPROVALS_MAX} approvals, and {stage} asks for {found}")]
    Approvals { stage: StageName, found: u32 },
    #[error("reviews are decided with permissions of the platform; {0} is not one")]
    PermissionLevel(Permission),
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Stages(_) => "POLICY_STAGES",
            Self::StageTwice(_) => "POLICY_STAGE_TWICE",
            Self::Approvals { .. } => "POLICY_APPROVALS",
            Self::PermissionLevel(_) => "PERMISSION_LEVEL",
        }
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Invalid
    }
}

impl ReviewPolicy {
    /// The key of its one stream.
    pub const KEY: &'static str = "review";

    fn check(&self) -> Result<(), Rejection> {
        if !(1..=STAGES_MAX).contains(&self.stages.len()) {
            return Err(Rejection::Stages(self.stages.len()));
        }
        let mut names = BTreeSet::new();
        for stage in &self.stages {
            if !names.insert(&stage.name) {
                return Err(Rejection::StageTwice(stage.name.clone()));
            }
            if !(1..=APPROVALS_MAX).contains(&stage.approvals) {
                return Err(Rejection::Approvals {
                    stage: stage.name.clone(),
                    found: stage.approvals,
                });
            }
            if let Deciders::Permission(permission) = stage.deciders
                && permission.level() != Level::Platform
            {
                return Err(Rejection::PermissionLevel(permission));
            }
        }
        Ok(())
    }
}

impl Decider for ReviewPolicy {
    const CATEGORY: &'static str = "policy";
    type Command = Command;
    type Event = Event;
    type State = Self;
    type Rejection = Rejection;

    fn decide(state: &Self, Command::Set { policy }: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        policy.check()?;
        if *state == policy {
            return Ok(vec![]);
        }
        Ok(vec![Event::ReviewPolicySet { policy }])
    }

    fn evolve(_: Self, Event::ReviewPolicySet { policy }: &Event, _: Stamp) -> Self {
        policy.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::given;

    fn stage(name: &str, approvals: u32) -> ReviewStage {
        ReviewStage {
            name: name.parse().unwrap(),
            deciders: Deciders::Role("security".parse().unwrap()),
            approvals,
        }
    }

    fn policy(stages: Vec<ReviewStage>) -> ReviewPolicy {
        ReviewPolicy {
            stages,
            author_is_not_reviewer: true,
        }
    }

    fn set(policy: ReviewPolicy) -> Command {
        Command::Set { policy }
    }

    /// A submission names the policy in force by the digest of this text, so the text does not change by accident.
    #[test]
    fn the_default_policy_is_one_approval_by_somebody_else() {
        let expected = json!({
            "stages": [{ "name": "review", "permission": "review.approve", "approvals": "1" }],
            "authorIsNotReviewer": true,
        });
        assert_eq!(serde_json::to_value(ReviewPolicy::default()).unwrap(), expected);
        assert_eq!(
            serde_json::from_value::<ReviewPolicy>(expected).unwrap(),
            ReviewPolicy::default()
        );
    }

    #[test]
    fn a_policy_is_set_once_and_until_then_the_default_is_in_force() {
        let other = policy(vec![stage("technical", 2), stage("legal", 1)]);
        given::<ReviewPolicy>([]).when(set(ReviewPolicy::default())).then([]);
        let recorded = Event::ReviewPolicySet { policy: other.clone() };
        given::<ReviewPolicy>([])
            .when(set(other.clone()))
            .then([recorded.clone()]);
        given::<ReviewPolicy>([recorded]).when(set(other)).then([]);
    }

    #[test]
    fn a_policy_has_stages_of_different_names() {
        given::<ReviewPolicy>([])
            .when(set(policy(vec![])))
            .then_rejected(&Rejection::Stages(0));
        let many = (0..11).map(|n| stage(&format!("stage-{n}"), 1)).collect();
        given::<ReviewPolicy>([])
            .when(set(policy(many)))
            .then_rejected(&Rejection::Stages(11));
        given::<ReviewPolicy>([])
            .when(set(policy(vec![stage("legal", 1), stage("legal", 2)])))
            .then_rejected(&Rejection::StageTwice("legal".parse().unwrap()));
    }

    #[test]
    fn a_stage_asks_for_one_to_ten_approvals() {
        for found in [0, 11] {
            given::<ReviewPolicy>([])
                .when(set(policy(vec![stage("legal", found)])))
                .then_rejected(&Rejection::Approvals {
                    stage: "legal".parse().unwrap(),
                    found,
                });
        }
    }

    #[test]
    fn a_stage_is_decided_with_a_permission_of_the_platform() {
        let mut wrong = stage("legal", 1);
        wrong.deciders = Deciders::Permission(Permission::AppUpload);
        given::<ReviewPolicy>([])
            .when(set(policy(vec![wrong])))
            .then_rejected(&Rejection::PermissionLevel(Permission::AppUpload));
    }
}
