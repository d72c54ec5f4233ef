//! Follows the log for projects that want a place on their cluster, makes it, and reports back by commands.
//!
//! At its start it takes up every project that is being prepared, whoever began it. Making a place again changes nothing,
//! and only the first outcome counts, so it may be killed at any instant and run in several processes.

use std::{sync::Arc, time::Duration};

use domain::{
    cluster::Cluster,
    event::DomainEvent,
    ids::ProjectId,
    project::{self, PreparationFailure, Project, Readiness, react},
};
use eventstore::Recorded;
use tokio::sync::Semaphore;

use super::{
    following::{Follower, last_call, subject},
    kubernetes::{
        Client, KubernetesError, UnsealError,
        preparation::{Unprepared, prepare},
        unseal,
    },
};
use crate::{
    causes::with_causes,
    commands::{CommandError, FinishPreparation, Giver, decoded, holder, load},
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
    #[error(transparent)]
    Unprepared(Unprepared),
    #[error("the cluster's kubeconfig cannot be had")]
    Kubeconfig(#[source] UnsealError),
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
        let mut follower = Follower::of(&self.services);
        for project in self.services.views.read(projections::tenancy::preparing).await? {
            follower.begin(self.clone().take_up(project));
        }
        while let Some(events) = follower.next().await {
            for event in &events {
                if let Some(project) = called_for(event)? {
                    follower.begin(self.clone().take_up(project));
                }
            }
        }
        Ok(())
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
            let calls = |event: &project::Event| react(event).is_some();
            let cause = last_call::<Project>(&self.services.log, id, calls).await?;
            let Some((project, cause)) = project.zip(cause) else {
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
        let vault = &self.services.vault;
        Ok(vault.seal(&holder::<Project>(id), &with_causes(failed)).await?)
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
    match decoded(recorded)? {
        DomainEvent::Project(event) if react(&event).is_some() => subject(recorded).map(Some),
        _ => Ok(None),
    }
}
