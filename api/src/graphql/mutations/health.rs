//! Looking at releases.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, give, payload};
use crate::{
    commands::CheckRelease,
    graphql::{error::Result, releases::Release},
};

#[derive(Default)]
pub struct HealthMutation;

/// Which release to look at.
#[derive(InputObject)]
struct CheckReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The release, on a cluster of kind KUBERNETES.
    release: ID,
}

payload!(
    /// The release with its health as it was found.
    CheckReleasePayload {
        /// The release.
        release: Release
    }
);

#[Object]
impl HealthMutation {
    /// Looks whether what was applied of a release is there, ready, and as it was applied. What was found is recorded if it
    /// is new.
    async fn check_release(&self, ctx: &Context<'_>, input: CheckReleaseInput) -> Result<CheckReleasePayload> {
        let command = payload::release(&input.release).map(|release| CheckRelease { release });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
