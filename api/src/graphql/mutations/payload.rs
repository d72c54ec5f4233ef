//! What every mutation answers: the changed object, the position reached, and what was refused.

use std::str::FromStr;

use async_graphql::{Context, ID, SimpleObject};
use domain::{
    account::Scope,
    ids::{AccountId, AppId, CategoryId, ClusterId, ProjectId, ReleaseId, WorkspaceId},
    version_number::VersionNumber,
};
use uuid::Uuid;

use crate::{
    commands::{Command, CommandError, Giver, Outcome, Target},
    graphql::{
        NodeId,
        accounts::Account,
        apps::App,
        categories::Category,
        clusters::Cluster,
        error::{ApiError, Result},
        releases::Release,
        removals::ContentRemoval,
        review_policy::ReviewPolicy,
        roles::Role,
        scalars::LogPosition,
        tenancy::{Project, Workspace},
        versions::Version,
        viewer::{key, services, viewer},
    },
    values::Violation,
};

/// Why nothing was done. The caller can do something about it.
#[derive(Debug, SimpleObject)]
pub struct UserError {
    /// Stable over versions; branch on it.
    code: String,
    /// For people: names the rule, the limit and the value met.
    message: String,
    /// The input it is about, if it is about one.
    path: Vec<String>,
    /// Where in the values, as a JSON pointer, if it is about a place in them.
    pointer: Option<String>,
}

impl UserError {
    /// What a command refused: one error, or one for each thing that is wrong with the values.
    pub fn of(error: &CommandError) -> Vec<Self> {
        let CommandError::ValuesRefused(violations) = error else {
            return vec![Self::new(error.code(), error.to_string(), error.path())];
        };
        let told = violations.iter().map(|Violation { pointer, message }| Self {
            pointer: Some(pointer.clone()),
            ..Self::new(error.code(), message.clone(), error.path())
        });
        told.collect()
    }

    fn not_found(what: &str, path: &[&str]) -> Self {
        Self::new("NOT_FOUND", format!("there is no such {what}"), path)
    }

    pub fn new(code: &str, message: String, path: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            message,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            pointer: None,
        }
    }
}

/// The answer of a mutation, before it has its own name.
pub struct Answer<T> {
    pub object: Option<T>,
    pub position: Option<LogPosition>,
    pub user_errors: Vec<UserError>,
}

impl<T> Answer<T> {
    const fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            object: None,
            position: None,
            user_errors,
        }
    }
}

/// An object that the answer to a command shows.
pub trait Shown: Sized {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>>;
}

impl Shown for App {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target.app() {
            Some(app) => Self::load(ctx, app).await,
            None => Ok(None),
        }
    }
}

impl Shown for Version {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Version(app, number) => Self::load(ctx, app, number).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Category {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Category(category) => Self::load(ctx, category).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Release {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Release(release) => Self::load(ctx, release).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Account {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Account(account) | Target::Token(account, _) => Self::find(ctx, account).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Workspace {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        let workspace = match target {
            Target::Workspace(workspace) | Target::Place(Scope::Workspace { workspace }) => Some(workspace),
            Target::Place(Scope::Project { project }) => services(ctx).views.access().project_workspace(project),
            _ => None,
        };
        match workspace {
            Some(workspace) => Self::load(ctx, workspace).await,
            None => Ok(None),
        }
    }
}

impl Shown for Project {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Project(project) => Self::load(ctx, project).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Cluster {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Cluster(cluster) => Self::load(ctx, cluster).await,
            _ => Ok(None),
        }
    }
}

impl Shown for Role {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Role(role) => Self::load(ctx, role).await,
            _ => Ok(None),
        }
    }
}

impl Shown for ReviewPolicy {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::ReviewPolicy => Self::load(ctx).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Shown for ContentRemoval {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Content(digest) => Self::of(ctx, digest).await,
            _ => Ok(None),
        }
    }
}

/// The id of what is gone.
pub struct Deleted(pub ID);

impl Shown for Deleted {
    async fn shown(_: &Context<'_>, target: Target) -> Result<Option<Self>> {
        Ok(NodeId::of_target(&target).map(|id| Self(id.into())))
    }
}

/// The viewer, as who gives the command with this id.
pub fn giver(ctx: &Context<'_>, command_id: Option<Uuid>) -> Result<Giver> {
    Ok(Giver::Account {
        account: viewer(ctx)?.account,
        key: key(ctx)?,
        command: command_id,
    })
}

/// Gives the command that the input asks for, and shows what it came to.
///
/// A command id makes it safe to send the same mutation again; without one, every mutation is a new command.
pub async fn give<C: Command, T: Shown>(
    ctx: &Context<'_>,
    command_id: Option<Uuid>,
    command: std::result::Result<C, UserError>,
) -> Result<Answer<T>> {
    let giver = giver(ctx, command_id)?;
    let command = match command {
        Ok(command) => command,
        Err(error) => return Ok(Answer::refused(vec![error])),
    };
    // Boxed, so that it is not a part of the future of every mutation there is.
    match Box::pin(services(ctx).commands.run(giver, &command)).await {
        Ok(Outcome { target, position }) => {
            let object = T::shown(ctx, target).await?;
            Ok(Answer {
                object,
                position: Some(LogPosition(position.get())),
                user_errors: vec![],
            })
        }
        Err(error) if error.is_expected() => Ok(Answer::refused(UserError::of(&error))),
        Err(error) => Err(ApiError::from(error)),
    }
}

/// Reads global ids. What is not one, or names another kind of thing, does not exist.
pub fn app(id: &ID) -> std::result::Result<AppId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::App(app)) => Ok(app),
        _ => Err(UserError::not_found("app", &["input", "app"])),
    }
}

pub fn version(id: &ID) -> std::result::Result<(AppId, VersionNumber), UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Version(app, number)) => Ok((app, number)),
        _ => Err(UserError::not_found("version", &["input", "version"])),
    }
}

pub fn workspace(id: &ID) -> std::result::Result<WorkspaceId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Workspace(workspace)) => Ok(workspace),
        _ => Err(UserError::not_found("workspace", &["input", "workspace"])),
    }
}

pub fn category(id: &ID) -> std::result::Result<CategoryId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Category(category)) => Ok(category),
        _ => Err(UserError::not_found("category", &["input", "category"])),
    }
}

pub fn release(id: &ID) -> std::result::Result<ReleaseId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Release(release)) => Ok(release),
        _ => Err(UserError::not_found("release", &["input", "release"])),
    }
}

pub fn account(id: &ID) -> std::result::Result<AccountId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Account(account)) => Ok(account),
        _ => Err(UserError::not_found("account", &["input", "account"])),
    }
}

pub fn cluster(id: &ID) -> std::result::Result<ClusterId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Cluster(cluster)) => Ok(cluster),
        _ => Err(UserError::not_found("cluster", &["input", "cluster"])),
    }
}

pub fn project(id: &ID) -> std::result::Result<ProjectId, UserError> {
    match NodeId::parse(id) {
        Some(NodeId::Project(project)) => Ok(project),
        _ => Err(UserError::not_found("project", &["input", "project"])),
    }
}

/// Where a role is held: in a workspace or in a project; on the platform if neither is named.
pub fn scope(workspace: Option<&ID>, project: Option<&ID>) -> std::result::Result<Scope, UserError> {
    match (workspace, project) {
        (None, None) => Ok(Scope::Platform {}),
        (Some(id), None) => self::workspace(id).map(|workspace| Scope::Workspace { workspace }),
        (None, Some(id)) => match NodeId::parse(id) {
            Some(NodeId::Project(project)) => Ok(Scope::Project { project }),
            _ => Err(UserError::not_found("project", &["input", "project"])),
        },
        (Some(_), Some(_)) => Err(UserError::new(
            "PLACE_AMBIGUOUS",
            "name a workspace or a project, not both".to_owned(),
            &["input", "project"],
        )),
    }
}

/// As [`scope`], where it must be a workspace or a project.
pub fn inner_scope(workspace: Option<&ID>, project: Option<&ID>) -> std::result::Result<Scope, UserError> {
    match scope(workspace, project)? {
        Scope::Platform {} => Err(UserError::new(
            "PLACE_MISSING",
            "name a workspace or a project".to_owned(),
            &["input", "workspace"],
        )),
        inner => Ok(inner),
    }
}

/// Reads a name that has a rule.
pub fn name<N: FromStr<Err: std::fmt::Display>>(text: &str, field: &str) -> std::result::Result<N, UserError> {
    text.parse()
        .map_err(|error| UserError::new("NAME_INVALID", format!("{error}"), &["input", field]))
}

/// A payload of its own for each mutation, so that each can grow by itself.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            $field: Option<$type>,
            /// The last event it left, or for one that changed nothing, the last event there was; absent if it was refused.
            position: Option<crate::graphql::scalars::LogPosition>,
            /// Why nothing was done; empty if it was.
            user_errors: Vec<super::payload::UserError>,
        }

        impl From<super::payload::Answer<$type>> for $name {
            fn from(answer: super::payload::Answer<$type>) -> Self {
                Self { $field: answer.object, position: answer.position, user_errors: answer.user_errors }
            }
        }
    };
}

pub(super) use payload;
