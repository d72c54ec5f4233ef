//! A project's namespace and service account. Making them again changes nothing.
//!
//! The service account holds the built-in cluster role `admin`, by a role binding of the namespace: all that belongs into
//! a namespace, except for its quotas and itself. What is custom to a cluster joins that role by aggregation.

use domain::{
    ids::ProjectId,
    names::Namespace,
    project::{Preparation, PreparationFailure},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, KubernetesError, PROJECT_LABEL, SERVICE_ACCOUNT};

/// The cluster role whose rights a project has in its namespace.
const ROLE: &str = "admin";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Why a project has no place on the cluster.
#[derive(Debug, thiserror::Error)]
pub enum Unprepared {
    #[error("the namespace {0} belongs to another project")]
    NamespaceTaken(Namespace),
    #[error("the namespace {0} is there already; whoever manages clusters can let the project have it")]
    NamespaceExists(Namespace),
    #[error("the namespace {0} is being deleted")]
    NamespaceTerminating(Namespace),
    #[error("the role binding {SERVICE_ACCOUNT} of the namespace {0} is not one that Charthouse made")]
    BindingTaken(Namespace),
    #[error("the cluster did not do what was asked of it")]
    Kubernetes(#[from] KubernetesError),
}

impl Unprepared {
    #[must_use]
    pub const fn reason(&self) -> PreparationFailure {
        match self {
            Self::NamespaceTaken(_) => PreparationFailure::NamespaceTaken,
            Self::NamespaceExists(_) => PreparationFailure::NamespaceExists,
            Self::NamespaceTerminating(_) => PreparationFailure::NamespaceTerminating,
            Self::Kubernetes(KubernetesError::CredentialsRefused { .. } | KubernetesError::Kubeconfig(_)) => {
                PreparationFailure::CredentialsRefused
            }
            Self::Kubernetes(KubernetesError::RightsMissing { .. }) => PreparationFailure::RightsMissing,
            Self::Kubernetes(error) if error.is_unreachable() => PreparationFailure::ClusterUnreachable,
            Self::BindingTaken(_) | Self::Kubernetes(_) => PreparationFailure::ClusterFailed,
        }
    }
}

/// Whose a namespace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// There is no such namespace.
    Missing,
    Nobody {
        resource_version: String,
    },
    Project(String),
    /// It is being deleted.
    Terminating,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    resource_version: String,
    deletion_timestamp: Option<String>,
}

/// The user that a project is on its cluster.
#[must_use]
pub fn user_of(namespace: &Namespace) -> String {
    format!("system:serviceaccount:{namespace}:{SERVICE_ACCOUNT}")
}

/// Makes what is missing.
///
/// # Errors
///
/// [`Unprepared`]; what was made until then stays, and is gone on from.
pub async fn prepare(
    client: &Client,
    project: ProjectId,
    namespace: &Namespace,
    preparation: Preparation,
) -> Result<(), Unprepared> {
    own_namespace(client, project, namespace, preparation).await?;
    make_service_account(client, namespace).await?;
    bind_role(client, namespace).await
}

pub(super) async fn owner(client: &Client, namespace: &Namespace) -> Result<Owner, KubernetesError> {
    let path = format!("/api/v1/namespaces/{namespace}");
    let Some(Object { metadata }) = client.get::<Object>(&path).await? else {
        return Ok(Owner::Missing);
    };
    if metadata.deletion_timestamp.is_some() {
        return Ok(Owner::Terminating);
    }
    Ok(match metadata.labels.get(PROJECT_LABEL) {
        Some(project) => Owner::Project(project.clone()),
        None => Owner::Nobody {
            resource_version: metadata.resource_version,
        },
    })
}

async fn own_namespace(
    client: &Client,
    project: ProjectId,
    namespace: &Namespace,
    Preparation { adopt }: Preparation,
) -> Result<(), Unprepared> {
    let labels = json!({ PROJECT_LABEL: project.to_string() });
    match owner(client, namespace).await? {
        Owner::Project(owner) if owner == project.to_string() => Ok(()),
        Owner::Project(_) => Err(Unprepared::NamespaceTaken(namespace.clone())),
        Owner::Terminating => Err(Unprepared::NamespaceTerminating(namespace.clone())),
        Owner::Nobody { .. } if !adopt => Err(Unprepared::NamespaceExists(namespace.clone())),
        Owner::Nobody { resource_version } => {
            // Refused if anybody, such as another project, changed it since.
            let change = json!({ "metadata": { "labels": labels, "resourceVersion": resource_version } });
            let path = format!("/api/v1/namespaces/{namespace}");
            Ok(client.merge(&path, &change).await?)
        }
        Owner::Missing => {
            let object = json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": namespace.as_str(), "labels": labels },
            });
            match client.create("/api/v1/namespaces", &object).await {
                // Another worker prepares the same project.
                Err(KubernetesError::Conflict { .. }) if is_of(client, project, namespace).await? => Ok(()),
                made => Ok(made?),
            }
        }
    }
}

async fn is_of(client: &Client, project: ProjectId, namespace: &Namespace) -> Result<bool, KubernetesError> {
    Ok(owner(client, namespace).await? == Owner::Project(project.to_string()))
}

async fn make_service_account(client: &Client, namespace: &Namespace) -> Result<(), KubernetesError> {
    let collection = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    let path = format!("{collection}/{SERVICE_ACCOUNT}");
    if client.get::<Value>(&path).await?.is_some() {
        return Ok(());
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": SERVICE_ACCOUNT, "namespace": namespace.as_str() },
        // It is impersonated; no pod needs its token.
        "automountServiceAccountToken": false,
    });
    made(client.create(&collection, &object).await)
}

async fn bind_role(client: &Client, namespace: &Namespace) -> Result<(), Unprepared> {
    let collection = format!("/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings");
    let path = format!("{collection}/{SERVICE_ACCOUNT}");
    let role = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": ROLE });
    let subjects = json!([{ "kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace.as_str() }]);
    if let Some(binding) = client.get::<Value>(&path).await? {
        let is_ours = binding["roleRef"] == role && binding["subjects"] == subjects;
        return is_ours
            .then_some(())
            .ok_or_else(|| Unprepared::BindingTaken(namespace.clone()));
    }
    let object = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "RoleBinding",
        "metadata": { "name": SERVICE_ACCOUNT, "namespace": namespace.as_str() },
        "roleRef": role,
        "subjects": subjects,
    });
    Ok(made(client.create(&collection, &object).await)?)
}

/// Another worker that made it first made the same.
fn made(created: Result<(), KubernetesError>) -> Result<(), KubernetesError> {
    match created {
        Err(KubernetesError::Conflict { .. }) => Ok(()),
        created => created,
    }
}
