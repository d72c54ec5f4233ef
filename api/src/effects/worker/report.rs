//! How an attempt ends: what came of it is sealed under the key of its release, and recorded.

use std::time::Duration;

use domain::{
    ids::{AttemptId, ReleaseId},
    release::{FailureReason, Operation, Release},
};

use super::Worker;
use crate::{
    commands::{Cause, CommandError, FinishOperation, Giver, OperationResult, holder, load},
    effects::{
        operation::{Outcome, Report},
        remains,
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

impl Worker {
    pub(super) async fn finish(
        &self,
        id: ReleaseId,
        release: &Release,
        attempt: AttemptId,
        cause: Cause,
        operation: Operation,
        report: Report,
    ) -> Result<(), CommandError> {
        let remains = match &report.result {
            Err(_) if operation.forced => Some(self.last_applied(id, release).await?),
            _ => None,
        };
        let result = match self.seal(id, &report, remains).await {
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
        self.record(id, attempt, cause, result).await
    }

    /// Ends an attempt that was called off: as cancelled if somebody asked for that, and without a word if another attempt
    /// took its place.
    pub(super) async fn give_up(&self, id: ReleaseId, attempt: AttemptId, cause: Cause) -> Result<(), CommandError> {
        let release = load::<Release>(&self.services.log, id).await?;
        let operation = release.and_then(|release| release.operation);
        if !operation.is_some_and(|operation| operation.cancelling) {
            tracing::warn!(release = %id, %attempt, "another attempt took the place of this one");
            return Ok(());
        }
        tracing::info!(release = %id, %attempt, "cancelled");
        let said = "the operation was cancelled, and Helm was stopped; what it had said so far is lost";
        let output = self.sealed(id, said).await?;
        self.record(id, attempt, cause, OperationResult::Cancelled { output })
            .await
    }

    async fn record(
        &self,
        release: ReleaseId,
        attempt: AttemptId,
        cause: Cause,
        result: OperationResult,
    ) -> Result<(), CommandError> {
        let finish = FinishOperation {
            release,
            attempt,
            result,
        };
        match self.services.commands.run(Giver::Reaction(cause), &finish).await {
            // Another attempt took over; its result counts.
            Err(error) if error.is("STALE_ATTEMPT") => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn seal(
        &self,
        id: ReleaseId,
        report: &Report,
        remains: Option<String>,
    ) -> Result<OperationResult, CommandError> {
        let output = self.sealed(id, &report.output).await?;
        let (manifest, remains) = match (&report.result, remains) {
            (Ok(Outcome::Runs { manifest }), _) => (Some(manifest.as_str()), None),
            (Ok(Outcome::Gone { remains }), _) if remains.is_empty() => (None, None),
            (Ok(Outcome::Gone { remains }), _) => (None, Some(remains.join("\n"))),
            // It was to end all the same.
            (Err(_), Some(remains)) => (None, Some(remains)),
            (Err(reason), None) => {
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

    /// What may be left of a release that could not be removed: all that was applied last, for nothing is known of it now.
    async fn last_applied(&self, id: ReleaseId, release: &Release) -> Result<String, CommandError> {
        let last = release.revision();
        let views = &self.services.views;
        let revision = views
            .read(move |view| projections::releases::revision(view, id, last))
            .await?;
        let manifest = match revision {
            Some(revision) => self.services.vault.unseal(&revision.manifest).await?,
            None => None,
        };
        let manifest = manifest.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let objects = manifest.map_or_else(Vec::new, |manifest| remains::objects_in(&manifest));
        Ok(objects.join("\n"))
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
