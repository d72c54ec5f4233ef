//! Which facts follow from a command, or which rule refuses it.

use chrono::TimeDelta;

use super::{Command, Deployment, Event, Operation, OperationKind, Rejection, Release};
use crate::{
    decider::Stamp,
    digest::Sealed,
    ids::{AttemptId, WorkerId},
};

impl Release {
    pub(super) fn begin(command: Command) -> Result<Vec<Event>, Rejection> {
        let Command::Install {
            app,
            project,
            name,
            deployment,
        } = command
        else {
            return Err(Rejection::NotFound);
        };
        Ok(vec![Event::InstallRequested {
            app,
            project,
            name,
            deployment,
        }])
    }

    pub(super) fn judge(&self, command: Command, stamp: Stamp) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Install { .. } => Err(Rejection::Exists),
            Command::Upgrade { .. } | Command::Rollback { .. } | Command::Retry if self.uninstalled => {
                Err(Rejection::NotFound)
            }
            Command::Upgrade { deployment } => self.upgrade(deployment),
            Command::Rollback { revision } => self.roll_back(revision),
            Command::Retry => self.retry(),
            Command::Cancel => self.cancel(),
            Command::Uninstall { forced } => self.uninstall(forced),
            Command::Start {
                attempt,
                worker,
                patience,
            } => self.start(attempt, worker, patience, stamp),
            Command::Succeed {
                attempt,
                manifest,
                output,
                remains,
            } => self.succeed(attempt, manifest, output, remains),
            Command::Fail {
                attempt,
                reason,
                output,
            } => {
                let operation = self.current(attempt)?.kind;
                Ok(vec![Event::OperationFailed {
                    operation,
                    attempt,
                    reason,
                    output,
                }])
            }
            Command::GiveUp { attempt, output } => self.give_up(attempt, output),
        }
    }

    fn upgrade(&self, deployment: Deployment) -> Result<Vec<Event>, Rejection> {
        self.idle()?;
        if deployment == self.wanted && self.failure.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::UpgradeRequested { deployment }])
    }

    fn roll_back(&self, revision: u64) -> Result<Vec<Event>, Rejection> {
        self.idle()?;
        let last = self.revision();
        let deployment = self
            .deployment_of(revision)
            .ok_or(Rejection::RevisionNotFound { revision, last })?;
        if self.observed.as_ref() == Some(deployment) && self.failure.is_none() {
            return Ok(vec![]);
        }
        let deployment = deployment.clone();
        Ok(vec![Event::RollbackRequested { revision, deployment }])
    }

    fn retry(&self) -> Result<Vec<Event>, Rejection> {
        self.idle()?;
        let operation = self.failure.ok_or(Rejection::NothingFailed)?.operation;
        Ok(vec![Event::RetryRequested { operation }])
    }

    fn cancel(&self) -> Result<Vec<Event>, Rejection> {
        let operation = self.operation.ok_or(Rejection::NothingToDo)?;
        Ok(match operation.attempt {
            _ if operation.cancelling => vec![],
            Some(_) => vec![Event::CancellationRequested {}],
            None => vec![Event::OperationCancelled {
                operation: operation.kind,
                attempt: None,
                output: None,
            }],
        })
    }

    fn uninstall(&self, forced: bool) -> Result<Vec<Event>, Rejection> {
        let is_asked_for = |operation: Operation| {
            operation.kind == OperationKind::Uninstall && !operation.cancelling && (operation.forced || !forced)
        };
        if self.uninstalled || self.operation.is_some_and(is_asked_for) {
            return Ok(vec![]);
        }
        self.idle()?;
        Ok(vec![Event::UninstallRequested { forced }])
    }

    fn start(
        &self,
        attempt: AttemptId,
        worker: WorkerId,
        patience: TimeDelta,
        stamp: Stamp,
    ) -> Result<Vec<Event>, Rejection> {
        let operation = self.operation.ok_or(Rejection::NothingToDo)?;
        if operation.attempt.is_some_and(|current| current.id == attempt) {
            return Ok(vec![]);
        }
        match operation.free_from(worker, patience) {
            Some(until) if stamp.at < until => Err(Rejection::TakenUp { until }),
            _ => Ok(vec![Event::OperationStarted {
                operation: operation.kind,
                attempt,
                worker: Some(worker),
            }]),
        }
    }

    fn succeed(
        &self,
        attempt: AttemptId,
        manifest: Option<Sealed>,
        output: Sealed,
        remains: Option<Sealed>,
    ) -> Result<Vec<Event>, Rejection> {
        let operation = self.current(attempt)?.kind;
        let (version, digest) = (self.wanted.version.clone(), self.wanted.digest);
        let event = match (operation, manifest) {
            (OperationKind::Uninstall, _) => Event::ReleaseUninstalled {
                attempt,
                output,
                remains,
            },
            (OperationKind::Install, Some(manifest)) => Event::ReleaseInstalled {
                attempt,
                version,
                digest,
                manifest,
                output,
            },
            (OperationKind::Upgrade, Some(manifest)) => Event::ReleaseUpgraded {
                attempt,
                version,
                digest,
                manifest,
                output,
            },
            (OperationKind::Install | OperationKind::Upgrade, None) => {
                return Err(Rejection::ManifestMissing(operation));
            }
        };
        Ok(vec![event])
    }

    fn give_up(&self, attempt: AttemptId, output: Sealed) -> Result<Vec<Event>, Rejection> {
        let operation = self.current(attempt)?;
        if !operation.cancelling {
            return Err(Rejection::CancellationNotRequested);
        }
        Ok(vec![Event::OperationCancelled {
            operation: operation.kind,
            attempt: Some(attempt),
            output: Some(output),
        }])
    }

    fn idle(&self) -> Result<(), Rejection> {
        self.operation
            .map_or(Ok(()), |operation| Err(Rejection::OperationInFlight(operation.kind)))
    }

    /// The operation that `attempt` is the current attempt of.
    fn current(&self, attempt: AttemptId) -> Result<Operation, Rejection> {
        let is_current = |operation: &Operation| operation.attempt.is_some_and(|current| current.id == attempt);
        self.operation
            .filter(is_current)
            .ok_or(Rejection::StaleAttempt { attempt })
    }
}
