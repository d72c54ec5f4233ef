//! How releases are on their clusters.

use async_graphql::{Context, Enum, Object};
use chrono::{DateTime, Utc};
use domain::health::Health;
use projections::health::ReleaseHealth;

use super::{accounts::unseal_long, error::Result};

/// The worst that a look at a release's objects found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Health")]
pub enum HealthStatus {
    /// Everything is there, as it was applied, and says that it is ready.
    Ready,
    /// Something is no longer as it was applied.
    Drifted,
    /// Something is there and not ready.
    Degraded,
    /// Something is not there any more.
    Missing,
}

pub struct ObservedHealth(pub ReleaseHealth);

/// How a release was when somebody last looked; `checkRelease` looks.
#[Object(name = "ReleaseHealth")]
impl ObservedHealth {
    /// The worst that was found.
    async fn status(&self) -> HealthStatus {
        self.0.health.into()
    }

    /// The objects that are not as they should be, one per line; absent if there are none.
    #[graphql(complexity = 100)]
    async fn findings(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.findings {
            Some(findings) => unseal_long(ctx, findings).await,
            None => Ok(None),
        }
    }

    /// When it was found so first.
    async fn since(&self) -> DateTime<Utc> {
        self.0.since
    }
}
