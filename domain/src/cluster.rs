//! Clusters: where releases run.
//!
//! A Kubernetes cluster is known by the UID of its namespace `kube-system`, so it is registered once however it is
//! reached. How it is reached, its kubeconfig, is sealed under the cluster's own key.

mod event;
mod rejection;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use uuid::Uuid;

pub use self::{
    event::{Event, Kind, Kubernetes, Trouble},
    rejection::Rejection,
};
use crate::{
    decider::{Decider, Stamp},
    digest::Sealed,
    ids::AppId,
    names::ClusterName,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub name: ClusterName,
    /// `None` for a folder of rendered manifests.
    pub link: Option<Link>,
    /// Apps whose releases may hold what belongs to the whole cluster.
    pub cluster_wide: BTreeSet<AppId>,
}

/// How a Kubernetes cluster is known and reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub uid: Uuid,
    pub kubeconfig: Sealed,
    pub condition: Condition,
}

/// What the last check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Reached { version: String },
    Lost { reason: Trouble },
}

/// What answers at a cluster's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub uid: Uuid,
    pub version: String,
}

#[derive(Debug, Clone)]
pub enum Command {
    Register {
        name: ClusterName,
        /// `None` registers a folder of rendered manifests.
        kubernetes: Option<Kubernetes>,
    },
    /// Another way to the same cluster.
    ReplaceKubeconfig {
        kubeconfig: Sealed,
        found: Found,
    },
    /// What a check found is recorded if it changed.
    Check {
        found: Result<Found, Trouble>,
    },
    /// Releases of an app may hold objects of the whole cluster and of other namespaces.
    AllowClusterScope {
        app: AppId,
    },
    ForbidClusterScope {
        app: AppId,
    },
}

impl Cluster {
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.link {
            None => Kind::Directory,
            Some(_) => Kind::Kubernetes,
        }
    }

    fn link(&self) -> Result<&Link, Rejection> {
        self.link.as_ref().ok_or(Rejection::NotKubernetes)
    }

    fn replace(&self, kubeconfig: Sealed, found: Found) -> Result<Vec<Event>, Rejection> {
        let link = self.link()?;
        if found.uid != link.uid {
            return Err(Rejection::AnotherCluster {
                registered: link.uid,
                found: found.uid,
            });
        }
        let mut events = vec![Event::KubeconfigReplaced { kubeconfig }];
        events.extend(link.changed(Ok(found)));
        Ok(events)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::ClusterRegistered { .. } => {}
            Event::KubeconfigReplaced { kubeconfig } => {
                if let Some(link) = &mut self.link {
                    link.kubeconfig = kubeconfig.clone();
                }
            }
            Event::ClusterReached { version } => self.found(Condition::Reached {
                version: version.clone(),
            }),
            Event::ClusterLost { reason } => self.found(Condition::Lost { reason: *reason }),
            Event::ClusterScopeAllowed { app } => {
                self.cluster_wide.insert(*app);
            }
            Event::ClusterScopeForbidden { app } => {
                self.cluster_wide.remove(app);
            }
        }
    }

    fn found(&mut self, condition: Condition) {
        if let Some(link) = &mut self.link {
            link.condition = condition;
        }
    }
}

impl Link {
    /// What a check has to record: nothing if it found what the last one did.
    fn changed(&self, found: Result<Found, Trouble>) -> Option<Event> {
        let condition = match found {
            Ok(found) if found.uid != self.uid => Condition::Lost {
                reason: Trouble::AnotherCluster,
            },
            Ok(Found { version, .. }) => Condition::Reached { version },
            Err(reason) => Condition::Lost { reason },
        };
        if condition == self.condition {
            return None;
        }
        Some(match condition {
            Condition::Reached { version } => Event::ClusterReached { version },
            Condition::Lost { reason } => Event::ClusterLost { reason },
        })
    }
}

impl Decider for Cluster {
    const CATEGORY: &'static str = "cluster";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Some(cluster) = state else {
            let Command::Register { name, kubernetes } = command else {
                return Err(Rejection::NotFound);
            };
            let kind = kubernetes.as_ref().map_or(Kind::Directory, |_| Kind::Kubernetes);
            return Ok(vec![Event::ClusterRegistered { name, kind, kubernetes }]);
        };
        match command {
            Command::Register { .. } => Err(Rejection::Exists),
            Command::ReplaceKubeconfig { kubeconfig, found } => cluster.replace(kubeconfig, found),
            Command::Check { found } => Ok(cluster.link()?.changed(found).into_iter().collect()),
            Command::AllowClusterScope { app } => {
                cluster.link()?;
                let is_allowed = cluster.cluster_wide.contains(&app);
                Ok((!is_allowed)
                    .then_some(Event::ClusterScopeAllowed { app })
                    .into_iter()
                    .collect())
            }
            Command::ForbidClusterScope { app } => {
                let is_allowed = cluster.cluster_wide.contains(&app);
                Ok(is_allowed
                    .then_some(Event::ClusterScopeForbidden { app })
                    .into_iter()
                    .collect())
            }
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        if let Event::ClusterRegistered { name, kubernetes, .. } = event {
            let link = kubernetes.clone().map(|kubernetes| Link {
                uid: kubernetes.uid,
                kubeconfig: kubernetes.kubeconfig,
                condition: Condition::Reached {
                    version: kubernetes.version,
                },
            });
            return Some(Self {
                name: name.clone(),
                link,
                cluster_wide: BTreeSet::new(),
            });
        }
        let mut cluster = state?;
        cluster.apply(event);
        Some(cluster)
    }
}
