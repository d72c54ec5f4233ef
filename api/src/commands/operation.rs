//! What users ask of operations: back to an earlier revision, once more, no further, and away with it.

use domain::{
    ids::ReleaseId,
    release::{Command as Do, OperationKind, Release},
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    installable::{installable, visible_release},
};

/// Brings a release back to the chart and the values of one of its revisions, however long ago.
#[derive(Debug, Serialize)]
pub struct RollbackRelease {
    pub release: ReleaseId,
    /// The number of the revision; the installation is 1.
    pub revision: u64,
}

impl Command for RollbackRelease {
    const NAME: &'static str = "RollbackRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let rollback = Do::Rollback {
            revision: self.revision,
        };
        let release = authorized(work, self.release, &rollback).await?;
        // It ran here, so a suspension does not touch it. But what was removed from the store cannot be rendered again.
        if let Some(deployment) = release.deployment_of(self.revision) {
            work.name_content(deployment.digest).await?;
        }
        work.decide::<Release>(self.release, rollback).await?;
        Ok(Target::Release(self.release))
    }
}

/// Tries again, unchanged, what failed or was cancelled.
#[derive(Debug, Serialize)]
pub struct RetryOperation {
    pub release: ReleaseId,
}

impl Command for RetryOperation {
    const NAME: &'static str = "RetryOperation";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let release = authorized(work, self.release, &Do::Retry).await?;
        let failed = release.failure.map(|failure| failure.operation);
        if matches!(failed, Some(OperationKind::Install | OperationKind::Upgrade)) {
            may_be_deployed(work, &release).await?;
        }
        work.decide::<Release>(self.release, Do::Retry).await?;
        Ok(Target::Release(self.release))
    }
}

/// Ends the operation of a release that is under way. The worker stops Helm; what came of it half-way is seen then.
#[derive(Debug, Serialize)]
pub struct CancelOperation {
    pub release: ReleaseId,
}

impl Command for CancelOperation {
    const NAME: &'static str = "CancelOperation";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        authorized(work, self.release, &Do::Cancel).await?;
        work.decide::<Release>(self.release, Do::Cancel).await?;
        Ok(Target::Release(self.release))
    }
}

/// Removes a release; with `forced` also if the cluster does not let go of it, saying what was left behind.
#[derive(Debug, Serialize)]
pub struct UninstallRelease {
    pub release: ReleaseId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
}

impl Command for UninstallRelease {
    const NAME: &'static str = "UninstallRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let uninstall = Do::Uninstall { forced: self.forced };
        authorized(work, self.release, &uninstall).await?;
        work.decide::<Release>(self.release, uninstall).await?;
        Ok(Target::Release(self.release))
    }
}

/// The release, once its giver may give it `command`.
async fn authorized(work: &mut Work<'_>, id: ReleaseId, command: &Do) -> Result<Release, CommandError> {
    let (release, place) = visible_release(work, id).await?;
    if let Some(permission) = command.permission(Some(&release)) {
        work.authorize(permission, place)?;
    }
    Ok(release)
}

/// Whether what is wanted may be brought to the cluster now. What ran there before may; anything else is an installation,
/// so trying again is no way around a suspension.
async fn may_be_deployed(work: &mut Work<'_>, release: &Release) -> Result<(), CommandError> {
    let wanted = &release.wanted;
    if !release.has_run(wanted) {
        let package = installable(work, release.app, &wanted.version).await?.package;
        if package.digest != wanted.digest {
            return Err(CommandError::Invalid {
                code: "VERSION_REPLACED",
                message: format!(
                    "the package of version {} was replaced since; upgrade to it instead",
                    wanted.version
                ),
                path: vec!["input", "release"],
            });
        }
    }
    work.name_content(wanted.digest).await
}
