//! What answers at a cluster's address.

use domain::{
    cluster::{Found, Trouble},
    digest::Sealed,
};
use eventstore::VaultError;
use serde::Deserialize;
use uuid::Uuid;

use super::{Client, KubernetesError};
use crate::{kubeconfig::Kubeconfig, vault::Vault};

/// A version is a short word; anything else would not belong into the log.
const VERSION_MAX_CHARACTERS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: Uuid,
}

/// Why a kubeconfig cannot be had back.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    #[error("the kubeconfig was erased")]
    Erased,
    #[error("what was sealed is no kubeconfig")]
    Malformed(#[source] serde_json::Error),
}

/// The kubeconfig that an event names.
///
/// # Errors
///
/// [`UnsealError`] if it is not there any more, or the vault fails.
pub async fn unseal(vault: &Vault, sealed: &Sealed) -> Result<Kubeconfig, UnsealError> {
    let text = vault.unseal(sealed).await?.ok_or(UnsealError::Erased)?;
    serde_json::from_slice(&text).map_err(UnsealError::Malformed)
}

/// Asks who the cluster is. Changes nothing there.
///
/// # Errors
///
/// [`KubernetesError`] if it does not say.
pub async fn probe(client: &Client) -> Result<Found, KubernetesError> {
    let Some(Version { git_version }) = client.get("/version").await? else {
        return Err(not_kubernetes("it has no version"));
    };
    let is_word = git_version.chars().all(|character| character.is_ascii_graphic());
    if !is_word || git_version.len() > VERSION_MAX_CHARACTERS {
        return Err(not_kubernetes("its version is no version"));
    }
    let namespace: Option<Namespace> = client.get("/api/v1/namespaces/kube-system").await?;
    let namespace = namespace.ok_or_else(|| not_kubernetes("it has no namespace kube-system"))?;
    Ok(Found {
        uid: namespace.metadata.uid,
        version: git_version,
    })
}

/// What a failed request says about a cluster, as one code.
#[must_use]
pub const fn trouble(error: &KubernetesError) -> Trouble {
    match error {
        KubernetesError::Unreachable(_) | KubernetesError::Timeout { .. } => Trouble::Unreachable,
        KubernetesError::Untrusted(_) => Trouble::Untrusted,
        KubernetesError::CredentialsRefused { .. } | KubernetesError::Kubeconfig(_) => Trouble::CredentialsRefused,
        KubernetesError::RightsMissing { .. } => Trouble::RightsMissing,
        KubernetesError::Conflict { .. } | KubernetesError::Refused { .. } | KubernetesError::NotKubernetes { .. } => {
            Trouble::Failed
        }
    }
}

fn not_kubernetes(problem: &str) -> KubernetesError {
    KubernetesError::NotKubernetes {
        problem: problem.to_owned(),
    }
}
