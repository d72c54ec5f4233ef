//! Where a release runs: its project's namespace, and as whom Charthouse acts there.

use std::{path::Path, time::Duration};

use domain::{
    cluster::Link,
    ids::ProjectId,
    names::Namespace,
    project::{Preparation, Project, Readiness},
    release::FailureReason,
};
use tokio::{fs, io::AsyncWriteExt as _};

use super::{
    Client, KubernetesError, UnsealError, cluster,
    preparation::{self, Owner, Unprepared},
};
use crate::{
    effects::{helm::KUBECONFIG, operation::Report},
    kubeconfig::Kubeconfig,
    vault::Vault,
};

pub struct Site {
    id: ProjectId,
    readiness: Readiness,
    pub(super) namespace: Namespace,
    kubeconfig: Kubeconfig,
    /// Acts as the cluster's owner: for the namespace itself.
    owner: Client,
    /// Acts as Helm does.
    pub client: Client,
    /// Whom Helm acts as; `None` is the cluster's owner, for apps that an administrator lets reach the whole cluster.
    user: Option<String>,
}

/// What is known of a site before the cluster is spoken to.
pub struct SiteOf<'a> {
    pub vault: &'a Vault,
    /// How long one request may take.
    pub timeout: Duration,
    pub id: ProjectId,
    pub project: Project,
    pub link: &'a Link,
    /// Whether the release may reach the whole cluster.
    pub is_cluster_wide: bool,
}

/// Why a cluster cannot be spoken to at all.
#[derive(Debug, thiserror::Error)]
pub enum NoSite {
    #[error("the cluster's kubeconfig cannot be had")]
    Kubeconfig(#[from] UnsealError),
    #[error("the cluster's kubeconfig cannot be used")]
    Client(#[from] KubernetesError),
}

impl Site {
    /// # Errors
    ///
    /// [`NoSite`] if the kubeconfig is not there any more, or holds what does not parse any more.
    pub async fn of(site: SiteOf<'_>) -> Result<Self, NoSite> {
        let SiteOf { project, id, .. } = site;
        let kubeconfig = cluster::unseal(site.vault, &site.link.kubeconfig).await?;
        let owner = Client::new(&kubeconfig, site.timeout)?;
        let user = (!site.is_cluster_wide).then(|| preparation::user_of(&project.namespace));
        let client = user
            .as_deref()
            .map_or_else(|| owner.clone(), |user| owner.acting_as(user));
        Ok(Self {
            id,
            readiness: project.readiness,
            namespace: project.namespace,
            kubeconfig,
            owner,
            client,
            user,
        })
    }

    /// Whether a release may hold nothing beyond its namespace.
    pub(super) fn is_bounded(&self) -> bool {
        self.user.is_some()
    }

    /// Makes sure that the namespace is there and the project's. What was asked to be prepared and is not yet, is now.
    pub(super) async fn enter(&self) -> Result<(), Report> {
        if let Readiness::Preparing(preparation) = self.readiness {
            return self.prepare(preparation).await;
        }
        if let Readiness::Failed(_) = self.readiness {
            return self.prepare(Preparation { adopt: false }).await;
        }
        match self.owner_of_namespace().await? {
            Owner::Project(project) if project == self.id.to_string() => Ok(()),
            Owner::Missing | Owner::Terminating => Err(Report::said(
                FailureReason::NamespaceMissing,
                format!("the namespace {} is not on the cluster any more", self.namespace),
            )),
            Owner::Project(_) | Owner::Nobody { .. } => Err(Report::said(
                FailureReason::NamespaceMissing,
                format!("the namespace {} is not this project's any more", self.namespace),
            )),
        }
    }

    /// Whether there is still something of the project on the cluster.
    pub(super) async fn is_there(&self) -> Result<bool, Report> {
        let owner = self.owner_of_namespace().await?;
        Ok(owner == Owner::Project(self.id.to_string()))
    }

    async fn owner_of_namespace(&self) -> Result<Owner, Report> {
        let owner = preparation::owner(&self.owner, &self.namespace).await;
        owner.map_err(|error| failed(&error))
    }

    async fn prepare(&self, preparation: Preparation) -> Result<(), Report> {
        let prepared = preparation::prepare(&self.owner, self.id, &self.namespace, preparation).await;
        prepared.map_err(|unprepared| match unprepared {
            Unprepared::Kubernetes(error) if error.is_unreachable() => failed(&error),
            unprepared => Report::failed(FailureReason::ProjectNotReady, &unprepared),
        })
    }

    /// Lets Helm in. The file is the server's alone, and goes with its folder.
    pub(super) async fn write_kubeconfig(&self, scratch: &Path) -> Result<(), Report> {
        let file = self.kubeconfig.file(self.user.as_deref());
        let written = write_private(&scratch.join(KUBECONFIG), file.as_bytes()).await;
        written.map_err(|error| Report::cluster_failed(&error))
    }
}

/// What a request that failed means for a release.
pub(super) fn failed(error: &KubernetesError) -> Report {
    let reason = match error {
        error if error.is_unreachable() => FailureReason::ClusterUnreachable,
        KubernetesError::CredentialsRefused { .. } | KubernetesError::Kubeconfig(_) => {
            FailureReason::CredentialsRefused
        }
        _ => FailureReason::ClusterFailed,
    };
    Report::failed(reason, error)
}

async fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).await?;
    file.write_all(content).await?;
    file.flush().await
}
