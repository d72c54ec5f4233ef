//! How an attempt ends: what came of it is sealed under the key of its release, and recorded.

use std::time::Duration;

use domain::{
    ids::ReleaseId,
    release::{FailureReason, Release},
};

use super::Worker;
use crate::{
    commands::{Cause, CommandError, FinishOperation, Giver, OperationResult, holder, load},
    effects::{
        helm::Helm,
        operation::{Outcome, Report, Task},
    },
};

impl Report {
    pub(super) fn timed_out(limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        Self {
            result: Err(FailureReason::HelmTimeout),
            output: format!("the operation did not end within {limit}"),
        }
    }
}

/// Why Helm was stopped, and what it had said until then.
pub(super) fn stopped(why: &str, helm: &Helm) -> String {
    match helm.said().as_str() {
        "" => format!("{why}; Helm had said nothing"),
        said => format!("{why}; Helm had said:\n{said}"),
    }
}

/// The result of the other attempt counts.
fn replaced(task: &Task<'_>) {
    tracing::warn!(release = %task.id, attempt = %task.attempt, "another attempt took the place of this one");
}

impl Worker {
    pub(super) async fn finish(&self, task: &Task<'_>, cause: Cause, report: Report) -> Result<(), CommandError> {
        let id = task.id;
        let result = match self.seal(id, &report).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(release = %id, error = &error as &dyn std::error::Error, "a report could not be sealed");
                let output = self.sealed(id, "the output could not be kept").await?;
                OperationResult::Failed {
                    reason: FailureReason::HelmFailed,
                    output,
                }
            }
        };
        self.record(task, cause, result).await
    }

    /// Ends an attempt that was called off: as cancelled if somebody asked for that, and without a word if another attempt
    /// took its place.
    pub(super) async fn give_up(&self, task: &Task<'_>, cause: Cause) -> Result<(), CommandError> {
        let (id, attempt) = (task.id, task.attempt);
        let release = load::<Release>(&self.services.log, id).await?;
        let operation = release.and_then(|release| release.operation);
        if !operation.is_some_and(|operation| operation.cancelling) {
            replaced(task);
            return Ok(());
        }
        tracing::info!(release = %id, %attempt, "cancelled");
        let said = stopped("the operation was cancelled", task.helm);
        let output = self.sealed(id, &said).await?;
        self.record(task, cause, OperationResult::Cancelled { output }).await
    }

    async fn record(&self, task: &Task<'_>, cause: Cause, result: OperationResult) -> Result<(), CommandError> {
        let finish = FinishOperation {
            release: task.id,
            attempt: task.attempt,
            result,
        };
        match self.services.commands.run(Giver::Reaction(cause), &finish).await {
            Err(error) if error.is("STALE_ATTEMPT") => {
                replaced(task);
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    async fn seal(&self, id: ReleaseId, report: &Report) -> Result<OperationResult, CommandError> {
        let output = self.sealed(id, &report.output).await?;
        let (manifest, remains) = match &report.result {
            Ok(Outcome::Runs { manifest }) => (Some(manifest.as_str()), None),
            Ok(Outcome::Gone { remains }) if remains.is_empty() => (None, None),
            Ok(Outcome::Gone { remains }) => (None, Some(remains.join("\n"))),
            Err(reason) => {
                return Ok(OperationResult::Failed {
                    reason: *reason,
                    output,
                });
            }
        };
        Ok(OperationResult::Succeeded {
            manifest: self.sealed_if(id, manifest).await?,
            output,
            remains: self.sealed_if(id, remains.as_deref()).await?,
        })
    }

    async fn sealed(&self, id: ReleaseId, text: &str) -> Result<domain::digest::Sealed, CommandError> {
        Ok(self.services.vault.seal(&holder::<Release>(id), text).await?)
    }

    async fn sealed_if(
        &self,
        id: ReleaseId,
        text: Option<&str>,
    ) -> Result<Option<domain::digest::Sealed>, CommandError> {
        match text {
            Some(text) => self.sealed(id, text).await.map(Some),
            None => Ok(None),
        }
    }
}
