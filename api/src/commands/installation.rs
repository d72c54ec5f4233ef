//! What the worker reports of its operations: commands like any other, given by Charthouse itself.

use domain::{
    digest::Sealed,
    ids::{AttemptId, ReleaseId},
    name::Claim,
    project::Project,
    release::{Command as Do, Event, FailureReason, Release},
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};

/// A worker takes up the operation of a release that is in flight.
#[derive(Debug, Serialize)]
pub struct StartOperation {
    pub release: ReleaseId,
    pub attempt: AttemptId,
}

impl Command for StartOperation {
    const NAME: &'static str = "StartOperation";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.decide::<Release>(self.release, Do::Start { attempt: self.attempt })
            .await?;
        Ok(Target::Release(self.release))
    }
}

/// An attempt has come to its end.
#[derive(Debug, Serialize)]
pub struct FinishOperation {
    pub release: ReleaseId,
    pub attempt: AttemptId,
    pub result: OperationResult,
}

#[derive(Debug, Clone, Serialize)]
pub enum OperationResult {
    /// `manifest` is what now runs; `None` if nothing does any more.
    Succeeded {
        manifest: Option<Sealed>,
        output: Sealed,
    },
    Failed {
        reason: FailureReason,
        output: Sealed,
    },
}

impl Command for FinishOperation {
    const NAME: &'static str = "FinishOperation";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let attempt = self.attempt;
        let command = match self.result.clone() {
            OperationResult::Succeeded { manifest, output } => Do::Succeed {
                attempt,
                manifest,
                output,
            },
            OperationResult::Failed { reason, output } => Do::Fail {
                attempt,
                reason,
                output,
            },
        };
        let events = work.decide::<Release>(self.release, command).await?;
        if events
            .iter()
            .any(|event| matches!(event, Event::ReleaseUninstalled { .. }))
        {
            let release = work
                .load::<Release>(self.release)
                .await?
                .ok_or(CommandError::NotFound("release"))?;
            let claim = Claim::Release {
                project: release.project,
                name: release.name,
            };
            work.release_name(&claim, &holder::<Release>(self.release)).await?;
            if let Some(project) = work.load::<Project>(release.project).await? {
                let release = self.release;
                work.decide::<Workspace>(project.workspace, workspace::Command::RemoveRelease { release })
                    .await?;
            }
        }
        Ok(Target::Release(self.release))
    }
}
