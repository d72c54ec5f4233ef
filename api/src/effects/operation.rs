//! One operation of one release, done to its cluster: what an attempt consists of.
//!
//! Everything here may be done twice without harm: what is wanted is recorded, and what is there is looked at first.

use std::path::Path;

use domain::{
    cluster::Cluster,
    ids::{AttemptId, ReleaseId},
    names::{ClusterName, Namespace},
    project::Project,
    release::{FailureReason, OperationKind, Release},
};
use tempfile::TempDir;
use tokio::fs;

use super::{
    directory,
    helm::{Helm, HelmError},
    kubernetes::{self, Site, SiteOf},
};
use crate::{causes::with_causes, commands::load, services::Services};

/// Names in an attempt's own folder. Helm runs in it, so that its words show no path of the server.
pub(super) const CHART: &str = "chart.tgz";
const VALUES: &str = "values.yaml";

/// What an attempt is about.
pub(super) struct Task<'a> {
    pub(super) services: &'a Services,
    /// For this attempt: see [`Helm::for_attempt`].
    pub(super) helm: &'a Helm,
    pub(super) id: ReleaseId,
    pub(super) attempt: AttemptId,
    pub(super) release: &'a Release,
    pub(super) operation: OperationKind,
    /// Of an uninstall: it ends even if something has to be left behind.
    pub(super) forced: bool,
}

/// What an attempt came to, before it is sealed and reported.
pub(super) struct Report {
    pub(super) result: Result<Outcome, FailureReason>,
    /// What was said about it.
    pub(super) output: String,
}

pub(super) enum Outcome {
    /// What runs now.
    Runs { manifest: String },
    /// Nothing runs any more. `remains` is what a forced removal had to leave behind.
    Gone { remains: Vec<String> },
}

impl Report {
    pub(super) fn runs(manifest: String, output: String) -> Self {
        let result = Ok(Outcome::Runs { manifest });
        Self { result, output }
    }

    pub(super) fn gone(remains: Vec<String>, output: String) -> Self {
        let result = Ok(Outcome::Gone { remains });
        Self { result, output }
    }

    /// A failure in the words of `error` and its causes.
    pub(super) fn failed(reason: FailureReason, error: &dyn std::error::Error) -> Self {
        Self::said(reason, with_causes(error))
    }

    pub(super) fn said(reason: FailureReason, words: impl Into<String>) -> Self {
        Self {
            result: Err(reason),
            output: words.into(),
        }
    }

    pub(super) fn cluster_failed(error: &dyn std::error::Error) -> Self {
        Self::failed(FailureReason::ClusterFailed, error)
    }

    /// What a failed run of Helm means where nothing more is known.
    pub(super) fn of_helm(error: &HelmError) -> Self {
        let reason = match error {
            HelmError::Failed { output } => return Self::said(FailureReason::HelmFailed, output),
            HelmError::Timeout { .. } | HelmError::Killed { .. } => FailureReason::HelmTimeout,
            HelmError::Missing { .. } => FailureReason::HelmMissing,
            HelmError::OutputTooLarge { .. } | HelmError::NotText | HelmError::Io(_) => FailureReason::HelmFailed,
        };
        Self::failed(reason, error)
    }
}

/// The chart and the values of an attempt, in its folder.
pub(super) struct Inputs {
    pub(super) chart: bytes::Bytes,
    /// The text, if there are values.
    pub(super) values: Option<String>,
}

impl Inputs {
    /// The name of the values' file, if there is one.
    pub(super) fn values_file(&self) -> Option<&'static str> {
        self.values.as_ref().map(|_| VALUES)
    }
}

/// Does it, and tells what came of it; never fails to tell.
pub(super) async fn perform(task: &Task<'_>) -> Report {
    done(task).await.unwrap_or_else(|report| report)
}

async fn done(task: &Task<'_>) -> Result<Report, Report> {
    let deploys = task.operation != OperationKind::Uninstall;
    match place(task).await? {
        Place::Directory { cluster, namespace } if deploys => directory::deploy(task, &cluster, &namespace).await,
        Place::Directory { cluster, namespace } => directory::remove(task, &cluster, &namespace).await,
        Place::Kubernetes(site) if deploys => kubernetes::deploy(task, &site).await,
        Place::Kubernetes(site) => kubernetes::remove(task, &site).await,
    }
}

/// Where a release runs.
pub(super) enum Place {
    Directory { cluster: ClusterName, namespace: Namespace },
    Kubernetes(Box<Site>),
}

/// Finds out where the release of a task runs. No cluster is spoken to for that.
pub(super) async fn place(task: &Task<'_>) -> Result<Place, Report> {
    let gone = || Report::said(FailureReason::ClusterFailed, "the release's project or cluster is gone");
    let log = &task.services.log;
    let project = load::<Project>(log, task.release.project).await;
    let project = project
        .map_err(|error| Report::cluster_failed(&error))?
        .ok_or_else(gone)?;
    let cluster = load::<Cluster>(log, project.cluster).await;
    let cluster = cluster
        .map_err(|error| Report::cluster_failed(&error))?
        .ok_or_else(gone)?;
    let Some(link) = &cluster.link else {
        return Ok(Place::Directory {
            cluster: cluster.name,
            namespace: project.namespace,
        });
    };
    let site = Site::of(SiteOf {
        vault: &task.services.vault,
        timeout: task.services.limits.cluster_timeout,
        id: task.release.project,
        project,
        link,
        is_cluster_wide: cluster.cluster_wide.contains(&task.release.app),
    });
    match site.await {
        Ok(site) => Ok(Place::Kubernetes(Box::new(site))),
        Err(error) => Err(Report::failed(FailureReason::CredentialsRefused, &error)),
    }
}

/// A folder of this attempt's own. Values are secret: it is the server's alone, and emptied when it starts.
pub(super) fn scratch(task: &Task<'_>) -> Result<TempDir, Report> {
    tempfile::tempdir_in(task.services.data.scratch()).map_err(|error| Report::cluster_failed(&error))
}

/// Puts the chart, and the values if there are any, into `folder`.
pub(super) async fn write_inputs(task: &Task<'_>, folder: &Path) -> Result<Inputs, Report> {
    let unavailable = |error: &dyn std::error::Error| Report::failed(FailureReason::ContentUnavailable, error);
    let gone = |what: &str| Report::said(FailureReason::ContentUnavailable, what);
    let wanted = &task.release.wanted;
    let chart = task.services.content.get(wanted.digest).await;
    let chart = chart
        .map_err(|error| unavailable(&error))?
        .ok_or_else(|| gone("the chart's bytes were removed from this store"))?;
    let written = fs::write(folder.join(CHART), &chart).await;
    written.map_err(|error| Report::cluster_failed(&error))?;
    let Some(sealed) = &wanted.values else {
        return Ok(Inputs { chart, values: None });
    };
    let values = task.services.vault.unseal(sealed).await;
    let values = values
        .map_err(|error| unavailable(&error))?
        .ok_or_else(|| gone("the release's values were erased"))?;
    let written = fs::write(folder.join(VALUES), &values).await;
    written.map_err(|error| Report::cluster_failed(&error))?;
    let values = Some(String::from_utf8_lossy(&values).into_owned());
    Ok(Inputs { chart, values })
}
