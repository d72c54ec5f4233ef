//! Workspaces: the tenants that own apps and projects.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    names::WorkspaceName,
};

/// The facts of a workspace's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    WorkspaceCreated { name: WorkspaceName },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub name: WorkspaceName,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { name: WorkspaceName },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this workspace exists already")]
pub struct Exists;

impl Reject for Exists {
    fn code(&self) -> &'static str {
        "WORKSPACE_EXISTS"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Decider for Workspace {
    const CATEGORY: &'static str = "workspace";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Exists;

    fn decide(state: &Self::State, Command::Create { name }: Command, _: Stamp) -> Result<Vec<Event>, Exists> {
        if state.is_some() {
            Err(Exists)
        } else {
            Ok(vec![Event::WorkspaceCreated { name }])
        }
    }

    fn evolve(_: Self::State, Event::WorkspaceCreated { name }: &Event, _: Stamp) -> Self::State {
        Some(Self { name: name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    #[test]
    fn a_workspace_is_created_once() {
        let name: WorkspaceName = "demo".parse().unwrap();
        let created = Event::WorkspaceCreated { name: name.clone() };
        given::<Workspace>([])
            .when(Command::Create { name: name.clone() })
            .then([created.clone()]);
        given::<Workspace>([created])
            .when(Command::Create { name })
            .then_rejected(&Exists);
    }
}
