//! What a fact changes.

use super::{Attempt, Cause, Deployment, Event, Failure, Operation, OperationKind, Release};
use crate::decider::Stamp;

impl Release {
    pub(super) fn begun(event: &Event) -> Option<Self> {
        let Event::InstallRequested {
            app,
            project,
            name,
            deployment,
        } = event
        else {
            return None;
        };
        Some(Self {
            app: *app,
            project: *project,
            name: name.clone(),
            wanted: deployment.clone(),
            cause: Cause::Install,
            observed: None,
            revisions: vec![],
            operation: Some(Operation::asked_for(OperationKind::Install)),
            failure: None,
            uninstalled: false,
        })
    }

    pub(super) fn apply(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::InstallRequested { .. } => {}
            Event::UpgradeRequested { deployment } => self.want(deployment, self.cause_of(deployment)),
            Event::RollbackRequested { revision, deployment } => {
                self.want(deployment, Cause::Rollback { to: *revision });
            }
            Event::UninstallRequested { forced } => self.begin_operation(OperationKind::Uninstall, *forced),
            Event::RetryRequested { operation } => {
                let forced = self.failure.is_some_and(|failure| failure.forced);
                self.begin_operation(*operation, forced);
            }
            Event::CancellationRequested {} => {
                self.operation = self.operation.map(|operation| Operation {
                    cancelling: true,
                    ..operation
                });
            }
            Event::OperationStarted {
                operation,
                attempt,
                worker,
            } => {
                let attempt = Attempt {
                    id: *attempt,
                    worker: *worker,
                    started: stamp.at,
                };
                self.operation = Some(Operation {
                    attempt: Some(attempt),
                    ..self.operation.unwrap_or(Operation::asked_for(*operation))
                });
            }
            Event::ReleaseInstalled { .. } | Event::ReleaseUpgraded { .. } => {
                self.operation = None;
                self.observed = Some(self.wanted.clone());
                self.revisions.push(self.wanted.clone());
            }
            Event::ReleaseUninstalled { .. } => {
                self.operation = None;
                self.uninstalled = true;
            }
            Event::OperationFailed { operation, reason, .. } => self.end_without_result(*operation, Some(*reason)),
            Event::OperationCancelled { operation, .. } => self.end_without_result(*operation, None),
        }
    }

    /// Why `deployment` would be the next revision.
    fn cause_of(&self, deployment: &Deployment) -> Cause {
        match &self.observed {
            None => Cause::Install,
            Some(runs) if runs.digest == deployment.digest => Cause::Reconfigure,
            Some(_) => Cause::Upgrade,
        }
    }

    fn want(&mut self, deployment: &Deployment, cause: Cause) {
        self.wanted = deployment.clone();
        self.cause = cause;
        // What never ran is not upgraded: correcting a failed install is the install again.
        let kind = if self.observed.is_none() {
            OperationKind::Install
        } else {
            OperationKind::Upgrade
        };
        self.begin_operation(kind, false);
    }

    fn begin_operation(&mut self, kind: OperationKind, forced: bool) {
        self.operation = Some(Operation {
            forced,
            ..Operation::asked_for(kind)
        });
        self.failure = None;
    }

    fn end_without_result(&mut self, operation: OperationKind, reason: Option<super::FailureReason>) {
        let forced = self.operation.is_some_and(|operation| operation.forced);
        self.operation = None;
        self.failure = Some(Failure {
            operation,
            forced,
            reason,
        });
    }
}

impl Operation {
    const fn asked_for(kind: OperationKind) -> Self {
        Self {
            kind,
            forced: false,
            attempt: None,
            cancelling: false,
        }
    }
}
