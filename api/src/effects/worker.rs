//! The worker: follows the log, does what [`react`] says an event calls for, and reports back by commands.
//!
//! At its start it takes up every operation that is in flight, whoever began it: this is the only process that appends
//! to the log, so whoever began it is gone. An operation taken up again is a new attempt, and results of the old one
//! are refused. Rendering and replacing a file may be done twice, so it may be killed at any instant.

use std::{collections::HashSet, sync::Arc, time::Duration};

use domain::{
    event::DomainEvent,
    ids::{AttemptId, ReleaseId},
    project::Project,
    release::{FailureReason, OperationKind, Release, react},
};
use eventstore::{Position, Recorded, StreamName};
use tokio::sync::{Mutex, Semaphore};

use super::{
    directory::Directory,
    helm::{Helm, HelmError, Rendered, Template},
};
use crate::{
    commands::{CommandError, FinishOperation, Giver, OperationResult, StartOperation, holder, load},
    ids,
    services::Services,
};

/// How long an operation waits that could not even be reported as failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Worker {
    services: Services,
    helm: Helm,
    runs: Arc<Semaphore>,
    /// Releases with an operation under way here, so that none is driven twice at once.
    busy: Arc<Mutex<HashSet<ReleaseId>>>,
}

/// What an attempt came to, before it is sealed and reported.
struct Report {
    result: Result<Option<String>, FailureReason>,
    output: String,
}

impl Worker {
    #[must_use]
    pub fn new(services: Services, helm: Helm) -> Self {
        let runs = Arc::new(Semaphore::new(services.limits.helm_runs_max));
        Self {
            services,
            helm,
            runs,
            busy: Arc::default(),
        }
    }

    /// Takes up what is in flight, then follows the log until it is closed.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the log or the views cannot be read.
    pub async fn run(self) -> Result<(), CommandError> {
        let (position, in_flight) = self.in_flight().await?;
        for release in in_flight {
            self.take_up(release);
        }
        let mut events = self.services.log.subscribe(Position::new(position));
        loop {
            match events.next().await {
                Ok(batch) => batch
                    .iter()
                    .filter_map(called_for)
                    .for_each(|release| self.take_up(release)),
                Err(eventstore::ReadError::Closed) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The releases with an operation in flight, and the position of the log at which that was so.
    async fn in_flight(&self) -> Result<(u64, Vec<ReleaseId>), CommandError> {
        let views = &self.services.views;
        let position = views.position();
        let pending = views.read(projections::releases::in_flight).await?;
        Ok((position, pending.into_iter().map(|operation| operation.id).collect()))
    }

    /// Drives the operation of a release to its end, in the background.
    fn take_up(&self, release: ReleaseId) {
        let worker = self.clone();
        tokio::spawn(async move {
            if !worker.busy.lock().await.insert(release) {
                return; // whoever drives it looks again when it is done
            }
            if let Err(error) = worker.drive(release).await {
                tracing::error!(%release, error = &error as &dyn std::error::Error, "an operation could not be driven");
                // The log or the vault is in trouble; asking it at once again would not help it.
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            worker.busy.lock().await.remove(&release);
            // An operation asked for since the last look found this one busy.
            if worker.has_work(release).await {
                worker.take_up(release);
            }
        });
    }

    async fn has_work(&self, release: ReleaseId) -> bool {
        let state = load::<Release>(&self.services.log, release).await;
        matches!(state, Ok(Some(Release { operation: Some(operation), .. })) if operation.attempt.is_none())
    }

    async fn drive(&self, release: ReleaseId) -> Result<(), CommandError> {
        let Ok(_permit) = self.runs.acquire().await else {
            return Ok(());
        };
        let Some(state) = load::<Release>(&self.services.log, release).await? else {
            return Ok(());
        };
        let Some(operation) = state.operation else {
            return Ok(());
        };

        let attempt = AttemptId::from_uuid(ids::fresh());
        self.services
            .commands
            .run(Giver::System, &StartOperation { release, attempt })
            .await?;
        tracing::info!(%release, %attempt, operation = %operation.kind, "started");
        let report = self.perform(&state, operation.kind).await;
        self.finish(release, attempt, report).await
    }

    async fn perform(&self, release: &Release, operation: OperationKind) -> Report {
        let done = match operation {
            OperationKind::Install | OperationKind::Upgrade => self.deploy(release, operation).await,
            OperationKind::Uninstall => self.remove(release).await,
        };
        done.unwrap_or_else(|report| report)
    }

    async fn deploy(&self, release: &Release, operation: OperationKind) -> Result<Report, Report> {
        let (directory, namespace) = self.place(release).await?;
        let scratch = tempfile::tempdir().map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        let chart = scratch.path().join("chart.tgz");
        let values = scratch.path().join("values.yaml");
        let archive = self.services.content.get(release.wanted.digest).await;
        let archive = archive.map_err(|error| failed(FailureReason::ContentUnavailable, &error))?;
        let Some(archive) = archive else {
            return Err(said(
                FailureReason::ContentUnavailable,
                "the chart's bytes were removed from this store",
            ));
        };
        let text = self.values(release).await?;
        tokio::fs::write(&chart, archive)
            .await
            .map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        if let Some(text) = &text {
            tokio::fs::write(&values, text)
                .await
                .map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        }
        let template = Template {
            release: release.name.as_str(),
            namespace: &namespace,
            chart: &chart,
            values: text.is_some().then_some(values.as_path()),
            is_upgrade: operation == OperationKind::Upgrade,
            scratch: scratch.path(),
        };
        let Rendered { manifest, output } = self.helm.template(&template).await.map_err(|error| refused(&error))?;
        directory
            .apply(&manifest)
            .await
            .map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        Ok(Report {
            result: Ok(Some(manifest)),
            output,
        })
    }

    async fn remove(&self, release: &Release) -> Result<Report, Report> {
        let (directory, _) = self.place(release).await?;
        directory
            .remove()
            .await
            .map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        Ok(Report {
            result: Ok(None),
            output: String::new(),
        })
    }

    /// The folder a release is rendered into, and its namespace.
    async fn place(&self, release: &Release) -> Result<(Directory, String), Report> {
        let project = load::<Project>(&self.services.log, release.project).await;
        let project = project.map_err(|error| failed(FailureReason::ClusterFailed, &error))?;
        let gone = || said(FailureReason::ClusterFailed, "the release's project or cluster is gone");
        let project = project.ok_or_else(gone)?;
        let cluster = load::<domain::cluster::Cluster>(&self.services.log, project.cluster).await;
        let cluster = cluster
            .map_err(|error| failed(FailureReason::ClusterFailed, &error))?
            .ok_or_else(gone)?;
        let namespace = project.namespace.to_string();
        let clusters = self.services.data.clusters();
        let directory = match cluster.kind {
            domain::cluster::Kind::Directory => {
                Directory::of(&clusters, cluster.name.as_str(), &namespace, release.name.as_str())
            }
        };
        Ok((directory, namespace))
    }

    async fn values(&self, release: &Release) -> Result<Option<Vec<u8>>, Report> {
        let Some(sealed) = &release.wanted.values else {
            return Ok(None);
        };
        match self.services.vault.unseal(sealed).await {
            Ok(Some(values)) => Ok(Some(values.to_vec())),
            Ok(None) => Err(said(
                FailureReason::ContentUnavailable,
                "the release's values were erased",
            )),
            Err(error) => Err(failed(FailureReason::ContentUnavailable, &error)),
        }
    }

    async fn finish(&self, release: ReleaseId, attempt: AttemptId, report: Report) -> Result<(), CommandError> {
        let subject = holder::<Release>(release);
        let output = self.services.vault.seal(&subject, &report.output).await?;
        let result = match report.result {
            Ok(Some(manifest)) => {
                let manifest = Some(self.services.vault.seal(&subject, &manifest).await?);
                OperationResult::Succeeded { manifest, output }
            }
            Ok(None) => OperationResult::Succeeded { manifest: None, output },
            Err(reason) => OperationResult::Failed { reason, output },
        };
        let finish = FinishOperation {
            release,
            attempt,
            result,
        };
        match self.services.commands.run(Giver::System, &finish).await {
            // Another attempt took over; its result counts.
            Err(error) if error.is("STALE_ATTEMPT") => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

/// The release whose operation `recorded` calls for, if it calls for one.
fn called_for(recorded: &Recorded) -> Option<ReleaseId> {
    let stream: &StreamName = &recorded.stream;
    let data = serde_json::from_str(recorded.envelope().ok()?.data.get()).ok()?;
    match DomainEvent::restore(stream.category(), &recorded.name, &data).ok()? {
        DomainEvent::Release(event) => react(&event).and_then(|_| stream.key().parse().ok()),
        _ => None,
    }
}

fn refused(error: &HelmError) -> Report {
    let reason = match error {
        HelmError::Failed { output } => return said(FailureReason::HelmFailed, output),
        HelmError::Timeout { .. } => FailureReason::HelmTimeout,
        HelmError::Missing { .. } => FailureReason::HelmMissing,
        HelmError::OutputTooLarge { .. } | HelmError::Io(_) => FailureReason::HelmFailed,
    };
    failed(reason, error)
}

fn failed(reason: FailureReason, error: &dyn std::error::Error) -> Report {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    said(
        reason,
        &causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")),
    )
}

fn said(reason: FailureReason, output: &str) -> Report {
    Report {
        result: Err(reason),
        output: output.to_owned(),
    }
}
