//! Unique names are streams: a name is taken by the event that says so, under an expected revision.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::Digest,
    ids::{ClusterId, ProjectId, WorkspaceId},
    names::{CategoryName, ChartName, ClusterName, Namespace, ProjectName, ReleaseName, WorkspaceName},
};

/// A name, and where it must be the only one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claim {
    /// An app is called as its chart is, once per workspace.
    App {
        workspace: WorkspaceId,
        chart: ChartName,
    },
    /// The store is one Helm repository, so a chart name means one app there: the first that publishes it.
    Store {
        chart: ChartName,
    },
    Workspace(WorkspaceName),
    Project {
        workspace: WorkspaceId,
        name: ProjectName,
    },
    Cluster(ClusterName),
    /// A Kubernetes cluster, by the UID of its namespace `kube-system`: it is registered once, whatever it is called.
    ClusterUid(Uuid),
    /// A namespace of a cluster belongs to one project: each acts there with its own identity.
    Namespace {
        cluster: ClusterId,
        namespace: Namespace,
    },
    Category(CategoryName),
    Release {
        project: ProjectId,
        name: ReleaseName,
    },
    /// The keyed hash of an account's name: names of people do not enter the log in the clear.
    Account(Digest),
    /// The keyed hash of what an `OpenID` provider calls somebody: of its issuer and subject.
    Identity(Digest),
}

impl Claim {
    /// The stream that decides who has the name. Names that readers would confuse share a stream.
    #[must_use]
    pub fn stream_key(&self) -> String {
        match self {
            Self::App { workspace, chart } => format!("app-{workspace}-{chart}"),
            Self::Store { chart } => format!("store-{chart}"),
            Self::Workspace(name) => format!("workspace-{name}"),
            Self::Project { workspace, name } => format!("project-{workspace}-{name}"),
            Self::Cluster(name) => format!("cluster-{name}"),
            Self::ClusterUid(uid) => format!("kubernetes-{uid}"),
            Self::Namespace { cluster, namespace } => format!("namespace-{cluster}-{namespace}"),
            Self::Category(name) => format!("category-{}", hex(&name.as_str().to_lowercase())),
            Self::Release { project, name } => format!("release-{project}-{name}"),
            Self::Account(keyed_hash) => format!("account-{}", hex_bytes(keyed_hash.as_bytes())),
            Self::Identity(keyed_hash) => format!("identity-{}", hex_bytes(keyed_hash.as_bytes())),
        }
    }
}

/// Free text as a stream key: its UTF-8 bytes in hexadecimal.
fn hex(text: &str) -> String {
    hex_bytes(text.as_bytes())
}

fn hex_bytes(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}"); // writing to a string cannot fail
            hex
        })
}

/// The facts of a name's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// `holder` is the stream of what is now called so.
    NameTaken {
        holder: String,
    },
    NameReleased {
        holder: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub holder: String,
}

#[derive(Debug, Clone)]
pub enum Command {
    Take { holder: String },
    Release { holder: String },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this name is taken")]
pub struct Taken;

impl Reject for Taken {
    fn code(&self) -> &'static str {
        "NAME_TAKEN"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Decider for Name {
    const CATEGORY: &'static str = "name";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Taken;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Taken> {
        match (command, state) {
            (Command::Take { holder }, None) => Ok(vec![Event::NameTaken { holder }]),
            (Command::Take { holder }, Some(name)) if name.holder == holder => Ok(vec![]),
            (Command::Take { .. }, Some(_)) => Err(Taken),
            (Command::Release { holder }, Some(name)) if name.holder == holder => {
                Ok(vec![Event::NameReleased { holder }])
            }
            (Command::Release { .. }, _) => Ok(vec![]),
        }
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        match event {
            Event::NameTaken { holder } => Some(Self { holder: holder.clone() }),
            Event::NameReleased { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    fn taken_by(holder: &str) -> Event {
        Event::NameTaken {
            holder: holder.to_owned(),
        }
    }

    fn take(holder: &str) -> Command {
        Command::Take {
            holder: holder.to_owned(),
        }
    }

    #[test]
    fn a_name_has_one_holder_at_a_time() {
        given::<Name>([]).when(take("app-1")).then([taken_by("app-1")]);
        given::<Name>([taken_by("app-1")])
            .when(take("app-2"))
            .then_rejected(&Taken);
        given::<Name>([taken_by("app-1")]).when(take("app-1")).then([]);
    }

    #[test]
    fn a_released_name_can_be_taken_again() {
        let released = Event::NameReleased {
            holder: "app-1".to_owned(),
        };
        given::<Name>([taken_by("app-1"), released])
            .when(take("app-2"))
            .then([taken_by("app-2")]);
    }

    #[test]
    fn only_the_holder_releases_a_name() {
        given::<Name>([taken_by("app-1")])
            .when(Command::Release {
                holder: "app-2".to_owned(),
            })
            .then([]);
    }

    #[test]
    fn names_that_differ_only_in_case_are_one_name() {
        let claim = |name: &str| Claim::Category(name.parse().unwrap()).stream_key();
        assert_eq!(claim("Databases"), claim("databases"));
        assert_ne!(claim("Databases"), claim("Database"));
    }
}
