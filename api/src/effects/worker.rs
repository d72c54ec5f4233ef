//! The worker: follows the log, does what [`react`] says an event calls for, and reports back by commands.
//!
//! At its start it takes up every operation that is in flight, whoever began it. An operation taken up again is a new
//! attempt, and results of the old one are refused. So it may be killed at any instant.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    decider::Decider,
    event::DomainEvent,
    ids::{AttemptId, ReleaseId, WorkspaceId},
    project::Project,
    release::{FailureReason, Release, react},
};
use eventstore::{Position, ReadError, Recorded, Revision, StreamName};
use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinSet,
};

use super::{
    helm::Helm,
    operation::{self, Report},
};
use crate::{
    commands::{Cause, CommandError, FinishOperation, Giver, OperationResult, Outcome, StartOperation, holder, load},
    ids,
    services::Services,
};

/// How long an operation waits that could not even be reported as failed: at first, and at most.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct Worker {
    services: Services,
    helm: Helm,
    runs: Arc<Semaphore>,
    /// One workspace has at most half of the runs: its charts that loop do not stop the others.
    runs_of_workspaces: Arc<Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>>,
    /// Releases with an operation under way here, so that none is driven twice at once.
    busy: Arc<Mutex<HashSet<ReleaseId>>>,
}

impl Worker {
    #[must_use]
    pub fn new(services: Services, helm: Helm) -> Self {
        let runs = Arc::new(Semaphore::new(services.limits.helm_runs_max.max(1)));
        Self {
            services,
            helm,
            runs,
            runs_of_workspaces: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// Takes up what is in flight, then follows the log until it is closed. What it drives ends with it.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the views cannot be read at the start, or the log holds an event this program does not know.
    pub async fn run(self) -> Result<(), CommandError> {
        let mut operations = JoinSet::new();
        let position = self.services.views.position();
        for release in self.services.views.read(projections::releases::in_flight).await? {
            operations.spawn(self.clone().take_up(release.id));
        }
        let mut events = self.services.log.subscribe(Position::new(position));
        loop {
            let batch = tokio::select! {
                batch = events.next() => batch,
                Some(_) = operations.join_next() => continue,
            };
            match batch {
                Ok(batch) => {
                    for event in &batch {
                        if let Some(release) = called_for(event)? {
                            operations.spawn(self.clone().take_up(release));
                        }
                    }
                }
                Err(ReadError::Closed) => return Ok(()),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the worker could not read the log"
                    );
                    tokio::time::sleep(RETRY_MIN).await;
                }
            }
        }
    }

    /// Drives the operations of a release until none is in flight, unless somebody does already.
    async fn take_up(self, release: ReleaseId) {
        if !self.busy.lock().await.insert(release) {
            return; // whoever drives it looks again before leaving
        }
        let mut pause = RETRY_MIN;
        loop {
            match self.drive(release).await {
                Ok(()) => pause = RETRY_MIN,
                Err(error) => {
                    tracing::error!(%release, error = &error as &dyn std::error::Error, "an operation could not be driven");
                    // The log or the vault is in trouble; asking it at once again would not help it.
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
            // Under the lock: an operation asked for after this look finds the release not busy.
            let mut busy = self.busy.lock().await;
            if !self.is_in_flight(release).await {
                busy.remove(&release);
                return;
            }
        }
    }

    async fn is_in_flight(&self, release: ReleaseId) -> bool {
        match load::<Release>(&self.services.log, release).await {
            Ok(release) => release.is_some_and(|release| release.operation.is_some()),
            Err(CommandError::Internal(_)) => false,
            Err(_) => true,
        }
    }

    async fn drive(&self, id: ReleaseId) -> Result<(), CommandError> {
        let Some(release) = load::<Release>(&self.services.log, id).await? else {
            return Ok(());
        };
        let share = self.share_of(&release).await?;
        let (Ok(_share), Ok(_run)) = (share.acquire().await, self.runs.acquire().await) else {
            return Ok(());
        };
        // It may have waited for its turn; what counts is what is wanted now.
        let Some(release) = load::<Release>(&self.services.log, id).await? else {
            return Ok(());
        };
        let Some(operation) = release.operation else {
            return Ok(());
        };
        let Some(cause) = self.asked_for_by(id).await? else {
            return Ok(());
        };
        let attempt = AttemptId::from_uuid(ids::fresh());
        let start = StartOperation { release: id, attempt };
        let started = self.services.commands.run(Giver::Reaction(cause), &start).await?;
        tracing::info!(release = %id, %attempt, operation = %operation.kind, "started");
        let report = operation::perform(&self.services, &self.helm, &release, operation.kind).await;
        let cause = self.left_by(&started).await?.unwrap_or(cause);
        self.finish(id, attempt, cause, report).await
    }

    /// The event that asked for the operation of a release that is in flight.
    async fn asked_for_by(&self, release: ReleaseId) -> Result<Option<Cause>, CommandError> {
        let stream = StreamName::new(Release::CATEGORY, release).map_err(CommandError::internal)?;
        for event in self
            .services
            .log
            .read_stream(&stream, Revision::NONE)
            .await?
            .iter()
            .rev()
        {
            if called_for(event)?.is_some() {
                return Cause::of(event).map(Some);
            }
        }
        Ok(None)
    }

    /// The last event a command left.
    async fn left_by(&self, outcome: &Outcome) -> Result<Option<Cause>, CommandError> {
        let events = self.services.log.read(outcome.position, 1).await?;
        events.first().map(Cause::of).transpose()
    }

    async fn share_of(&self, release: &Release) -> Result<Arc<Semaphore>, CommandError> {
        let project = load::<Project>(&self.services.log, release.project).await?;
        let workspace = project.ok_or(CommandError::NotFound("project"))?.workspace;
        let half = self.services.limits.helm_runs_max.div_ceil(2).max(1);
        let mut shares = self.runs_of_workspaces.lock().await;
        Ok(Arc::clone(
            shares
                .entry(workspace)
                .or_insert_with(|| Arc::new(Semaphore::new(half))),
        ))
    }

    async fn finish(
        &self,
        release: ReleaseId,
        attempt: AttemptId,
        cause: Cause,
        report: Report,
    ) -> Result<(), CommandError> {
        let result = match self.seal(release, &report).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%release, error = &error as &dyn std::error::Error, "a report could not be sealed");
                let subject = holder::<Release>(release);
                let output = self
                    .services
                    .vault
                    .seal(&subject, "the output could not be kept")
                    .await?;
                OperationResult::Failed {
                    reason: FailureReason::HelmFailed,
                    output,
                }
            }
        };
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

    async fn seal(&self, release: ReleaseId, report: &Report) -> Result<OperationResult, CommandError> {
        let subject = holder::<Release>(release);
        let vault = &self.services.vault;
        let output = vault.seal(&subject, &report.output).await?;
        Ok(match &report.result {
            Ok(Some(manifest)) => OperationResult::Succeeded {
                manifest: Some(vault.seal(&subject, manifest).await?),
                output,
            },
            Ok(None) => OperationResult::Succeeded { manifest: None, output },
            Err(reason) => OperationResult::Failed {
                reason: *reason,
                output,
            },
        })
    }
}

/// The release whose operation `recorded` calls for, if it calls for one.
fn called_for(recorded: &Recorded) -> Result<Option<ReleaseId>, CommandError> {
    let envelope = recorded.envelope().map_err(CommandError::internal)?;
    let data = serde_json::from_str(envelope.data.get()).map_err(CommandError::internal)?;
    let event = DomainEvent::restore(recorded.stream.category(), &recorded.name, &data);
    match event.map_err(CommandError::internal)? {
        DomainEvent::Release(event) if react(&event).is_some() => {
            recorded.stream.key().parse().map(Some).map_err(CommandError::internal)
        }
        _ => Ok(None),
    }
}
