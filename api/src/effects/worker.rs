//! The worker: follows the log, does what [`react`] says an event calls for, and reports back by commands.
//!
//! Several may share the work. Whoever records the start of an attempt first has the operation; the others leave it alone
//! until it must be dead. An operation taken up again is a new attempt, and results of the old one are refused. So a
//! worker may be killed at any instant: started again, it takes up its own attempts at once.

mod report;

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{
    event::DomainEvent,
    ids::{AttemptId, ReleaseId, WorkspaceId},
    project::Project,
    release::{self, FailureReason, Operation, Release, react},
};
use eventstore::Recorded;
use tokio::sync::{Mutex, Notify, Semaphore};

use self::report::stopped;
use super::{
    following::{Follower, last_call, subject},
    helm::Helm,
    identity::Identity,
    operation::{self, Report, Task},
    remains::remains,
};
use crate::{
    clock,
    commands::{Cause, CommandError, Giver, Outcome, StartOperation, decoded, load},
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
    identity: Arc<Identity>,
    runs: Arc<Semaphore>,
    /// One workspace has at most half of the runs: its charts that loop do not stop the others.
    runs_of_workspaces: Arc<Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>>,
    /// Releases that are taken care of here, so that none is driven twice at once; each with its news.
    busy: Arc<Mutex<HashMap<ReleaseId, Arc<Notify>>>>,
}

impl Worker {
    #[must_use]
    pub fn new(services: Services, helm: Helm, identity: Identity) -> Self {
        let runs = Arc::new(Semaphore::new(services.limits.helm_runs_max.max(1)));
        Self {
            services,
            helm,
            identity: Arc::new(identity),
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
        let mut follower = Follower::of(&self.services);
        for release in self.services.views.read(projections::releases::in_flight).await? {
            follower.begin(self.clone().take_care_of(release.id));
        }
        while let Some(events) = follower.next().await {
            let mut called_for = HashSet::new();
            for event in &events {
                let Some((release, calls)) = news_of(event)? else {
                    continue;
                };
                self.tell(release).await;
                if calls && called_for.insert(release) {
                    follower.begin(self.clone().take_care_of(release));
                }
            }
        }
        Ok(())
    }

    /// Whoever takes care of the release looks at it again.
    async fn tell(&self, release: ReleaseId) {
        if let Some(news) = self.busy.lock().await.get(&release) {
            news.notify_one();
        }
    }

    /// Drives the operations of a release until none is in flight, unless somebody here does already.
    async fn take_care_of(self, release: ReleaseId) {
        let news = Arc::new(Notify::new());
        match self.busy.lock().await.entry(release) {
            Entry::Occupied(_) => return, // whoever is at it looks again before leaving
            Entry::Vacant(free) => free.insert(Arc::clone(&news)),
        };
        let mut pause = RETRY_MIN;
        loop {
            match self.drive(release, &news).await {
                Ok(None) => pause = RETRY_MIN,
                Ok(Some(until)) => self.stand_by(until, &news).await,
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

    /// Another worker is at it: waits for its end, or until it must be dead.
    async fn stand_by(&self, until: DateTime<Utc>, news: &Notify) {
        let left = (until - clock::now()).to_std().unwrap_or_default();
        // It is woken by whatever happens to the release; a wait that is cut short is begun again.
        let _ = tokio::time::timeout(left, news.notified()).await;
    }

    async fn is_in_flight(&self, release: ReleaseId) -> bool {
        match load::<Release>(&self.services.log, release).await {
            Ok(release) => release.is_some_and(|release| release.operation.is_some()),
            Err(CommandError::Internal(_)) => false,
            Err(_) => true,
        }
    }

    /// Makes one attempt at the operation in flight, if this worker may; else says until when another one has it.
    async fn drive(&self, id: ReleaseId, news: &Notify) -> Result<Option<DateTime<Utc>>, CommandError> {
        let Some((release, operation)) = self.to_be_done(id).await? else {
            return Ok(None);
        };
        if let Some(until) = self.held_until(operation) {
            return Ok(Some(until));
        }
        let share = self.share_of(&release).await?;
        let (Ok(_share), Ok(_run)) = (share.acquire().await, self.runs.acquire().await) else {
            return Ok(None);
        };
        // It may have waited for its turn; what counts is what is wanted now, and whether it is still to be had.
        let Some((release, operation)) = self.to_be_done(id).await? else {
            return Ok(None);
        };
        if let Some(until) = self.held_until(operation) {
            return Ok(Some(until));
        }
        let calls = |event: &release::Event| react(event).is_some();
        let Some(cause) = last_call::<Release>(&self.services.log, id, calls).await? else {
            return Ok(None);
        };
        let attempt = AttemptId::from_uuid(ids::fresh());
        let start = StartOperation {
            release: id,
            attempt,
            worker: self.identity.id,
        };
        let started = match self.services.commands.run(Giver::Reaction(cause), &start).await {
            Ok(started) => started,
            // Another worker was first, or it is over meanwhile.
            Err(error) if error.is("TAKEN_UP") || error.is("NOTHING_TO_DO") => return Ok(None),
            Err(error) => return Err(error),
        };
        tracing::info!(release = %id, %attempt, operation = %operation.kind, "started");
        let cause = self.left_by(&started).await?.unwrap_or(cause);
        let task = Task {
            services: &self.services,
            helm: &self.helm.for_attempt(),
            id,
            attempt,
            release: &release,
            operation: operation.kind,
            forced: operation.forced,
        };
        tokio::select! {
            // What Helm has said is read before it is stopped.
            biased;
            report = self.attempted(&task) => self.finish(&task, cause, report?).await?,
            // Leaving the attempt here ends Helm.
            () = self.called_off(id, attempt, news) => self.give_up(&task, cause).await?,
        }
        Ok(None)
    }

    async fn to_be_done(&self, id: ReleaseId) -> Result<Option<(Release, Operation)>, CommandError> {
        let release = load::<Release>(&self.services.log, id).await?;
        Ok(release.and_then(|release| {
            let operation = release.operation?;
            Some((release, operation))
        }))
    }

    fn held_until(&self, operation: Operation) -> Option<DateTime<Utc>> {
        let free_from = operation.free_from(self.identity.id, self.services.limits.worker_patience());
        free_from.filter(|until| clock::now() < *until)
    }

    async fn attempted(&self, task: &Task<'_>) -> Result<Report, CommandError> {
        let limit = self.services.limits.attempt_max();
        let report = tokio::time::timeout(limit, operation::perform(task)).await;
        let report = report.unwrap_or_else(|_| Report::timed_out(limit));
        let report = match report.result {
            Err(FailureReason::HelmTimeout) => Report {
                output: stopped(&report.output, task.helm),
                ..report
            },
            _ => report,
        };
        match report.result {
            // It was to end all the same.
            Err(_) if task.forced => Ok(Report::gone(remains(task).await?, report.output)),
            _ => Ok(report),
        }
    }

    /// Returns once somebody asked for the end of the attempt, or another one took its place.
    async fn called_off(&self, id: ReleaseId, attempt: AttemptId, news: &Notify) {
        loop {
            match load::<Release>(&self.services.log, id).await {
                Ok(Some(release)) if release.calls_off(attempt) => return,
                // A log that cannot be read now tells nothing; what is under way goes on.
                _ => news.notified().await,
            }
        }
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
}

/// The release that `recorded` is about, and whether it calls for an operation.
fn news_of(recorded: &Recorded) -> Result<Option<(ReleaseId, bool)>, CommandError> {
    match decoded(recorded)? {
        DomainEvent::Release(event) => Ok(Some((subject(recorded)?, react(&event).is_some()))),
        _ => Ok(None),
    }
}
