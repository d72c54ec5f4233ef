//! A review under way: the policy that was in force when it began, and who approved since.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    access::Principal,
    account::Scope,
    decider::Stamp,
    digest::Digest,
    ids::AccountId,
    names::{RoleName, StageName},
    permission::Permission,
    review_policy::{Deciders, ReviewPolicy, ReviewStage},
};

/// What a submission is decided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Shared by those who remember the review.
    pub policy: Arc<ReviewPolicy>,
    /// The digest of the policy.
    pub digest: Digest,
    /// In the order in which they were given.
    pub approvals: Vec<Approval>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub stage: StageName,
    pub reviewer: AccountId,
    /// The role that allowed it; unknown of approvals that were given before roles were recorded.
    pub role: Option<RoleName>,
}

/// Why, and by which rules, somebody could decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub stage: StageName,
    pub role: RoleName,
    /// The policy in force, which the submission froze.
    pub policy: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}

/// What the policy allowed although it is not the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exception {
    /// Whoever decided had uploaded, edited or submitted it.
    OwnWork,
}

impl Exception {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnWork => "own-work",
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the command path knows of reviewers, and an app does not remember.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// What whoever acts holds on the platform: roles with what they allow, by name.
    roles: Vec<(RoleName, Vec<Permission>)>,
    /// Who held claims and may not review any more: their claims are over.
    pub dismissed: BTreeSet<AccountId>,
}

impl Panel {
    /// With the roles of whoever acts.
    #[must_use]
    pub fn of(principal: &Principal) -> Self {
        let on_platform = principal
            .grants
            .iter()
            .filter(|grant| grant.scope == Scope::Platform {});
        let mut roles: Vec<_> = on_platform
            .map(|grant| (grant.role.clone(), grant.permissions.iter().copied().collect()))
            .collect();
        roles.sort_unstable();
        Self {
            roles,
            dismissed: BTreeSet::new(),
        }
    }

    /// The role by which whoever acts may do what takes `permission` at `stage`, the first by name.
    #[must_use]
    pub fn role_for(&self, stage: &ReviewStage, permission: Permission) -> Option<&RoleName> {
        let needed = match stage.deciders {
            Deciders::Permission(needed) if permission == Permission::ReviewApprove => needed,
            Deciders::Permission(_) | Deciders::Role(_) => permission,
        };
        let fits = |(name, allows): &&(RoleName, Vec<Permission>)| match &stage.deciders {
            Deciders::Role(role) => name == role,
            Deciders::Permission(_) => allows.contains(&needed),
        };
        self.roles.iter().find(fits).map(|(name, _)| name)
    }
}

impl Review {
    pub(super) const fn begin(policy: Arc<ReviewPolicy>, digest: Digest) -> Self {
        Self {
            policy,
            digest,
            approvals: vec![],
        }
    }

    /// How many people have approved at a stage.
    #[must_use]
    pub fn approvals_at(&self, stage: &ReviewStage) -> usize {
        self.approvals
            .iter()
            .filter(|approval| approval.stage == stage.name)
            .count()
    }

    /// Whether a stage has all its approvals.
    #[must_use]
    pub fn has_passed(&self, stage: &ReviewStage) -> bool {
        u32::try_from(self.approvals_at(stage)).is_ok_and(|given| given >= stage.approvals)
    }

    /// The first stage that has not passed; `None` once all have.
    #[must_use]
    pub fn open_stage(&self) -> Option<&ReviewStage> {
        self.policy.stages.iter().find(|stage| !self.has_passed(stage))
    }

    /// Whether one more approval is the last that is needed.
    #[must_use]
    pub fn needs_one_more(&self) -> bool {
        let missing = |stage: &ReviewStage| u64::from(stage.approvals).saturating_sub(self.approvals_at(stage) as u64);
        self.policy.stages.iter().map(missing).sum::<u64>() <= 1
    }

    /// Whether somebody has approved this submission.
    #[must_use]
    pub fn was_approved_by(&self, account: AccountId) -> bool {
        self.approvals.iter().any(|approval| approval.reviewer == account)
    }

    pub(super) fn approve(&mut self, terms: Option<&Terms>, stamp: Stamp) {
        // What was approved before terms were recorded was approved at the one stage there was.
        let stage = terms
            .map(|terms| terms.stage.clone())
            .or_else(|| self.open_stage().map(|open| open.name.clone()));
        if let (Some(stage), Some(reviewer)) = (stage, stamp.by.account()) {
            let role = terms.map(|terms| terms.role.clone());
            self.approvals.push(Approval { stage, reviewer, role });
        }
    }
}
