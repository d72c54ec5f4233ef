//! Projects: a workspace's namespaces on clusters, where its releases go.
//!
//! On Kubernetes a project acts as itself: it has a namespace, and a service account whose rights end there. Making them
//! is asked for by an event, done by an effect, and reported back by a command.

mod event;
mod rejection;
#[cfg(test)]
mod tests;

pub use self::{
    event::{Event, PreparationFailure},
    rejection::Rejection,
};
use crate::{
    decider::{Decider, Stamp},
    digest::Sealed,
    ids::{ClusterId, WorkspaceId},
    names::{Namespace, ProjectName},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub workspace: WorkspaceId,
    pub name: ProjectName,
    pub cluster: ClusterId,
    pub namespace: Namespace,
    pub readiness: Readiness,
}

/// Whether the project's namespace and service account are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    Preparing(Preparation),
    Ready,
    Failed(PreparationFailure),
}

/// What is to be made on the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preparation {
    /// A namespace that is there already and nobody's project becomes this one's.
    pub adopt: bool,
}

#[derive(Debug, Clone)]
pub enum Command {
    Create {
        workspace: WorkspaceId,
        name: ProjectName,
        cluster: ClusterId,
        namespace: Namespace,
        /// `None` where nothing has to be made: on a folder of manifests.
        preparation: Option<Preparation>,
    },
    /// Again: after a failure, or because something was deleted on the cluster.
    Prepare(Preparation),
    Succeed,
    Fail {
        reason: PreparationFailure,
        output: Sealed,
    },
}

/// What a fact calls for outside.
#[must_use]
pub const fn react(event: &Event) -> Option<Preparation> {
    match event {
        Event::PreparationRequested { adopt } => Some(Preparation { adopt: *adopt }),
        Event::ProjectCreated { .. } | Event::ProjectPrepared {} | Event::PreparationFailed { .. } => None,
    }
}

impl Decider for Project {
    const CATEGORY: &'static str = "project";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(project) = state else {
            return create(command);
        };
        match (command, project.readiness) {
            (Command::Create { .. }, _) => Err(Rejection::Exists),
            (Command::Prepare(asked), Readiness::Preparing(under_way)) if asked == under_way => Ok(vec![]),
            (Command::Prepare(Preparation { adopt }), _) => Ok(vec![Event::PreparationRequested { adopt }]),
            (Command::Succeed, Readiness::Preparing(_)) => Ok(vec![Event::ProjectPrepared {}]),
            (Command::Fail { reason, output }, Readiness::Preparing(_)) => {
                Ok(vec![Event::PreparationFailed { reason, output }])
            }
            // Two workers prepared it, and the other one was first.
            (Command::Succeed | Command::Fail { .. }, Readiness::Ready | Readiness::Failed(_)) => Ok(vec![]),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        let readiness = match event {
            Event::ProjectCreated {
                workspace,
                name,
                cluster,
                namespace,
            } => {
                return Some(Self {
                    workspace: *workspace,
                    name: name.clone(),
                    cluster: *cluster,
                    namespace: namespace.clone(),
                    readiness: Readiness::Ready,
                });
            }
            Event::PreparationRequested { adopt } => Readiness::Preparing(Preparation { adopt: *adopt }),
            Event::ProjectPrepared {} => Readiness::Ready,
            Event::PreparationFailed { reason, .. } => Readiness::Failed(*reason),
        };
        state.map(|project| Self { readiness, ..project })
    }
}

fn create(command: Command) -> Result<Vec<Event>, Rejection> {
    let Command::Create {
        workspace,
        name,
        cluster,
        namespace,
        preparation,
    } = command
    else {
        return Err(Rejection::NotFound);
    };
    if preparation.is_some() && namespace.is_reserved() {
        return Err(Rejection::NamespaceReserved { namespace });
    }
    let mut events = vec![Event::ProjectCreated {
        workspace,
        name,
        cluster,
        namespace,
    }];
    events.extend(preparation.map(|Preparation { adopt }| Event::PreparationRequested { adopt }));
    Ok(events)
}
