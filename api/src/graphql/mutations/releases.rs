//! What users ask of releases. The answer comes at once; the worker does it, and `releaseChanged` tells of it.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, UserError, give, payload};
use crate::{
    commands::{CancelOperation, InstallRelease, RetryOperation, RollbackRelease, UninstallRelease, UpgradeRelease},
    graphql::{NodeId, error::Result, releases::Release},
};

#[derive(Default)]
pub struct ReleaseMutation;

/// What to install where.
#[derive(InputObject)]
struct InstallReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The project to install into.
    project: ID,
    /// The release's name: 1 to 53 characters of a-z, 0-9 and '-', unique in the project.
    name: String,
    /// The version: one of the store, or as a test one of the viewer's own workspace.
    version: ID,
    /// YAML, at most 1 MiB; none runs the chart's own defaults.
    values: Option<String>,
}

/// What to bring a release to; what is not given stays.
#[derive(InputObject)]
struct UpgradeReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The release.
    release: ID,
    /// The version; none stays at the one that is wanted now.
    version: Option<ID>,
    /// YAML, at most 1 MiB; the empty text goes back to the chart's own defaults.
    values: Option<String>,
}

/// Which release to bring back to what.
#[derive(InputObject)]
struct RollbackReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The release.
    release: ID,
    /// The number of one of its revisions; the installation is 1.
    revision: u64,
}

/// Which release to remove, and at what price.
#[derive(InputObject)]
struct UninstallReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The release.
    release: ID,
    /// Let it end even if the cluster does not let go of everything. What may be left is said by the attempt.
    #[graphql(default)]
    force: bool,
}

/// Which release to do it to.
#[derive(InputObject)]
struct ReleaseInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The release.
    release: ID,
}

payload!(
    /// The release that is being made.
    InstallReleasePayload {
        /// The release.
        release: Release
    }
);
payload!(
    /// The release that is being changed.
    UpgradeReleasePayload {
        /// The release.
        release: Release
    }
);
payload!(
    /// The release that is being brought back.
    RollbackReleasePayload {
        /// The release.
        release: Release
    }
);
payload!(
    /// The release with its operation under way again.
    RetryOperationPayload {
        /// The release.
        release: Release
    }
);
payload!(
    /// The release whose operation is to end.
    CancelOperationPayload {
        /// The release.
        release: Release
    }
);
payload!(
    /// The release that is being removed.
    UninstallReleasePayload {
        /// The release.
        release: Release
    }
);

#[Object]
impl ReleaseMutation {
    /// Installs a version into a project.
    async fn install_release(&self, ctx: &Context<'_>, input: InstallReleaseInput) -> Result<InstallReleasePayload> {
        let project = match NodeId::parse(&input.project) {
            Some(NodeId::Project(project)) => Ok(project),
            _ => Err(UserError::new(
                "NOT_FOUND",
                "there is no such project".to_owned(),
                &["input", "project"],
            )),
        };
        let command = project.and_then(|project| {
            let (app, version) = payload::version(&input.version)?;
            let name = payload::name(&input.name, "name")?;
            Ok(InstallRelease {
                project,
                name,
                app,
                version,
                values: input.values,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Brings a release to another version, to other values, or both; also corrects one that failed.
    async fn upgrade_release(&self, ctx: &Context<'_>, input: UpgradeReleaseInput) -> Result<UpgradeReleasePayload> {
        let version = input.version.as_ref().map(payload::version).transpose();
        let command = payload::release(&input.release).and_then(|release| {
            Ok(UpgradeRelease {
                release,
                version: version?,
                values: input.values,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Brings a release back to the chart and the values of one of its revisions, also of a version that is suspended by
    /// now. It leaves a revision of its own.
    async fn rollback_release(&self, ctx: &Context<'_>, input: RollbackReleaseInput) -> Result<RollbackReleasePayload> {
        let command = payload::release(&input.release).map(|release| RollbackRelease {
            release,
            revision: input.revision,
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Tries again, unchanged, what failed or was cancelled.
    async fn retry_operation(&self, ctx: &Context<'_>, input: ReleaseInput) -> Result<RetryOperationPayload> {
        let command = payload::release(&input.release).map(|release| RetryOperation { release });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Ends the operation of a release that is under way: Helm is stopped where it is. What was wanted stays wanted, for
    /// another try; to be sure of what runs, roll back to the last revision.
    async fn cancel_operation(&self, ctx: &Context<'_>, input: ReleaseInput) -> Result<CancelOperationPayload> {
        let command = payload::release(&input.release).map(|release| CancelOperation { release });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Removes a release.
    async fn uninstall_release(
        &self,
        ctx: &Context<'_>,
        input: UninstallReleaseInput,
    ) -> Result<UninstallReleasePayload> {
        let command = payload::release(&input.release).map(|release| UninstallRelease {
            release,
            forced: input.force,
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
