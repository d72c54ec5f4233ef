//! Follows the log for projects that want a place on their cluster, makes it, and reports back by commands.
//!
//! At its start it takes up every project that is being prepared, whoever began it. Making a place again changes nothing,
//! and only the first outcome counts, so it may be killed at any instant and run in several processes.

use std::{sync::Arc, time::Duration};

use domain::{
    cluster::Cluster,
    decider::Decider,
    event::DomainEvent,
    ids::ProjectId,
    project::{PreparationFailure, Project, Readiness, react},
};
use eventstore::{Position, ReadError, Recorded, Revision, StreamName};
use tokio::{sync::Semaphore, task::JoinSet};

use super::kubernetes::{
    Client, KubernetesError,
    preparation::{Unprepared, prepare},
    unseal,
};
use crate::{
    commands::{Cause, CommandError, FinishPreparation, Giver, holder, load},
    services::Services,
};

/// Projects prepared at once.
const PREPARATIONS_MAX: usize = 4;
/// How often a cluster that does not answer is asked again before that is the outcome, and the first pause between.
const RETRIES_MAX: u32 = 5;
const RETRY_MIN: Duration = Duration::from_secs(1);
/// How long it waits when the log is out of reach.
const LOG_RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Preparations {
    services: Services,
    places: Arc<Semaphore>,
}

/// Why a project is not prepared.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Unprepared(#[source] Unprepared),
    #[error("the cluster's kubeconfig cannot be had")]
    Kubeconfig(#[source] super::kubernetes::UnsealError),
    #[error("the project's cluster is no Kubernetes")]
    NoCluster,
}

impl Preparations {
    #[must_use]
    pub fn new(services: Services) -> Self {
        let places = Arc::new(Semaphore::new(PREPARATIONS_MAX));
        Self { services, places }
    }

    /// Takes up what is wanted, then follows the log until it is closed.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the views cannot be read at the start, or the log holds an event this program does not know.
    pub async fn run(self) -> Result<(), CommandError> {
        let mut under_way = JoinSet::new();
        let position = self.services.views.position();
        for project in self.services.views.read(projections::tenancy::preparing).await? {
            under_way.spawn(self.clone().take_up(project));
        }
        let mut events = self.services.log.subscribe(Position::new(position));
        loop {
            let batch = tokio::select! {
                batch = events.next() => batch,
                Some(_) = under_way.join_next() => continue,
            };
            match batch {
                Ok(batch) => {
                    for event in &batch {
                        if let Some(project) = called_for(event)? {
                            under_way.spawn(self.clone().take_up(project));
                        }
                    }
                }
                Err(ReadError::Closed) => return Ok(()),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "projects are not prepared: the log could not be read"
                    );
                    tokio::time::sleep(LOG_RETRY_INTERVAL).await;
                }
            }
        }
    }

    async fn take_up(self, project: ProjectId) {
        let Ok(_place) = self.places.acquire().await else {
            return;
        };
        while let Err(error) = self.drive(project).await {
            tracing::error!(%project, error = &error as &dyn std::error::Error, "a project could not be prepared");
            tokio::time::sleep(LOG_RETRY_INTERVAL).await;
        }
    }

    async fn drive(&self, id: ProjectId) -> Result<(), CommandError> {
        let mut pause = RETRY_MIN;
        let mut retries = 0;
        loop {
            // What counts is what is wanted now.
            let project = load::<Project>(&self.services.log, id).await?;
            let Some((project, cause)) = project.zip(self.asked_for_by(id).await?) else {
                return Ok(());
            };
            if !matches!(project.readiness, Readiness::Preparing(_)) {
                return Ok(());
            }
            let result = match self.make(id, &project).await? {
                Err(failed) if failed.may_pass() && retries < RETRIES_MAX => {
                    retries += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    continue;
                }
                Err(failed) => Err((failed.reason(), self.seal(id, &failed).await?)),
                Ok(()) => Ok(()),
            };
            let finish = FinishPreparation { project: id, result };
            return self
                .services
                .commands
                .run(Giver::Reaction(cause), &finish)
                .await
                .map(drop);
        }
    }

    async fn make(&self, id: ProjectId, project: &Project) -> Result<Result<(), Failed>, CommandError> {
        let Readiness::Preparing(preparation) = project.readiness else {
            return Ok(Ok(()));
        };
        let cluster = load::<Cluster>(&self.services.log, project.cluster).await?;
        let Some(link) = cluster.and_then(|cluster| cluster.link) else {
            return Ok(Err(Failed::NoCluster));
        };
        let kubeconfig = match unseal(&self.services.vault, &link.kubeconfig).await {
            Ok(kubeconfig) => kubeconfig,
            Err(error) => return Ok(Err(Failed::Kubeconfig(error))),
        };
        let prepared = async {
            let client = Client::new(&kubeconfig, self.services.limits.cluster_timeout)?;
            prepare(&client, id, &project.namespace, preparation).await
        };
        Ok(prepared.await.map_err(Failed::Unprepared))
    }

    async fn seal(&self, id: ProjectId, failed: &Failed) -> Result<domain::digest::Sealed, CommandError> {
        let causes = std::iter::successors(std::error::Error::source(failed), |cause| cause.source());
        // The first cause is what the failure itself says.
        let words = causes
            .skip(1)
            .fold(failed.to_string(), |text, cause| format!("{text}: {cause}"));
        Ok(self.services.vault.seal(&holder::<Project>(id), &words).await?)
    }

    /// The event that asked for the preparation that is under way.
    async fn asked_for_by(&self, project: ProjectId) -> Result<Option<Cause>, CommandError> {
        let stream = StreamName::new(Project::CATEGORY, project).map_err(CommandError::internal)?;
        let events = self.services.log.read_stream(&stream, Revision::NONE).await?;
        for event in events.iter().rev() {
            if called_for(event)?.is_some() {
                return Cause::of(event).map(Some);
            }
        }
        Ok(None)
    }
}

impl Failed {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Unprepared(Unprepared::Kubernetes(error)) if error.is_unreachable())
            || matches!(
                self,
                Self::Unprepared(Unprepared::Kubernetes(KubernetesError::Conflict { .. }))
            )
    }

    const fn reason(&self) -> PreparationFailure {
        match self {
            Self::Unprepared(unprepared) => unprepared.reason(),
            Self::Kubeconfig(_) => PreparationFailure::CredentialsRefused,
            Self::NoCluster => PreparationFailure::ClusterFailed,
        }
    }
}

/// The project that `recorded` wants prepared, if it wants one.
fn called_for(recorded: &Recorded) -> Result<Option<ProjectId>, CommandError> {
    if recorded.stream.category() != Project::CATEGORY {
        return Ok(None);
    }
    let event = DomainEvent::restore(recorded.stream.category(), &recorded.name, &recorded.data);
    match event.map_err(CommandError::internal)? {
        DomainEvent::Project(event) if react(&event).is_some() => {
            recorded.stream.key().parse().map(Some).map_err(CommandError::internal)
        }
        _ => Ok(None),
    }
}
