//! One administrative request, and the commands it becomes.

use std::{fmt::Display, str::FromStr};

use domain::{
    account::{Account, Scope},
    cluster::Cluster,
    decider::Decider,
    digest::Digest,
    export::{Format, Selection},
    ids::{AccountId, ClusterId, ProjectId, TokenId, WorkspaceId},
    name::{Claim, Name},
    names::{AccountName, ClusterName, Namespace, ProjectName, RoleName, WorkspaceName},
    project::Project,
    role::{self, RoleKey},
    workspace::Workspace,
};
use serde::{Deserialize, Serialize};

use super::people::{NewToken, Secret};
use crate::{
    clock,
    commands::{
        Command, CommandError, CreateProject, CreateWorkspace, DefineRole, Giver, GrantRole, RecordExport,
        RegisterCluster, RemoveContent, RevokeRole, RevokeToken, Target, load,
    },
    effects::erasure,
    exports::{Export, ExportError},
    graphql::NodeId,
    kubeconfig::Kubeconfig,
    master_keys::RotationError,
    services::{DEFAULT_CLUSTER, Services},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum AdminRequest {
    /// Believes the clock of the server that runs on the folder, after it jumped.
    AcceptClock,
    /// Prepares an export and records it; whoever asks makes it from the data folder.
    RecordExport {
        format: Format,
        selection: Selection,
        /// Narrows the selection to a workspace, by its name.
        workspace: Option<WorkspaceName>,
    },
    /// Goes over to views that were built beside those of the server.
    AdoptViews,
    CreateAccount {
        name: AccountName,
        /// Granted at once, on the platform.
        role: Option<RoleName>,
    },
    /// Exchanges the master key of the vault.
    RotateMasterKey,
    /// Erases the person behind an account.
    EraseAccount {
        account: AccountName,
    },
    /// Takes published bytes away.
    RemoveContent {
        digest: Digest,
        reason: String,
    },
    CreateToken(NewToken),
    /// Sets the password of an account; draws one if none is given.
    SetPassword {
        account: AccountName,
        password: Option<Secret>,
    },
    /// Lets whom an `OpenID` provider vouches for sign in as an account.
    LinkIdentity {
        account: AccountName,
        issuer: String,
        subject: String,
    },
    /// Keeps everybody out of an account.
    BlockAccount {
        account: AccountName,
    },
    UnblockAccount {
        account: AccountName,
    },
    RevokeToken {
        account: AccountName,
        token: TokenId,
    },
    DefineRole {
        role: RoleName,
        permissions: Vec<String>,
    },
    GrantRole {
        account: AccountName,
        role: RoleName,
        place: AdminPlace,
    },
    RevokeRole {
        account: AccountName,
        role: RoleName,
        place: AdminPlace,
    },
    RegisterCluster {
        name: ClusterName,
        kubeconfig: Kubeconfig,
    },
    CreateWorkspace {
        name: WorkspaceName,
    },
    CreateProject {
        workspace: WorkspaceName,
        name: ProjectName,
        cluster: Option<ClusterName>,
        namespace: Option<Namespace>,
    },
}

/// Where a role is granted, by names as people type them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminPlace {
    Platform,
    Workspace(WorkspaceName),
    Project(WorkspaceName, ProjectName),
}

/// What was done: words for people, and for scripts the id that the API uses, or the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAnswer {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Drawn, and shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Export>,
}

/// Why it was not done, with the code that the API would give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct AdminError {
    pub code: String,
    pub message: String,
}

impl AdminRequest {
    /// # Errors
    ///
    /// [`AdminError`]; nothing was recorded then.
    pub async fn carry_out(self, services: &Services) -> Result<AdminAnswer, AdminError> {
        let admin = Admin { services };
        match self {
            Self::AcceptClock => {
                services.log.accept_clock();
                Ok(done(format!("the clock is accepted: it is {}", clock::now())))
            }
            Self::RecordExport {
                format,
                selection,
                workspace,
            } => admin.record_export(format, selection, workspace).await,
            Self::AdoptViews => adopt_views(services).await,
            Self::RegisterCluster { name, kubeconfig } => {
                let message = format!("cluster {name} registered");
                let kubeconfig = Some(kubeconfig);
                admin.create(&RegisterCluster { name, kubeconfig }, message).await
            }
            Self::CreateAccount { name, role } => admin.create_account(name, role).await,
            Self::SetPassword { account, password } => admin.set_password(account, password).await,
            Self::LinkIdentity {
                account,
                issuer,
                subject,
            } => admin.link(account, &issuer, &subject).await,
            Self::BlockAccount { account } => admin.block(account).await,
            Self::UnblockAccount { account } => admin.unblock(account).await,
            Self::CreateWorkspace { name } => {
                let message = format!("workspace {name} created");
                admin.create(&CreateWorkspace { name }, message).await
            }
            Self::CreateProject {
                workspace,
                name,
                cluster,
                namespace,
            } => admin.create_project(workspace, name, cluster, namespace).await,
            Self::RotateMasterKey => admin.rotate_master_key().await,
            Self::EraseAccount { account } => admin.erase(account).await,
            Self::RemoveContent { digest, reason } => {
                let reason = Some(reason);
                admin.run(&RemoveContent { digest, reason }).await?;
                admin.finish_erasures().await?;
                Ok(done(format!("{digest} is removed, and is not taken in again")))
            }
            Self::CreateToken(asked) => admin.create_token(asked).await,
            Self::RevokeToken { account, token } => {
                let account = admin.account(&account).await?;
                admin.run(&RevokeToken { account, token }).await?;
                Ok(done(format!("token {token} revoked")))
            }
            Self::DefineRole { role, permissions } => {
                let message = format!("role {role} defined");
                admin
                    .run(&DefineRole {
                        role: RoleKey {
                            workspace: None,
                            name: role,
                        },
                        permissions: role::permissions_named(&permissions)
                            .map_err(|error| AdminError::new("PERMISSION_UNKNOWN", error))?,
                    })
                    .await?;
                Ok(done(message))
            }
            Self::GrantRole { account, role, place } => {
                let message = format!("{account} is {role} {place}");
                let (account, scope) = (admin.account(&account).await?, admin.scope(place).await?);
                admin.run(&GrantRole { account, role, scope }).await?;
                Ok(done(message))
            }
            Self::RevokeRole { account, role, place } => {
                let message = format!("{account} is not {role} {place} any more");
                let (account, scope) = (admin.account(&account).await?, admin.scope(place).await?);
                admin.run(&RevokeRole { account, role, scope }).await?;
                Ok(done(message))
            }
        }
    }
}

async fn adopt_views(services: &Services) -> Result<AdminAnswer, AdminError> {
    let adopted = services.views.adopt(&services.log, services.content.blobs()).await;
    match adopted.map_err(|error| AdminError::from(CommandError::internal(error)))? {
        true => Ok(done("The server uses it".to_owned())),
        false => Ok(done(
            "The server is another version of the program and does not use it; start this one".to_owned(),
        )),
    }
}

pub(super) struct Admin<'a> {
    pub(super) services: &'a Services,
}

impl Admin<'_> {
    pub(super) async fn run<C: Command>(&self, command: &C) -> Result<Target, AdminError> {
        Ok(self.services.commands.run(Giver::System, command).await?.target)
    }

    pub(super) async fn create<C: Command>(&self, command: &C, message: String) -> Result<AdminAnswer, AdminError> {
        let id = NodeId::of_target(&self.run(command).await?).map(|id| id.to_string());
        Ok(AdminAnswer { id, ..done(message) })
    }

    async fn rotate_master_key(&self) -> Result<AdminAnswer, AdminError> {
        let Services { master_keys, vault, .. } = self.services;
        let rotated = master_keys.rotate(vault.of_log()).await.map_err(|error| {
            let code = match &error {
                RotationError::FromEnvironment => "MASTER_KEY_FROM_ENVIRONMENT",
                error => {
                    tracing::error!(
                        error = error as &dyn std::error::Error,
                        "the master key was not exchanged"
                    );
                    "INTERNAL"
                }
            };
            AdminError::new(code, error)
        })?;
        let message = format!(
            "{} keys are wrapped by a new master key; {} opens backups made before, and is to be deleted with the last of \
             them",
            rotated.keys,
            rotated.retired.display()
        );
        Ok(done(message))
    }

    pub(super) async fn finish_erasures(&self) -> Result<(), AdminError> {
        let finished = erasure::finish(self.services).await;
        finished.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an erasure was recorded and not finished"
            );
            AdminError::new("INTERNAL", "it is recorded, and not finished; it is tried again")
        })
    }

    async fn create_project(
        &self,
        workspace: WorkspaceName,
        name: ProjectName,
        cluster: Option<ClusterName>,
        namespace: Option<Namespace>,
    ) -> Result<AdminAnswer, AdminError> {
        let invalid = |error: domain::names::InvalidName| AdminError::new("NAME_INVALID", error);
        let cluster = cluster.map_or_else(|| DEFAULT_CLUSTER.parse().map_err(invalid), Ok)?;
        let namespace = namespace.map_or_else(|| name.as_str().parse().map_err(invalid), Ok)?;
        let message = format!("project {name} of {workspace} is namespace {namespace} of cluster {cluster}");
        let workspace = self.workspace(&workspace).await?;
        let cluster: ClusterId = self
            .holder::<Cluster, _>(&Claim::Cluster(cluster.clone()), "cluster", cluster)
            .await?;
        self.create(
            &CreateProject {
                workspace,
                name,
                cluster,
                namespace,
            },
            message,
        )
        .await
    }

    async fn record_export(
        &self,
        format: Format,
        selection: Selection,
        workspace: Option<WorkspaceName>,
    ) -> Result<AdminAnswer, AdminError> {
        let mut selection = selection;
        if let Some(workspace) = workspace {
            selection.workspace = Some(self.workspace(&workspace).await?);
        }
        let prepared = self.services.evidence().prepare(format, selection).await?;
        let record = RecordExport(prepared.clone());
        let outcome = self.services.commands.run(Giver::System, &record).await?;
        let message = format!("{} decisions", prepared.count);
        let export = Export {
            prepared,
            position: outcome.position.get(),
        };
        Ok(AdminAnswer {
            export: Some(export),
            ..done(message)
        })
    }

    async fn scope(&self, place: AdminPlace) -> Result<Scope, AdminError> {
        match place {
            AdminPlace::Platform => Ok(Scope::Platform {}),
            AdminPlace::Workspace(name) => Ok(Scope::Workspace {
                workspace: self.workspace(&name).await?,
            }),
            AdminPlace::Project(workspace, name) => {
                let workspace = self.workspace(&workspace).await?;
                let claim = Claim::Project {
                    workspace,
                    name: name.clone(),
                };
                let project: ProjectId = self.holder::<Project, _>(&claim, "project", name).await?;
                Ok(Scope::Project { project })
            }
        }
    }

    pub(super) async fn account(&self, name: &AccountName) -> Result<AccountId, AdminError> {
        let claim = Claim::Account(self.services.key.of_account_name(name));
        self.holder::<Account, _>(&claim, "account", name).await
    }

    async fn workspace(&self, name: &WorkspaceName) -> Result<WorkspaceId, AdminError> {
        self.holder::<Workspace, _>(&Claim::Workspace(name.clone()), "workspace", name)
            .await
    }

    /// What has a name, by the stream that says so.
    async fn holder<D: Decider, I: FromStr>(
        &self,
        claim: &Claim,
        what: &str,
        name: impl Display,
    ) -> Result<I, AdminError> {
        let taken = load::<Name>(&self.services.log, claim.stream_key()).await?;
        let id = taken.and_then(|name| name.holder.strip_prefix(&format!("{}-", D::CATEGORY))?.parse().ok());
        id.ok_or_else(|| AdminError::new("NOT_FOUND", format!("there is no {what} {name}")))
    }
}

impl AdminError {
    pub(super) fn new(code: &str, message: impl Display) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_string(),
        }
    }
}

impl From<ExportError> for AdminError {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::NoDecision => Self::new("NOT_FOUND", &error),
            ExportError::Period(reversed) => Self::new("PERIOD_REVERSED", reversed),
            ExportError::TooMany { .. } => Self::new("EXPORT_TOO_LARGE", &error),
            error => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "an export could not be prepared"
                );
                Self::new("INTERNAL", error)
            }
        }
    }
}

impl From<CommandError> for AdminError {
    fn from(error: CommandError) -> Self {
        if let CommandError::Internal(cause) = &error {
            tracing::error!(
                error = cause.as_ref() as &dyn std::error::Error,
                "an administrative request failed"
            );
        }
        Self::new(error.code(), &error)
    }
}

impl Display for AdminPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Platform => f.write_str("on the platform"),
            Self::Workspace(workspace) => write!(f, "in workspace {workspace}"),
            Self::Project(workspace, project) => write!(f, "in project {workspace}/{project}"),
        }
    }
}

pub(super) fn done(message: String) -> AdminAnswer {
    AdminAnswer {
        message,
        id: None,
        token: None,
        password: None,
        export: None,
    }
}
