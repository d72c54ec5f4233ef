//! A release: an installed app. What is wanted, what was observed, and every attempt between.
//!
//! A command only asks: it records what is wanted. The worker that follows the log does it and reports back, by
//! commands too. One operation is in flight at a time; a result of an attempt that is no longer the current one is
//! refused, so a worker that comes back from the dead cannot overwrite history.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::{Digest, Sealed},
    ids::{AppId, AttemptId, ProjectId},
    names::ReleaseName,
    permission::Permission,
    version_number::VersionNumber,
};

/// What is to run: a version by its bytes, and the values it runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub version: VersionNumber,
    pub digest: Digest,
    /// `None` runs the chart's own defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Sealed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    Install,
    Upgrade,
    Uninstall,
}

/// The facts of a release's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    InstallRequested {
        app: AppId,
        project: ProjectId,
        name: ReleaseName,
        deployment: Deployment,
    },
    UpgradeRequested {
        deployment: Deployment,
    },
    UninstallRequested {},
    OperationStarted {
        operation: OperationKind,
        attempt: AttemptId,
    },
    /// `manifest` is what Helm rendered, `output` what it said.
    ReleaseInstalled {
        attempt: AttemptId,
        version: VersionNumber,
        digest: Digest,
        manifest: Sealed,
        output: Sealed,
    },
    ReleaseUpgraded {
        attempt: AttemptId,
        version: VersionNumber,
        digest: Digest,
        manifest: Sealed,
        output: Sealed,
    },
    ReleaseUninstalled {
        attempt: AttemptId,
        output: Sealed,
    },
    /// `output` is all that Helm said, `reason` one stable code.
    OperationFailed {
        operation: OperationKind,
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
    },
}

/// Why an operation failed, as far as a program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureReason {
    /// Helm ran and refused; its own words are in the output.
    HelmFailed,
    /// Helm did not end in time.
    HelmTimeout,
    /// There is no usable Helm.
    HelmMissing,
    /// The chart or the values could not be read back.
    ContentUnavailable,
    /// The result could not be written to the cluster.
    ClusterFailed,
}

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
    pub const fn status(&self) -> Status {
        match (self.operation, self.failed, self.uninstalled) {
            (_, _, true) => Status::Uninstalled,
            (
                Some(Operation {
                    kind: OperationKind::Install,
                    ..
                }),
                ..,
            ) => Status::Creating,
            (
                Some(Operation {
                    kind: OperationKind::Upgrade,
                    ..
                }),
                ..,
            ) => Status::Upgrading,
            (
                Some(Operation {
                    kind: OperationKind::Uninstall,
                    ..
                }),
                ..,
            ) => Status::Uninstalling,
            (None, Some(_), false) => Status::Failed,
            (None, None, false) => Status::Running,
        }
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Install {
        app: AppId,
        project: ProjectId,
        name: ReleaseName,
        deployment: Deployment,
    },
    /// Also a reconfiguration (same version, other values) and the correction of what failed.
    Upgrade {
        deployment: Deployment,
    },
    Uninstall,
    /// A worker takes the operation up; again after a crash, with a new attempt.
    Start {
        attempt: AttemptId,
    },
    Succeed {
        attempt: AttemptId,
        manifest: Option<Sealed>,
        output: Sealed,
    },
    Fail {
        attempt: AttemptId,
        reason: FailureReason,
        output: Sealed,
    },
}

impl Command {
    /// What its giver must hold in the release's project; `None` if only Charthouse's own worker gives it.
    #[must_use]
    pub const fn permission(&self) -> Option<Permission> {
        match self {
            Self::Install { .. } => Some(Permission::ReleaseInstall),
            Self::Upgrade { .. } => Some(Permission::ReleaseUpgrade),
            Self::Uninstall => Some(Permission::ReleaseUninstall),
            Self::Start { .. } | Self::Succeed { .. } | Self::Fail { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("this release does not exist")]
    NotFound,
    #[error("this release exists already")]
    Exists,
    #[error("an {0} of this release is under way; wait for its end")]
    OperationInFlight(OperationKind),
    #[error("attempt {attempt} is not the one under way")]
    StaleAttempt { attempt: AttemptId },
    #[error("nothing of this release is under way")]
    NothingToDo,
    #[error("a finished {0} has a manifest")]
    ManifestMissing(OperationKind),
}

impl std::fmt::Display for OperationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Uninstall => "uninstall",
        })
    }
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "RELEASE_EXISTS",
            Self::OperationInFlight(_) => "OPERATION_IN_FLIGHT",
            Self::StaleAttempt { .. } => "STALE_ATTEMPT",
            Self::NothingToDo => "NOTHING_TO_DO",
            Self::ManifestMissing(_) => "MANIFEST_MISSING",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::ManifestMissing(_) => RejectionKind::Invalid,
            Self::Exists | Self::OperationInFlight(_) | Self::StaleAttempt { .. } | Self::NothingToDo => {
                RejectionKind::Conflict
            }
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
        if self.uninstalled
            || matches!(
                self.operation,
                Some(Operation {
                    kind: OperationKind::Uninstall,
                    ..
                })
            )
        {
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
