//! What a release runs, ran, and was tried to be brought to.

use async_graphql::{Context, Enum, Object};
use chrono::{DateTime, Utc};
use domain::release::{Cause, Deployment as Deployed};
use projections::releases;

use super::{
    accounts::{Account, unseal_long},
    error::Result,
    releases::{Operation, OperationFailure},
    scalars::{LogPosition, SemVer, Sha256},
};

pub struct Deployment {
    deployed: Deployed,
    /// Whether the viewer may read the values.
    shows_values: bool,
}

impl Deployment {
    pub const fn new(deployed: Deployed, shows_values: bool) -> Self {
        Self { deployed, shows_values }
    }
}

/// A version by its bytes, and the values it runs with.
#[Object]
impl Deployment {
    /// The number of the version.
    async fn version_number(&self) -> SemVer {
        SemVer(self.deployed.version.clone())
    }

    /// The SHA-256 of the chart archive.
    async fn package_digest(&self) -> Sha256 {
        Sha256(self.deployed.digest)
    }

    /// The values, as they were written; absent for the chart's defaults, once they were erased, and if they are redacted.
    #[graphql(complexity = 100)]
    async fn values(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.deployed.values {
            Some(values) if self.shows_values => unseal_long(ctx, values).await,
            _ => Ok(None),
        }
    }

    /// Whether there are values that the viewer may not read.
    async fn is_redacted(&self) -> bool {
        self.deployed.values.is_some() && !self.shows_values
    }
}

/// Why a revision came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RevisionCause {
    /// The first installation.
    Install,
    /// Another package.
    Upgrade,
    /// The same package with other values.
    Reconfigure,
    /// Back to an earlier revision.
    Rollback,
}

pub struct Revision {
    pub row: releases::Revision,
    /// Whether the viewer may read the values.
    pub shows_values: bool,
}

/// A change of what runs.
#[Object]
impl Revision {
    /// Its number: 1 is the installation.
    async fn number(&self) -> u64 {
        self.row.revision
    }

    /// Why it came to be.
    async fn cause(&self) -> RevisionCause {
        match self.row.cause {
            Cause::Install => RevisionCause::Install,
            Cause::Upgrade => RevisionCause::Upgrade,
            Cause::Reconfigure => RevisionCause::Reconfigure,
            Cause::Rollback { .. } => RevisionCause::Rollback,
        }
    }

    /// The revision that a rollback went back to.
    async fn rollback_to(&self) -> Option<u64> {
        match self.row.cause {
            Cause::Rollback { to } => Some(to),
            Cause::Install | Cause::Upgrade | Cause::Reconfigure => None,
        }
    }

    /// What it runs.
    async fn deployment(&self) -> Deployment {
        Deployment::new(self.row.deployment.clone(), self.shows_values)
    }

    /// What Helm rendered; absent once it was erased, and for whoever may not read the values: they are in it.
    #[graphql(complexity = 100)]
    async fn manifest(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.shows_values {
            unseal_long(ctx, &self.row.manifest).await
        } else {
            Ok(None)
        }
    }

    /// When it was seen to run.
    async fn at(&self) -> DateTime<Utc> {
        self.row.observed.at
    }

    /// Who asked for it.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.row.requested.by).await
    }
}

pub struct Attempt(pub releases::Attempt);

/// One run of Helm.
#[Object]
impl Attempt {
    /// What it was for.
    async fn operation(&self) -> Operation {
        self.0.operation.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started.at
    }

    /// When it ended; absent while it runs, and for one that died with its worker.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended.as_ref().map(|ended| ended.mark.at)
    }

    /// Where its outcome stands in the log.
    async fn position(&self) -> Option<LogPosition> {
        self.0.ended.as_ref().map(|ended| LogPosition(ended.mark.position))
    }

    /// Whether it succeeded; absent while it runs.
    async fn succeeded(&self) -> Option<bool> {
        let ended = self.0.ended.as_ref()?;
        Some(matches!(ended.outcome, releases::Outcome::Succeeded))
    }

    /// Whether it was given up because somebody asked for that.
    async fn is_cancelled(&self) -> bool {
        let ended = self.0.ended.as_ref();
        ended.is_some_and(|ended| matches!(ended.outcome, releases::Outcome::Cancelled))
    }

    /// Why it failed.
    async fn failure(&self) -> Option<OperationFailure> {
        match self.0.ended.as_ref()?.outcome {
            releases::Outcome::Succeeded | releases::Outcome::Cancelled => None,
            releases::Outcome::Failed(reason) => Some(reason.into()),
        }
    }

    /// All that Helm said; absent while it runs, and once it was erased.
    #[graphql(complexity = 100)]
    async fn output(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.ended {
            Some(ended) => unseal_long(ctx, &ended.output).await,
            None => Ok(None),
        }
    }

    /// What a forced removal had to leave behind, each object as kind, namespace and name: those the cluster still had
    /// afterwards, and with ` (perhaps)` behind them those that were applied last and of which it did not say. Empty if it
    /// left nothing.
    #[graphql(complexity = 100)]
    async fn left_behind(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let remains = self.0.ended.as_ref().and_then(|ended| ended.remains.as_ref());
        let text = match remains {
            Some(remains) => unseal_long(ctx, remains).await?,
            None => None,
        };
        let text = text.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }
}
