//! Bringing a release to what is wanted of it, by Helm.
//!
//! Before Helm runs it is found out what an earlier one really did: finished, died over it, or never came so far. So an
//! attempt may be made again at any instant, and ends with one release.

use std::path::Path;

use domain::release::{Deployment, FailureReason, OperationKind};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{
    Client, KubernetesError, Site,
    records::{self, ATTEMPT_LABEL, DEPLOYMENT_LABEL, RELEASE_LABEL, Record},
    release_size::{RECORD_MAX_BYTES, record_bytes},
    scope::{self, OutOfScope},
    site::failed,
};
use crate::effects::{
    helm::{Capabilities, HelmError, Named, Template, Upgrade},
    operation::{CHART, Inputs, Report, Task, scratch, write_inputs},
};

/// One attempt at a deployment.
struct Run<'a> {
    task: &'a Task<'a>,
    site: &'a Site,
    scratch: &'a Path,
    inputs: &'a Inputs,
    /// What it is that is deployed, as a label.
    deployment: String,
}

/// Makes what is wanted run.
pub(in crate::effects) async fn deploy(task: &Task<'_>, site: &Site) -> Result<Report, Report> {
    site.enter().await?;
    let scratch = scratch(task)?;
    let inputs = write_inputs(task, scratch.path()).await?;
    let run = Run {
        task,
        site,
        scratch: scratch.path(),
        inputs: &inputs,
        deployment: label_of(&task.release.wanted),
    };
    let rendered = run.render().await?;
    let earlier = run.records().await?;
    if let Some(foreign) = earlier.last().filter(|record| !record.is_of(&task.id.to_string())) {
        return Err(name_taken(&run, foreign));
    }
    site.write_kubeconfig(scratch.path()).await?;
    if earlier
        .last()
        .is_some_and(|record| record.has_deployed(&run.deployment))
    {
        return run.report("an earlier attempt had finished it".to_owned()).await;
    }
    run.settle(&earlier).await?;
    run.upgrade(&rendered).await
}

impl Run<'_> {
    /// Renders the chart as this cluster would have it, without letting it look into the cluster, and refuses what
    /// reaches beyond the project.
    async fn render(&self) -> Result<String, Report> {
        let client = &self.site.client;
        let cluster = capabilities(client).await.map_err(|error| failed(&error))?;
        let template = Template {
            release: self.task.release.name.as_str(),
            namespace: self.site.namespace.as_str(),
            chart: CHART,
            values: self.inputs.values_file(),
            is_upgrade: self.task.operation == OperationKind::Upgrade,
            cluster: Some(&cluster),
            scratch: self.scratch,
        };
        let rendered = self.task.helm.template(&template).await;
        let manifest = rendered.map_err(|error| Report::of_helm(&error))?.manifest;
        if self.site.is_bounded() {
            let checked = scope::check(client, &manifest, self.site.namespace.as_str()).await;
            checked.map_err(|error| match error {
                OutOfScope::Kubernetes(error) => failed(&error),
                error => Report::failed(FailureReason::ScopeRefused, &error),
            })?;
        }
        Ok(manifest)
    }

    async fn upgrade(&self, rendered: &str) -> Result<Report, Report> {
        let labels = [
            format!("{RELEASE_LABEL}={}", self.task.id),
            format!("{ATTEMPT_LABEL}={}", self.task.attempt),
            format!("{DEPLOYMENT_LABEL}={}", self.deployment),
        ];
        let upgrade = Upgrade {
            release: self.task.release.name.as_str(),
            namespace: self.site.namespace.as_str(),
            chart: CHART,
            values: self.inputs.values_file(),
            labels: &labels,
            wait: self.task.helm.wait_max(),
            scratch: self.scratch,
        };
        let started = Instant::now();
        match self.task.helm.upgrade(&upgrade).await {
            Ok(words) => self.report(words).await,
            Err(error) => {
                let is_waited_for = started.elapsed() >= upgrade.wait;
                Err(self.explain(error, rendered, is_waited_for).await)
            }
        }
    }

    /// What runs now, in Helm's own record of it.
    async fn report(&self, words: String) -> Result<Report, Report> {
        let manifest = self.task.helm.manifest(&self.named()).await;
        let manifest = manifest.map_err(|error| Report::of_helm(&error))?;
        Ok(Report::runs(manifest, words))
    }

    /// Why Helm failed, as far as it shows in anything but Helm's words.
    async fn explain(&self, error: HelmError, rendered: &str, is_waited_for: bool) -> Report {
        let HelmError::Failed { output } = error else {
            // It was killed over it: what it left is not under way any more.
            if let Ok(left) = self.records().await
                && let Err(unsettled) = self.settle(&left).await
            {
                tracing::warn!(release = %self.task.id, reason = ?unsettled.result.err(), "what a killed helm left is unsettled");
            }
            return Report::of_helm(&error);
        };
        let said = |reason| Report::said(reason, output.clone());
        // The cluster may have been lost under way.
        let records = match self.site.enter().await {
            Ok(()) => self.records().await,
            Err(lost) => Err(lost),
        };
        let records = match records {
            Ok(records) => records,
            Err(lost) => {
                let reason = lost.result.err().unwrap_or(FailureReason::ClusterFailed);
                return Report::said(reason, format!("{}\n{output}", lost.output));
            }
        };
        let is_recorded = records
            .iter()
            .any(|record| record.is_by(&self.task.attempt.to_string()));
        let values = self.inputs.values.as_deref().unwrap_or_default();
        let bytes = record_bytes(&self.inputs.chart, rendered, values).unwrap_or_default();
        if is_recorded && is_waited_for {
            said(FailureReason::NotReady)
        } else if !is_recorded && bytes > RECORD_MAX_BYTES {
            said(FailureReason::ReleaseTooLarge)
        } else {
            said(FailureReason::HelmFailed)
        }
    }

    async fn records(&self) -> Result<Vec<Record>, Report> {
        let (namespace, release) = (self.site.namespace.as_str(), self.task.release.name.as_str());
        let records = records::of(&self.site.client, namespace, release).await;
        records.map_err(|error| failed(&error))
    }

    async fn settle(&self, records: &[Record]) -> Result<(), Report> {
        let settled = records::settle(&self.site.client, self.site.namespace.as_str(), records).await;
        settled.map_err(|error| failed(&error))
    }

    fn named(&self) -> Named<'_> {
        Named {
            release: self.task.release.name.as_str(),
            namespace: self.site.namespace.as_str(),
            scratch: self.scratch,
        }
    }
}

fn name_taken(run: &Run<'_>, foreign: &Record) -> Report {
    let (release, namespace) = (&run.task.release.name, &run.site.namespace);
    let words = format!(
        "the namespace {namespace} has a release {release} (revision {}) that Charthouse did not install as this one",
        foreign.revision
    );
    Report::said(FailureReason::NameTaken, words)
}

/// Tells deployments apart: the same bytes with the same values are the same. A label holds at most 63 characters.
fn label_of(wanted: &Deployment) -> String {
    let values = wanted.values.as_ref().map(|values| values.digest.to_string());
    let what = format!("{} {} {}", wanted.version, wanted.digest, values.unwrap_or_default());
    hex::encode(&Sha256::digest(what.as_bytes())[..20])
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: String,
}

async fn capabilities(client: &Client) -> Result<Capabilities, KubernetesError> {
    let missing = |what: &str| KubernetesError::NotKubernetes {
        problem: format!("it has no {what}"),
    };
    let version: Option<Version> = client.get("/version").await?;
    let groups: Option<Groups> = client.get("/apis").await?;
    let groups = groups.ok_or_else(|| missing("API groups"))?.groups;
    let versions = groups.into_iter().flat_map(|group| group.versions);
    Ok(Capabilities {
        version: version.ok_or_else(|| missing("version"))?.git_version,
        api_versions: versions.map(|version| version.group_version).collect(),
    })
}
