//! A cluster that is a folder: one file of manifests per release, as a GitOps tool takes it over.
//!
//! `<root>/<cluster>/<namespace>/<release>/manifest.yaml`. A file is replaced whole, never half.

use std::{io, path::PathBuf};

use domain::{
    names::{ClusterName, Namespace},
    release::OperationKind,
};
use tokio::{fs, io::AsyncWriteExt as _};

use super::{
    helm::{Rendered, Template},
    operation::{CHART, Report, Task, scratch, write_inputs},
};

const MANIFEST: &str = "manifest.yaml";

/// Renders what is wanted, and makes it what the folder holds.
pub(super) async fn deploy(task: &Task<'_>, cluster: &ClusterName, namespace: &Namespace) -> Result<Report, Report> {
    let scratch = scratch(task)?;
    let inputs = write_inputs(task, scratch.path()).await?;
    let template = Template {
        release: task.release.name.as_str(),
        namespace: namespace.as_str(),
        chart: CHART,
        values: inputs.values_file(),
        is_upgrade: task.operation == OperationKind::Upgrade,
        cluster: None,
        scratch: scratch.path(),
    };
    let rendered = task.helm.template(&template).await;
    let Rendered { manifest, output } = rendered.map_err(|error| Report::of_helm(&error))?;
    let applied = Directory::of_task(task, cluster, namespace).apply(&manifest).await;
    applied.map_err(|error| Report::cluster_failed(&error))?;
    Ok(Report::runs(manifest, output))
}

pub(super) async fn remove(task: &Task<'_>, cluster: &ClusterName, namespace: &Namespace) -> Result<Report, Report> {
    let removed = Directory::of_task(task, cluster, namespace).remove().await;
    removed.map_err(|error| Report::cluster_failed(&error))?;
    Ok(Report::gone(vec![], String::new()))
}

struct Directory {
    root: PathBuf,
}

impl Directory {
    fn of_task(task: &Task<'_>, cluster: &ClusterName, namespace: &Namespace) -> Self {
        let clusters = task.services.data.clusters();
        Self::of(
            &clusters,
            cluster.as_str(),
            namespace.as_str(),
            task.release.name.as_str(),
        )
    }

    /// Where a release of a project is written. All names are checked values without separators.
    fn of(clusters: &std::path::Path, cluster: &str, namespace: &str, release: &str) -> Self {
        Self {
            root: clusters.join(cluster).join(namespace).join(release),
        }
    }

    /// Makes `manifest` what runs. Doing it again changes nothing.
    async fn apply(&self, manifest: &str) -> io::Result<()> {
        fs::create_dir_all(&self.root).await?;
        let next = self.root.join(".manifest.yaml.next");
        let mut file = fs::File::create(&next).await?;
        file.write_all(manifest.as_bytes()).await?;
        file.sync_all().await?;
        fs::rename(&next, self.root.join(MANIFEST)).await?;
        // The new name is durable once the folder is.
        fs::File::open(&self.root).await?.sync_all().await
    }

    /// Takes the release away. Doing it again changes nothing.
    async fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.root).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manifest_is_replaced_and_removed_however_often_it_is_asked() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::of(root.path(), "local", "demo", "redis");
        let file = root.path().join("local/demo/redis/manifest.yaml");
        for manifest in ["a: 1\n", "a: 1\n", "a: 2\n"] {
            directory.apply(manifest).await.unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), manifest);
        }
        directory.remove().await.unwrap();
        directory.remove().await.unwrap();
        assert!(!file.exists());
    }
}
