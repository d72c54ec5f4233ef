//! One operation of one release, done to the cluster: what an attempt consists of.
//!
//! Everything here may be done twice without harm: a manifest is rendered from recorded bytes and replaces a file.

use std::path::Path;

use domain::{
    cluster::{self, Cluster},
    project::Project,
    release::{FailureReason, OperationKind, Release},
};

use super::{
    directory::Directory,
    helm::{Helm, HelmError, Rendered, Template},
};
use crate::{commands::load, services::Services};

/// Names in an attempt's own folder. Helm runs in it, so that its words show no path of the server.
const CHART: &str = "chart.tgz";
const VALUES: &str = "values.yaml";

/// What an attempt came to, before it is sealed and reported.
pub(super) struct Report {
    /// What runs now, or nothing any more; or why it failed.
    pub(super) result: Result<Option<String>, FailureReason>,
    /// All that was said about it.
    pub(super) output: String,
}

/// Does it, and tells what came of it; never fails to tell.
pub(super) async fn perform(services: &Services, helm: &Helm, release: &Release, operation: OperationKind) -> Report {
    let done = match operation {
        OperationKind::Install | OperationKind::Upgrade => deploy(services, helm, release, operation).await,
        OperationKind::Uninstall => remove(services, release).await,
    };
    done.unwrap_or_else(|report| report)
}

async fn deploy(
    services: &Services,
    helm: &Helm,
    release: &Release,
    operation: OperationKind,
) -> Result<Report, Report> {
    let (directory, namespace) = place(services, release).await?;
    // Values are secret: the folder is the server's own, and emptied when it starts.
    let scratch = tempfile::tempdir_in(services.data.scratch()).map_err(|error| cluster_failed(&error))?;
    let has_values = write_inputs(services, release, scratch.path()).await?;
    let template = Template {
        release: release.name.as_str(),
        namespace: &namespace,
        chart: CHART,
        values: has_values.then_some(VALUES),
        is_upgrade: operation == OperationKind::Upgrade,
        scratch: scratch.path(),
    };
    let Rendered { manifest, output } = helm.template(&template).await.map_err(|error| refused(&error))?;
    directory
        .apply(&manifest)
        .await
        .map_err(|error| cluster_failed(&error))?;
    Ok(Report {
        result: Ok(Some(manifest)),
        output,
    })
}

async fn remove(services: &Services, release: &Release) -> Result<Report, Report> {
    let (directory, _) = place(services, release).await?;
    directory.remove().await.map_err(|error| cluster_failed(&error))?;
    Ok(Report {
        result: Ok(None),
        output: String::new(),
    })
}

/// Puts the chart, and the values if there are any, into `scratch`; says whether there are.
async fn write_inputs(services: &Services, release: &Release, scratch: &Path) -> Result<bool, Report> {
    let unavailable = |error: &dyn std::error::Error| failed(FailureReason::ContentUnavailable, error);
    let gone = |what| said(FailureReason::ContentUnavailable, what);
    let archive = services.content.get(release.wanted.digest).await;
    let archive = archive
        .map_err(|error| unavailable(&error))?
        .ok_or_else(|| gone("the chart's bytes were removed from this store"))?;
    let write = |name, bytes: Vec<u8>| tokio::fs::write(scratch.join(name), bytes);
    write(CHART, archive.to_vec())
        .await
        .map_err(|error| cluster_failed(&error))?;
    let Some(sealed) = &release.wanted.values else {
        return Ok(false);
    };
    let values = services.vault.unseal(sealed).await;
    let values = values
        .map_err(|error| unavailable(&error))?
        .ok_or_else(|| gone("the release's values were erased"))?;
    write(VALUES, values.to_vec())
        .await
        .map_err(|error| cluster_failed(&error))?;
    Ok(true)
}

/// The folder a release is rendered into, and its namespace.
async fn place(services: &Services, release: &Release) -> Result<(Directory, String), Report> {
    let gone = || said(FailureReason::ClusterFailed, "the release's project or cluster is gone");
    let project = load::<Project>(&services.log, release.project).await;
    let project = project.map_err(|error| cluster_failed(&error))?.ok_or_else(gone)?;
    let cluster = load::<Cluster>(&services.log, project.cluster).await;
    let cluster = cluster.map_err(|error| cluster_failed(&error))?.ok_or_else(gone)?;
    let namespace = project.namespace.to_string();
    let clusters = services.data.clusters();
    let directory = match cluster.kind {
        cluster::Kind::Directory => Directory::of(&clusters, cluster.name.as_str(), &namespace, release.name.as_str()),
    };
    Ok((directory, namespace))
}

fn refused(error: &HelmError) -> Report {
    let reason = match error {
        HelmError::Failed { output } => return said(FailureReason::HelmFailed, output),
        HelmError::Timeout { .. } => FailureReason::HelmTimeout,
        HelmError::Missing { .. } => FailureReason::HelmMissing,
        HelmError::OutputTooLarge { .. } | HelmError::NotText | HelmError::Io(_) => FailureReason::HelmFailed,
    };
    failed(reason, error)
}

fn cluster_failed(error: &dyn std::error::Error) -> Report {
    failed(FailureReason::ClusterFailed, error)
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
