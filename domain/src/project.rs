//! Projects: a workspace's namespaces on clusters, where its releases go.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::{ClusterId, WorkspaceId},
    names::{Namespace, ProjectName},
};

/// The facts of a project's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    ProjectCreated {
        workspace: WorkspaceId,
        name: ProjectName,
        cluster: ClusterId,
        namespace: Namespace,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub workspace: WorkspaceId,
    pub name: ProjectName,
    pub cluster: ClusterId,
    pub namespace: Namespace,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create {
        workspace: WorkspaceId,
        name: ProjectName,
        cluster: ClusterId,
        namespace: Namespace,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this project exists already")]
pub struct Exists;

impl Reject for Exists {
    fn code(&self) -> &'static str {
        "PROJECT_EXISTS"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Decider for Project {
    const CATEGORY: &'static str = "project";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Exists;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Exists> {
        let Command::Create {
            workspace,
            name,
            cluster,
            namespace,
        } = command;
        if state.is_some() {
            return Err(Exists);
        }
        Ok(vec![Event::ProjectCreated {
            workspace,
            name,
            cluster,
            namespace,
        }])
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        let Event::ProjectCreated {
            workspace,
            name,
            cluster,
            namespace,
        } = event;
        Some(Self {
            workspace: *workspace,
            name: name.clone(),
            cluster: *cluster,
            namespace: namespace.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::spec::given;

    #[test]
    fn a_project_is_created_once() {
        let workspace = WorkspaceId::from_uuid(Uuid::from_u128(1));
        let cluster = ClusterId::from_uuid(Uuid::from_u128(2));
        let (name, namespace): (ProjectName, Namespace) = ("demo".parse().unwrap(), "demo".parse().unwrap());
        let created = Event::ProjectCreated {
            workspace,
            name: name.clone(),
            cluster,
            namespace: namespace.clone(),
        };
        let create = Command::Create {
            workspace,
            name,
            cluster,
            namespace,
        };
        given::<Project>([]).when(create.clone()).then([created.clone()]);
        given::<Project>([created]).when(create).then_rejected(&Exists);
    }
}
