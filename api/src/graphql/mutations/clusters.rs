//! Clusters: registering them, looking at them, and what apps may do to them as a whole.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, UserError, give, payload};
use crate::{
    commands::{CheckCluster, RegisterCluster, ReplaceKubeconfig, SetClusterScope},
    graphql::{clusters::Cluster, error::Result},
    kubeconfig::Kubeconfig,
};

#[derive(Default)]
pub struct ClusterMutation;

/// The Kubernetes cluster to register.
#[derive(InputObject)]
struct RegisterClusterInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name, unique on the platform: 1 to 63 characters of a-z, 0-9 and -.
    name: String,
    /// How to reach it: a kubeconfig with one current context, an https server with its authority, and a token or a client
    /// certificate. It is sealed, and never shown again.
    kubeconfig: String,
}

/// Another way to a cluster.
#[derive(InputObject)]
struct ReplaceKubeconfigInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The cluster.
    cluster: ID,
    /// As for `registerCluster`; it must lead to the same cluster.
    kubeconfig: String,
}

/// Which cluster to look at.
#[derive(InputObject)]
struct CheckClusterInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The cluster.
    cluster: ID,
}

/// Which app may do what to which cluster.
#[derive(InputObject)]
struct ClusterScopeInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The cluster.
    cluster: ID,
    /// The app.
    app: ID,
}

payload!(
    /// The cluster that was registered.
    RegisterClusterPayload {
        /// The cluster.
        cluster: Cluster
    }
);
payload!(
    /// The cluster with its new kubeconfig.
    ReplaceKubeconfigPayload {
        /// The cluster.
        cluster: Cluster
    }
);
payload!(
    /// The cluster as it was found.
    CheckClusterPayload {
        /// The cluster.
        cluster: Cluster
    }
);
payload!(
    /// The cluster that was opened to an app.
    AllowClusterScopePayload {
        /// The cluster.
        cluster: Cluster
    }
);
payload!(
    /// The cluster that was closed to an app.
    ForbidClusterScopePayload {
        /// The cluster.
        cluster: Cluster
    }
);

#[Object]
impl ClusterMutation {
    /// Registers a Kubernetes cluster, if it answers and is not registered yet. Needs `cluster.manage`.
    async fn register_cluster(&self, ctx: &Context<'_>, input: RegisterClusterInput) -> Result<RegisterClusterPayload> {
        let command = payload::name(&input.name, "name").and_then(|name| {
            let kubeconfig = Some(kubeconfig(&input.kubeconfig)?);
            Ok(RegisterCluster { name, kubeconfig })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Reaches a cluster in another way from now on, such as with a new token. Needs `cluster.manage`.
    async fn replace_kubeconfig(
        &self,
        ctx: &Context<'_>,
        input: ReplaceKubeconfigInput,
    ) -> Result<ReplaceKubeconfigPayload> {
        let command = payload::cluster(&input.cluster).and_then(|cluster| {
            let kubeconfig = kubeconfig(&input.kubeconfig)?;
            Ok(ReplaceKubeconfig { cluster, kubeconfig })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Looks whether a cluster is there, and still the one that was registered. What was found is recorded if it is new.
    /// Needs `cluster.manage`.
    async fn check_cluster(&self, ctx: &Context<'_>, input: CheckClusterInput) -> Result<CheckClusterPayload> {
        let command = payload::cluster(&input.cluster).map(|cluster| CheckCluster { cluster });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Lets releases of an app hold objects of the whole cluster and of other namespaces. Helm then acts as the cluster's
    /// kubeconfig says, and not as the project. Needs `cluster.manage`.
    async fn allow_cluster_scope(
        &self,
        ctx: &Context<'_>,
        input: ClusterScopeInput,
    ) -> Result<AllowClusterScopePayload> {
        Ok(give(ctx, input.command_id, scope(&input, true)).await?.into())
    }

    /// Keeps releases of an app within their namespaces again, from their next operation on. Needs `cluster.manage`.
    async fn forbid_cluster_scope(
        &self,
        ctx: &Context<'_>,
        input: ClusterScopeInput,
    ) -> Result<ForbidClusterScopePayload> {
        Ok(give(ctx, input.command_id, scope(&input, false)).await?.into())
    }
}

fn scope(input: &ClusterScopeInput, allowed: bool) -> std::result::Result<SetClusterScope, UserError> {
    Ok(SetClusterScope {
        cluster: payload::cluster(&input.cluster)?,
        app: payload::app(&input.app)?,
        allowed,
    })
}

fn kubeconfig(text: &str) -> std::result::Result<Kubeconfig, UserError> {
    let refused = |error: crate::kubeconfig::InvalidKubeconfig| {
        UserError::new(error.code(), error.to_string(), &["input", "kubeconfig"])
    };
    Kubeconfig::parse(text).map_err(refused)
}
