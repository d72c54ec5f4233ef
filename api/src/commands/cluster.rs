//! Clusters: registering them, looking at them, and what apps may do to them as a whole.
//!
//! A cluster is asked who it is while the command is decided. That changes nothing there; what it answers is recorded only
//! if it is something new.

use domain::{
    access::Place,
    cluster::{Cluster, Command as Do, Found, Kubernetes, Link, Rejection},
    ids::{AppId, ClusterId},
    name::Claim,
    names::ClusterName,
    permission::Permission,
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};
use crate::{
    causes::with_causes,
    effects::kubernetes::{Client, KubernetesError, UnsealError, probe, trouble, unseal},
    ids,
    kubeconfig::Kubeconfig,
};

#[derive(Debug, Serialize)]
pub struct RegisterCluster {
    pub name: ClusterName,
    /// `None` registers a folder of rendered manifests.
    pub kubeconfig: Option<Kubeconfig>,
}

impl Command for RegisterCluster {
    const NAME: &'static str = "RegisterCluster";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::ClusterManage, Place::Platform)?;
        let id = ClusterId::from_uuid(ids::fresh());
        let own = holder::<Cluster>(id);
        let kubernetes = match &self.kubeconfig {
            Some(kubeconfig) => Some(kubernetes(work, &own, kubeconfig).await?),
            None => None,
        };
        let uid = kubernetes.as_ref().map(|kubernetes| kubernetes.uid);
        let register = Do::Register {
            name: self.name.clone(),
            kubernetes,
        };
        work.decide::<Cluster>(id, register).await?;
        work.take_name(&Claim::Cluster(self.name.clone()), &own).await?;
        if let Some(uid) = uid {
            let taken = work.take_name(&Claim::ClusterUid(uid), &own).await;
            taken.map_err(|error| match error {
                error if error.is("NAME_TAKEN") => CommandError::rejected(Rejection::Exists),
                error => error,
            })?;
        }
        Ok(Target::Cluster(id))
    }
}

/// Reaches the same cluster in another way from now on.
#[derive(Debug, Serialize)]
pub struct ReplaceKubeconfig {
    pub cluster: ClusterId,
    pub kubeconfig: Kubeconfig,
}

impl Command for ReplaceKubeconfig {
    const NAME: &'static str = "ReplaceKubeconfig";

    fn target(&self) -> Option<Target> {
        Some(Target::Cluster(self.cluster))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        managed(work, self.cluster).await?;
        let own = holder::<Cluster>(self.cluster);
        let Kubernetes {
            uid,
            version,
            kubeconfig,
        } = kubernetes(work, &own, &self.kubeconfig).await?;
        let found = Found { uid, version };
        work.decide::<Cluster>(self.cluster, Do::ReplaceKubeconfig { kubeconfig, found })
            .await?;
        Ok(Target::Cluster(self.cluster))
    }
}

/// Looks whether the cluster is there, and still the one it was.
#[derive(Debug, Serialize)]
pub struct CheckCluster {
    pub cluster: ClusterId,
}

impl Command for CheckCluster {
    const NAME: &'static str = "CheckCluster";

    fn target(&self) -> Option<Target> {
        Some(Target::Cluster(self.cluster))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let link = managed(work, self.cluster).await?;
        let kubeconfig = match unseal(&work.commands.vault, &link.kubeconfig).await {
            Err(UnsealError::Vault(error)) => return Err(error.into()),
            kubeconfig => kubeconfig.map_err(CommandError::internal)?,
        };
        let found = find(work, &kubeconfig).await.map_err(|error| trouble(&error));
        work.decide::<Cluster>(self.cluster, Do::Check { found }).await?;
        Ok(Target::Cluster(self.cluster))
    }
}

/// Lets releases of an app hold objects of the whole cluster, or no longer.
#[derive(Debug, Serialize)]
pub struct SetClusterScope {
    pub cluster: ClusterId,
    pub app: AppId,
    pub allowed: bool,
}

impl Command for SetClusterScope {
    const NAME: &'static str = "SetClusterScope";

    fn target(&self) -> Option<Target> {
        Some(Target::Cluster(self.cluster))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        managed(work, self.cluster).await?;
        let app = self.app;
        let command = if self.allowed {
            work.visible_app(app).await?;
            Do::AllowClusterScope { app }
        } else {
            Do::ForbidClusterScope { app }
        };
        work.decide::<Cluster>(self.cluster, command).await?;
        Ok(Target::Cluster(self.cluster))
    }
}

/// A Kubernetes cluster that the giver manages.
async fn managed(work: &mut Work<'_>, id: ClusterId) -> Result<Link, CommandError> {
    work.authorize(Permission::ClusterManage, Place::Platform)?;
    let cluster = work.load::<Cluster>(id).await?;
    let cluster = cluster.ok_or(CommandError::NotFound("cluster"))?;
    cluster
        .link
        .ok_or_else(|| CommandError::rejected(Rejection::NotKubernetes))
}

/// What answers at a kubeconfig's address, with the kubeconfig sealed under the key of `subject`.
async fn kubernetes(work: &mut Work<'_>, subject: &str, kubeconfig: &Kubeconfig) -> Result<Kubernetes, CommandError> {
    let Found { uid, version } = find(work, kubeconfig).await.map_err(|error| not_found(&error))?;
    let text = serde_json::to_string(kubeconfig).map_err(CommandError::internal)?;
    Ok(Kubernetes {
        uid,
        version,
        kubeconfig: work.seal(subject, &text).await?,
    })
}

async fn find(work: &Work<'_>, kubeconfig: &Kubeconfig) -> Result<Found, KubernetesError> {
    let client = Client::new(kubeconfig, work.commands.limits.cluster_timeout)?;
    probe(&client).await
}

fn not_found(error: &KubernetesError) -> CommandError {
    let code = match trouble(error) {
        domain::cluster::Trouble::Unreachable => "CLUSTER_UNREACHABLE",
        domain::cluster::Trouble::Untrusted => "CLUSTER_UNTRUSTED",
        domain::cluster::Trouble::CredentialsRefused => "CLUSTER_CREDENTIALS_REFUSED",
        domain::cluster::Trouble::RightsMissing => "CLUSTER_RIGHTS_MISSING",
        domain::cluster::Trouble::AnotherCluster | domain::cluster::Trouble::Failed => "CLUSTER_FAILED",
    };
    CommandError::Invalid {
        code,
        message: with_causes(error),
        path: vec!["input", "kubeconfig"],
    }
}
