//! What the worker reports of its operations: commands like any other, given by Charthouse itself.

use domain::{
    digest::Sealed,
    ids::{AttemptId, ReleaseId, WorkerId},
    name::Claim,
    project::Project,
    release::{Command as Do, Event, FailureReason, Release},
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};

/// A worker takes up the operation of a release that is in flight. Of several the first to record it has it: that is the
/// whole claim.
#[derive(Debug, Serialize)]
pub struct StartOperation {
    pub release: ReleaseId,
    pub attempt: AttemptId,
    pub worker: WorkerId,
}

impl Command for StartOperation {
    const NAME: &'static str = "StartOperation";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let start = Do::Start {
            attempt: self.attempt,
            worker: self.worker,
            patience: work.commands.limits.worker_patience(),
        };
        work.decide::<Release>(self.release, start).await?;
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
    /// `manifest` is what now runs; `None` if nothing does any more, but what `remains`.
    Succeeded {
        manifest: Option<Sealed>,
        output: Sealed,
        remains: Option<Sealed>,
    },
    Failed {
        reason: FailureReason,
        output: Sealed,
    },
    /// Given up, as somebody asked.
    Cancelled {
        output: Sealed,
    },
}

impl Command for FinishOperation {
    const NAME: &'static str = "FinishOperation";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let attempt = self.attempt;
        let command = match self.result.clone() {
            OperationResult::Succeeded {
                manifest,
                output,
                remains,
            } => Do::Succeed {
                attempt,
                manifest,
                output,
                remains,
            },
            OperationResult::Failed { reason, output } => Do::Fail {
                attempt,
                reason,
                output,
            },
            OperationResult::Cancelled { output } => Do::GiveUp { attempt, output },
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
