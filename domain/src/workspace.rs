//! Workspaces: the tenants that own apps and projects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::{AppId, ProjectId, ReleaseId},
    names::{ChartName, ProjectName, ReleaseName, WorkspaceName},
};

/// How many of a kind of things in the way a refusal names.
const NAMED_MAX: usize = 10;

/// The facts of a workspace's life. Stored by these names: rename nothing, remove nothing.
///
/// What joins and leaves it is recorded here too, in the same append, so that closing it is a rule of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    WorkspaceCreated { name: WorkspaceName },
    AppJoined { app: AppId, chart: ChartName },
    AppLeft { app: AppId },
    ProjectJoined { project: ProjectId, name: ProjectName },
    ReleaseJoined { release: ReleaseId, name: ReleaseName },
    ReleaseLeft { release: ReleaseId },
    WorkspaceClosed {},
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub name: WorkspaceName,
    pub apps: BTreeMap<AppId, ChartName>,
    pub projects: BTreeMap<ProjectId, ProjectName>,
    pub releases: BTreeMap<ReleaseId, ReleaseName>,
    pub closed: bool,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { name: WorkspaceName },
    AddApp { app: AppId, chart: ChartName },
    RemoveApp { app: AppId },
    AddProject { project: ProjectId, name: ProjectName },
    AddRelease { release: ReleaseId, name: ReleaseName },
    RemoveRelease { release: ReleaseId },
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Also of one that is closed: it takes nothing any more.
    #[error("there is no such workspace")]
    NotFound,
    #[error("this workspace exists already")]
    Exists,
    #[error("the workspace still owns {}", in_the_way(.apps, .releases))]
    NotEmpty {
        apps: Vec<ChartName>,
        releases: Vec<ReleaseName>,
    },
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "WORKSPACE_EXISTS",
            Self::NotEmpty { .. } => "WORKSPACE_NOT_EMPTY",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists | Self::NotEmpty { .. } => RejectionKind::Conflict,
        }
    }
}

impl Decider for Workspace {
    const CATEGORY: &'static str = "workspace";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(workspace) = state else {
            let Command::Create { name } = command else {
                return Err(Rejection::NotFound);
            };
            return Ok(vec![Event::WorkspaceCreated { name }]);
        };
        match command {
            Command::Create { .. } => Err(Rejection::Exists),
            Command::RemoveApp { app } if workspace.apps.contains_key(&app) => Ok(vec![Event::AppLeft { app }]),
            Command::RemoveRelease { release } if workspace.releases.contains_key(&release) => {
                Ok(vec![Event::ReleaseLeft { release }])
            }
            Command::RemoveApp { .. } | Command::RemoveRelease { .. } => Ok(vec![]),
            Command::Close if workspace.closed => Ok(vec![]),
            _ if workspace.closed => Err(Rejection::NotFound),
            Command::AddApp { app, .. } if workspace.apps.contains_key(&app) => Ok(vec![]),
            Command::AddApp { app, chart } => Ok(vec![Event::AppJoined { app, chart }]),
            Command::AddProject { project, .. } if workspace.projects.contains_key(&project) => Ok(vec![]),
            Command::AddProject { project, name } => Ok(vec![Event::ProjectJoined { project, name }]),
            Command::AddRelease { release, .. } if workspace.releases.contains_key(&release) => Ok(vec![]),
            Command::AddRelease { release, name } => Ok(vec![Event::ReleaseJoined { release, name }]),
            Command::Close => workspace.close(),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::WorkspaceCreated { name } = event {
            return Some(Self {
                name: name.clone(),
                apps: BTreeMap::new(),
                projects: BTreeMap::new(),
                releases: BTreeMap::new(),
                closed: false,
            });
        }
        let mut workspace = state?;
        match event {
            Event::WorkspaceCreated { .. } => {}
            Event::AppJoined { app, chart } => {
                workspace.apps.insert(*app, chart.clone());
            }
            Event::AppLeft { app } => {
                workspace.apps.remove(app);
            }
            Event::ProjectJoined { project, name } => {
                workspace.projects.insert(*project, name.clone());
            }
            Event::ReleaseJoined { release, name } => {
                workspace.releases.insert(*release, name.clone());
            }
            Event::ReleaseLeft { release } => {
                workspace.releases.remove(release);
            }
            Event::WorkspaceClosed {} => workspace.closed = true,
        }
        Some(workspace)
    }
}

impl Workspace {
    fn close(&self) -> Result<Vec<Event>, Rejection> {
        if self.apps.is_empty() && self.releases.is_empty() {
            return Ok(vec![Event::WorkspaceClosed {}]);
        }
        Err(Rejection::NotEmpty {
            apps: self.apps.values().cloned().collect(),
            releases: self.releases.values().cloned().collect(),
        })
    }
}

fn in_the_way(apps: &[ChartName], releases: &[ReleaseName]) -> String {
    let apps = named("apps", apps.iter().map(ChartName::as_str));
    let releases = named("releases", releases.iter().map(ReleaseName::as_str));
    let kinds: Vec<_> = apps.into_iter().chain(releases).collect();
    kinds.join(" and ")
}

fn named<'a>(what: &str, names: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    let count = names.len();
    let shown: Vec<_> = names.take(NAMED_MAX).collect();
    let more = if count > NAMED_MAX { ", …" } else { "" };
    (count > 0).then(|| format!("{count} {what} ({}{more})", shown.join(", ")))
}

#[cfg(test)]
mod tests;
