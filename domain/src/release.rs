//! A release: an installed app. What is wanted, what was observed, and every attempt between.
//!
//! A command only asks: it records what is wanted. The worker that follows the log does it and reports back, by
//! commands too. One operation is in flight at a time; a result of an attempt that is no longer the current one is
//! refused, so a worker that comes back from the dead cannot overwrite history.
//!
//! * [`Event`]: what can happen to it; [`Command`]: what can be asked; [`Rejection`]: why it is refused
//! * [`react`]: which fact calls for Helm

mod allowed;
mod command;
mod event;
mod rejection;
#[cfg(test)]
mod tests;

pub use self::{
    command::Command,
    event::{Deployment, Event, FailureReason, OperationKind},
    rejection::Rejection,
};
use crate::{
    decider::{Decider, Stamp},
    digest::Sealed,
    ids::{AppId, AttemptId, ProjectId},
    names::ReleaseName,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub app: AppId,
    pub project: ProjectId,
    pub name: ReleaseName,
    pub wanted: Deployment,
    pub observed: Option<Deployment>,
    /// How often what runs was changed: 1 after the install.
    pub revision: u64,
    pub operation: Option<Operation>,
    pub failed: Option<OperationKind>,
    pub uninstalled: bool,
}

/// The operation in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    pub kind: OperationKind,
    /// `None` until a worker has taken it up.
    pub attempt: Option<AttemptId>,
}

/// A release as people speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Creating,
    Running,
    Upgrading,
    Uninstalling,
    Failed,
    Uninstalled,
}

impl Release {
    #[must_use]
    pub fn status(&self) -> Status {
        if self.uninstalled {
            return Status::Uninstalled;
        }
        match (self.operation.map(|operation| operation.kind), self.failed) {
            (Some(OperationKind::Install), _) => Status::Creating,
            (Some(OperationKind::Upgrade), _) => Status::Upgrading,
            (Some(OperationKind::Uninstall), _) => Status::Uninstalling,
            (None, Some(_)) => Status::Failed,
            (None, None) => Status::Running,
        }
    }
}

/// What a fact calls for outside: one operation of this release, to be driven to its end.
#[must_use]
pub const fn react(event: &Event) -> Option<OperationKind> {
    match event {
        Event::InstallRequested { .. } => Some(OperationKind::Install),
        Event::UpgradeRequested { .. } => Some(OperationKind::Upgrade),
        Event::UninstallRequested {} => Some(OperationKind::Uninstall),
        Event::OperationStarted { .. }
        | Event::ReleaseInstalled { .. }
        | Event::ReleaseUpgraded { .. }
        | Event::ReleaseUninstalled { .. }
        | Event::OperationFailed { .. } => None,
    }
}

impl Decider for Release {
    const CATEGORY: &'static str = "release";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(release) = state else {
            let Command::Install {
                app,
                project,
                name,
                deployment,
            } = command
            else {
                return Err(Rejection::NotFound);
            };
            return Ok(vec![Event::InstallRequested {
                app,
                project,
                name,
                deployment,
            }]);
        };
        match command {
            Command::Install { .. } => Err(Rejection::Exists),
            Command::Upgrade { .. } if release.uninstalled => Err(Rejection::NotFound),
            Command::Upgrade { deployment } => release.upgrade(deployment),
            Command::Uninstall => release.uninstall(),
            Command::Start { attempt } => release.start(attempt),
            Command::Succeed {
                attempt,
                manifest,
                output,
            } => release.succeed(attempt, manifest, output),
            Command::Fail {
                attempt,
                reason,
                output,
            } => {
                let operation = release.current(attempt)?;
                Ok(vec![Event::OperationFailed {
                    operation,
                    attempt,
                    reason,
                    output,
                }])
            }
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::InstallRequested {
            app,
            project,
            name,
            deployment,
        } = event
        {
            return Some(Self {
                app: *app,
                project: *project,
                name: name.clone(),
                wanted: deployment.clone(),
                observed: None,
                revision: 0,
                operation: Some(Operation {
                    kind: OperationKind::Install,
                    attempt: None,
                }),
                failed: None,
                uninstalled: false,
            });
        }
        let mut release = state?;
        release.apply(event);
        Some(release)
    }
}

impl Release {
    fn upgrade(&self, deployment: Deployment) -> Result<Vec<Event>, Rejection> {
        self.idle()?;
        if deployment == self.wanted && self.failed.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::UpgradeRequested { deployment }])
    }

    fn uninstall(&self) -> Result<Vec<Event>, Rejection> {
        let under_way = self.operation.map(|operation| operation.kind);
        if self.uninstalled || under_way == Some(OperationKind::Uninstall) {
            return Ok(vec![]);
        }
        self.idle()?;
        Ok(vec![Event::UninstallRequested {}])
    }

    fn start(&self, attempt: AttemptId) -> Result<Vec<Event>, Rejection> {
        let operation = self.operation.ok_or(Rejection::NothingToDo)?;
        if operation.attempt == Some(attempt) {
            return Ok(vec![]);
        }
        Ok(vec![Event::OperationStarted {
            operation: operation.kind,
            attempt,
        }])
    }

    fn succeed(&self, attempt: AttemptId, manifest: Option<Sealed>, output: Sealed) -> Result<Vec<Event>, Rejection> {
        let operation = self.current(attempt)?;
        let (version, digest) = (self.wanted.version.clone(), self.wanted.digest);
        let event = match (operation, manifest) {
            (OperationKind::Uninstall, _) => Event::ReleaseUninstalled { attempt, output },
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

    fn idle(&self) -> Result<(), Rejection> {
        self.operation
            .map_or(Ok(()), |operation| Err(Rejection::OperationInFlight(operation.kind)))
    }

    /// The operation that `attempt` is the current attempt of.
    fn current(&self, attempt: AttemptId) -> Result<OperationKind, Rejection> {
        match self.operation {
            Some(Operation {
                kind,
                attempt: Some(current),
            }) if current == attempt => Ok(kind),
            Some(_) | None => Err(Rejection::StaleAttempt { attempt }),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::InstallRequested { .. } => {}
            Event::UpgradeRequested { deployment } => {
                self.wanted = deployment.clone();
                // What never ran is not upgraded: correcting a failed install is the install again.
                let kind = if self.observed.is_none() {
                    OperationKind::Install
                } else {
                    OperationKind::Upgrade
                };
                self.begin(kind);
            }
            Event::UninstallRequested {} => self.begin(OperationKind::Uninstall),
            Event::OperationStarted { operation, attempt } => {
                self.operation = Some(Operation {
                    kind: *operation,
                    attempt: Some(*attempt),
                });
            }
            Event::ReleaseInstalled { .. } | Event::ReleaseUpgraded { .. } => {
                self.operation = None;
                self.observed = Some(self.wanted.clone());
                self.revision += 1;
            }
            Event::ReleaseUninstalled { .. } => {
                self.operation = None;
                self.uninstalled = true;
            }
            Event::OperationFailed { operation, .. } => {
                self.operation = None;
                self.failed = Some(*operation);
            }
        }
    }

    fn begin(&mut self, kind: OperationKind) {
        self.operation = Some(Operation { kind, attempt: None });
        self.failed = None;
    }
}
