//! What a command is about, so that its answer can show it.

use domain::{
    account::{self, Account, Scope},
    app::App,
    category::Category,
    decider::Decider as _,
    digest::Digest,
    export::Export,
    ids::{AccountId, AppId, CategoryId, ClusterId, ExportId, ProjectId, RefusalId, ReleaseId, TokenId, WorkspaceId},
    release::Release,
    role::RoleKey,
    version_number::VersionNumber,
};
use eventstore::Recorded;

use super::restore;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    App(AppId),
    Version(AppId, VersionNumber),
    Category(CategoryId),
    Release(ReleaseId),
    Workspace(WorkspaceId),
    Project(ProjectId),
    Cluster(ClusterId),
    Account(AccountId),
    Token(AccountId, TokenId),
    Refusal(RefusalId),
    Role(RoleKey),
    ReviewPolicy,
    /// Somewhere roles are held.
    Place(Scope),
    Export(ExportId),
    Content(Digest),
}

impl Target {
    /// What `events`, left by one command, are about. A command records its own subject first.
    #[must_use]
    pub fn left_by(events: &[Recorded]) -> Option<Self> {
        let first = events.first()?;
        let key = first.stream.key();
        match first.stream.category() {
            App::CATEGORY => {
                let app = key.parse().ok()?;
                Some(version_of(first).map_or(Self::App(app), |version| Self::Version(app, version)))
            }
            Category::CATEGORY => key.parse().ok().map(Self::Category),
            Release::CATEGORY => key.parse().ok().map(Self::Release),
            "workspace" => key.parse().ok().map(Self::Workspace),
            "project" => key.parse().ok().map(Self::Project),
            "cluster" => key.parse().ok().map(Self::Cluster),
            "account" => {
                let account = key.parse().ok()?;
                Some(token_of(first).map_or(Self::Account(account), |token| Self::Token(account, token)))
            }
            "role" => RoleKey::from_stream_key(key).map(Self::Role),
            Export::CATEGORY => key.parse().ok().map(Self::Export),
            _ => None,
        }
    }

    #[must_use]
    pub const fn app(&self) -> Option<AppId> {
        match self {
            Self::App(app) | Self::Version(app, _) => Some(*app),
            _ => None,
        }
    }
}

fn token_of(recorded: &Recorded) -> Option<TokenId> {
    let (event, _) = restore::<Account>(recorded).ok()?;
    match event {
        account::Event::TokenIssued { token, .. } => Some(token),
        _ => None,
    }
}

fn version_of(recorded: &Recorded) -> Option<VersionNumber> {
    let (event, _) = restore::<App>(recorded).ok()?;
    event.version().cloned()
}
