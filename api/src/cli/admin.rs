//! `charthouse admin`: what has to be there before anybody can sign in.

use std::{error::Error, time::Duration};

use clap::{Args, Subcommand};
use domain::{
    digest::Digest,
    ids::TokenId,
    names::{AccountName, ClusterName, Namespace, ProjectName, RoleName, WorkspaceName},
};

use crate::{
    admin::{AdminAnswer, AdminError, AdminPlace, AdminRequest, NewToken, Secret, ask},
    config::{DataFolder, Limits},
    kubeconfig::Kubeconfig,
    services::Services,
};

#[derive(Debug, Args)]
pub struct Admin {
    #[command(flatten)]
    data: DataFolder,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// People and machines that sign in
    #[command(subcommand)]
    Account(AccountVerb),
    /// Published bytes: archives, texts, pictures
    #[command(subcommand)]
    Content(ContentVerb),
    /// The vault of what is sealed
    #[command(subcommand)]
    Vault(VaultVerb),
    /// Bearer tokens
    #[command(subcommand)]
    Token(TokenVerb),
    /// Custom platform roles, such as app-review
    #[command(subcommand)]
    Role(RoleVerb),
    /// Tenants: they own apps and projects
    #[command(subcommand)]
    Workspace(WorkspaceVerb),
    /// Where releases run
    #[command(subcommand)]
    Cluster(ClusterVerb),
    /// Namespaces of clusters that a workspace installs into
    #[command(subcommand)]
    Project(ProjectVerb),
    /// The clock of the running server, after it jumped and appends stopped
    #[command(subcommand)]
    Clock(ClockVerb),
}

#[derive(Debug, Subcommand)]
enum ClockVerb {
    /// Believe the clock as it is now; a wrong time would be in the log for ever
    Accept,
}

#[derive(Debug, Subcommand)]
enum AccountVerb {
    /// Make an account, and grant it a role if one is named
    Create {
        name: AccountName,
        /// A role to grant at once, on the platform
        #[arg(long)]
        role: Option<RoleName>,
    },
    /// Set its password, and end its sessions; without --stdin a password is drawn and shown only this once
    Password {
        name: AccountName,
        /// Read the password from the first line of standard input
        #[arg(long)]
        stdin: bool,
    },
    /// Let whom an OpenID provider vouches for sign in as the account
    Link {
        name: AccountName,
        /// The provider, as its tokens say it in the claim `iss`
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// What the provider calls whoever it is: the claim `sub`
        #[arg(long)]
        subject: String,
    },
    /// Keep everybody out of an account, its owner included
    Block { name: AccountName },
    /// Let an account be signed in to again
    Unblock { name: AccountName },
    /// Erase the person behind an account, for good: name and written words, tokens and roles
    Erase {
        name: AccountName,
        /// The name once more: nobody is erased by a slip
        #[arg(long, value_name = "NAME")]
        confirm: AccountName,
    },
}

#[derive(Debug, Subcommand)]
enum ContentVerb {
    /// Take published bytes away, for good; with an archive goes what was read from it
    Remove {
        /// Their SHA-256, such as sha256:2cf2…
        digest: Digest,
        /// Why, for reviewers and auditors
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum VaultVerb {
    /// Draw a new master key and wrap every key of the vault with it
    Rotate,
}

#[derive(Debug, Subcommand)]
enum TokenVerb {
    /// Make a bearer token; it is shown only this once
    Create {
        account: AccountName,
        /// What to call it
        #[arg(long)]
        name: Option<String>,
        /// A permission that it is narrowed to, such as version.upload, or a bundle; all that the roles allow if not given
        #[arg(long = "permission")]
        permissions: Vec<String>,
        /// How long it is valid, such as 30days; for ever if not given
        #[arg(long, value_parser = humantime::parse_duration)]
        lifetime: Option<Duration>,
    },
    /// Make a token useless from now on
    Revoke { account: AccountName, token: TokenId },
}

#[derive(Debug, Subcommand)]
enum RoleVerb {
    /// Give a custom role these permissions, and no others
    Define {
        role: RoleName,
        /// A permission such as review.approve, or a bundle: app-store-management, app-store-view
        #[arg(long = "permission", required = true)]
        permissions: Vec<String>,
    },
    /// Let an account act in a role
    Grant {
        account: AccountName,
        role: RoleName,
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Take a role back
    Revoke {
        account: AccountName,
        role: RoleName,
        #[command(flatten)]
        place: PlaceArguments,
    },
}

#[derive(Debug, Subcommand)]
enum ClusterVerb {
    /// Register a Kubernetes cluster, if it answers and is not registered yet
    Register {
        name: ClusterName,
        /// How to reach it; only what its current context names is kept, sealed
        #[arg(long, value_name = "FILE", value_parser = kubeconfig_in)]
        kubeconfig: Kubeconfig,
    },
}

/// The kubeconfig that a file holds.
fn kubeconfig_in(file: &str) -> Result<Kubeconfig, Box<dyn Error + Send + Sync>> {
    Ok(Kubeconfig::parse(&std::fs::read_to_string(file)?)?)
}

#[derive(Debug, Subcommand)]
enum WorkspaceVerb {
    /// Make a workspace
    Create { name: WorkspaceName },
}

#[derive(Debug, Subcommand)]
enum ProjectVerb {
    /// Make a project in a workspace
    Create {
        workspace: WorkspaceName,
        name: ProjectName,
        /// The cluster it is on; the built-in one if not given
        #[arg(long)]
        cluster: Option<ClusterName>,
        /// Its namespace there; called like the project if not given
        #[arg(long)]
        namespace: Option<Namespace>,
    },
}

/// Where: on the platform, unless a workspace or a project of it is named.
#[derive(Debug, Args)]
struct PlaceArguments {
    #[arg(long)]
    workspace: Option<WorkspaceName>,
    #[arg(long, requires = "workspace")]
    project: Option<ProjectName>,
}

impl Admin {
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let answer = carry_out(&self.data, request(self.noun)?).await??;
        show(&answer, self.json)
    }
}

fn request(noun: Noun) -> Result<AdminRequest, AdminError> {
    Ok(match noun {
        Noun::Account(AccountVerb::Create { name, role }) => AdminRequest::CreateAccount { name, role },
        Noun::Account(AccountVerb::Erase { name, confirm }) if name == confirm => {
            AdminRequest::EraseAccount { account: name }
        }
        Noun::Account(AccountVerb::Erase { .. }) => {
            return Err(AdminError {
                code: "NAME_NOT_CONFIRMED".to_owned(),
                message: "the name after --confirm is another one".to_owned(),
            });
        }
        Noun::Account(AccountVerb::Password { name, stdin }) => AdminRequest::SetPassword {
            account: name,
            password: stdin.then(first_line).transpose()?,
        },
        Noun::Account(AccountVerb::Link { name, issuer, subject }) => AdminRequest::LinkIdentity {
            account: name,
            issuer,
            subject,
        },
        Noun::Account(AccountVerb::Block { name }) => AdminRequest::BlockAccount { account: name },
        Noun::Account(AccountVerb::Unblock { name }) => AdminRequest::UnblockAccount { account: name },
        Noun::Vault(VaultVerb::Rotate) => AdminRequest::RotateMasterKey,
        Noun::Content(ContentVerb::Remove { digest, reason }) => AdminRequest::RemoveContent { digest, reason },
        Noun::Token(TokenVerb::Create {
            account,
            name,
            permissions,
            lifetime,
        }) => AdminRequest::CreateToken(NewToken {
            account,
            name,
            permissions: (!permissions.is_empty()).then_some(permissions),
            lifetime,
        }),
        Noun::Token(TokenVerb::Revoke { account, token }) => AdminRequest::RevokeToken { account, token },
        Noun::Role(RoleVerb::Define { role, permissions }) => AdminRequest::DefineRole { role, permissions },
        Noun::Role(RoleVerb::Grant { account, role, place }) => AdminRequest::GrantRole {
            account,
            role,
            place: place.into(),
        },
        Noun::Role(RoleVerb::Revoke { account, role, place }) => AdminRequest::RevokeRole {
            account,
            role,
            place: place.into(),
        },
        Noun::Clock(ClockVerb::Accept) => AdminRequest::AcceptClock,
        Noun::Cluster(ClusterVerb::Register { name, kubeconfig }) => AdminRequest::RegisterCluster { name, kubeconfig },
        Noun::Workspace(WorkspaceVerb::Create { name }) => AdminRequest::CreateWorkspace { name },
        Noun::Project(ProjectVerb::Create {
            workspace,
            name,
            cluster,
            namespace,
        }) => AdminRequest::CreateProject {
            workspace,
            name,
            cluster,
            namespace,
        },
    })
}

/// What a script, or a person, types as a password.
fn first_line() -> Result<Secret, AdminError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| AdminError {
        code: "BAD_INPUT".to_owned(),
        message: format!("standard input could not be read: {error}"),
    })?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

impl From<PlaceArguments> for AdminPlace {
    fn from(place: PlaceArguments) -> Self {
        match (place.workspace, place.project) {
            (Some(workspace), Some(project)) => Self::Project(workspace, project),
            (Some(workspace), None) => Self::Workspace(workspace),
            (None, _) => Self::Platform,
        }
    }
}

/// By the server that runs on the folder, or without one, by this process.
async fn carry_out(
    data: &DataFolder,
    request: AdminRequest,
) -> Result<Result<AdminAnswer, AdminError>, Box<dyn Error>> {
    if let Some(answer) = ask(&data.admin_socket(), &request).await? {
        return Ok(answer);
    }
    let services = Services::open(data.clone(), Limits::from_environment()).await?;
    let answer = request.carry_out(&services).await;
    services.close().await;
    Ok(answer)
}

fn show(answer: &AdminAnswer, json: bool) -> Result<(), Box<dyn Error>> {
    if json {
        println!("{}", serde_json::to_string(answer)?);
        return Ok(());
    }
    // What a script may want to catch goes to standard output, the words about it beside it.
    match answer.token.as_ref().or(answer.password.as_ref()) {
        Some(secret) => {
            eprintln!("{}", answer.message);
            println!("{secret}");
        }
        None => println!("{}", answer.message),
    }
    Ok(())
}
