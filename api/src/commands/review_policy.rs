//! What submissions have to pass.

use domain::{
    access::Place,
    permission::{Level, Permission},
    review_policy::{Command as Do, Deciders, ReviewPolicy},
    role::{BuiltInRole, Role, RoleKey},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work};

/// Sets the policy for what is submitted from now on. Submissions under way keep theirs.
#[derive(Debug, Serialize)]
pub struct SetReviewPolicy {
    pub policy: ReviewPolicy,
}

impl Command for SetReviewPolicy {
    const NAME: &'static str = "SetReviewPolicy";

    fn target(&self) -> Option<Target> {
        Some(Target::ReviewPolicy)
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::PolicyManage, Place::Platform)?;
        for stage in &self.policy.stages {
            role_exists(work, &stage.deciders).await?;
        }
        let set = Do::Set {
            policy: self.policy.clone(),
        };
        work.decide::<ReviewPolicy>(ReviewPolicy::KEY, set).await?;
        Ok(Target::ReviewPolicy)
    }
}

/// A stage for a role that nobody can hold on the platform would never pass.
async fn role_exists(work: &mut Work<'_>, deciders: &Deciders) -> Result<(), CommandError> {
    let Deciders::Role(name) = deciders else { return Ok(()) };
    let exists = match BuiltInRole::named(name) {
        Some(built_in) => built_in.level == Level::Platform,
        None => {
            let key = RoleKey {
                workspace: None,
                name: name.clone(),
            };
            let known = work.load::<Role>(key.stream_key().as_str()).await?;
            known.is_some_and(|role| !role.retired)
        }
    };
    if exists {
        Ok(())
    } else {
        Err(CommandError::NotFound("role"))
    }
}
