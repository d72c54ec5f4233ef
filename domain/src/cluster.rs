//! Clusters: where releases run.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    names::ClusterName,
};

/// What Helm's output is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder of rendered manifests: the embedded default, and what a tool such as Argo CD takes over.
    Directory,
}

/// The facts of a cluster's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    ClusterRegistered { name: ClusterName, kind: Kind },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub name: ClusterName,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Command {
    Register { name: ClusterName, kind: Kind },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this cluster exists already")]
pub struct Exists;

impl Reject for Exists {
    fn code(&self) -> &'static str {
        "CLUSTER_EXISTS"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Decider for Cluster {
    const CATEGORY: &'static str = "cluster";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Exists;

    fn decide(state: &Self::State, Command::Register { name, kind }: Command, _: Stamp) -> Result<Vec<Event>, Exists> {
        if state.is_some() {
            Err(Exists)
        } else {
            Ok(vec![Event::ClusterRegistered { name, kind }])
        }
    }

    fn evolve(_: Self::State, Event::ClusterRegistered { name, kind }: &Event, _: Stamp) -> Self::State {
        Some(Self {
            name: name.clone(),
            kind: *kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    #[test]
    fn a_cluster_is_registered_once() {
        let name: ClusterName = "local".parse().unwrap();
        let register = Command::Register {
            name: name.clone(),
            kind: Kind::Directory,
        };
        let registered = Event::ClusterRegistered {
            name,
            kind: Kind::Directory,
        };
        given::<Cluster>([]).when(register.clone()).then([registered.clone()]);
        given::<Cluster>([registered]).when(register).then_rejected(&Exists);
    }
}
