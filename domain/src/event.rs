//! Every stored event, under its stored name.

mod tagged;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::tagged::Tagged;
use crate::{
    account::{self, Account},
    app::{self, App},
    category::{self, Category},
    cluster::{self, Cluster},
    content::{self, Content},
    decider::Decider,
    export::{self, Export},
    health::{self, Observed},
    invitation::{self, Invitations},
    log,
    name::{self, Name},
    project::{self, Project},
    refusal::{self, Refusal},
    release::{self, Release},
    review_policy::{self, ReviewPolicy},
    role::{self, Role},
    session::{self, Session},
    workspace::{self, Workspace},
};

/// The schema of every event stored so far; a changed one gets the next number and an upcaster.
pub const SCHEMA: u32 = 1;

/// Any fact, of any aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainEvent {
    Account(account::Event),
    App(app::Event),
    Category(category::Event),
    Cluster(cluster::Event),
    Export(export::Event),
    Content(content::Event),
    Health(health::Event),
    Invitation(invitation::Event),
    Log(log::Event),
    Name(name::Event),
    Policy(review_policy::Event),
    Project(project::Event),
    Refusal(refusal::Event),
    Release(release::Event),
    Role(role::Event),
    Session(session::Event),
    Workspace(workspace::Event),
}

/// An event as the log keeps it: its name, and its facts as a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub name: String,
    pub data: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum UndecodableEvent {
    #[error("no aggregate has streams like {0:?}")]
    UnknownCategory(String),
    #[error("{name} does not decode as an event of {category:?}")]
    Malformed {
        category: String,
        name: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("an event serialises as its name and an object of facts, and this one did not")]
    NotAnObject,
}

/// The events of one aggregate, to and from storage.
pub trait StoredEvent: Serialize + for<'a> Deserialize<'a> {
    /// # Errors
    ///
    /// If the event holds something JSON cannot express; none does.
    fn store(&self) -> Result<Stored, UndecodableEvent> {
        let malformed = |source| UndecodableEvent::Malformed {
            category: String::new(),
            name: String::new(),
            source,
        };
        match serde_json::to_value(self).map_err(malformed)? {
            Value::Object(mut map) => match (map.remove("type"), map.remove("data")) {
                (Some(Value::String(name)), Some(data)) => Ok(Stored { name, data }),
                _ => Err(UndecodableEvent::NotAnObject),
            },
            _ => Err(UndecodableEvent::NotAnObject),
        }
    }

    /// `data` is the JSON of the facts.
    ///
    /// # Errors
    ///
    /// If `name` is not an event of this aggregate, or `data` is not JSON or lacks one of its facts. Unknown facts are
    /// ignored: an older program reads what a newer one wrote.
    fn restore(name: &str, data: &[u8]) -> Result<Self, serde_json::Error> {
        Self::deserialize(Tagged::new(name, data))
    }
}

impl<E: Serialize + for<'a> Deserialize<'a>> StoredEvent for E {}

impl DomainEvent {
    /// Decodes an event of a stream such as `app-0198…`; `data` is the JSON of its facts.
    ///
    /// # Errors
    ///
    /// [`UndecodableEvent`] if the stream's category or the event's name is not known to this program: it was written
    /// by a newer one.
    pub fn restore(category: &str, name: &str, data: &[u8]) -> Result<Self, UndecodableEvent> {
        let malformed = |source| UndecodableEvent::Malformed {
            category: category.to_owned(),
            name: name.to_owned(),
            source,
        };
        let event = match category {
            Account::CATEGORY => StoredEvent::restore(name, data).map(Self::Account),
            App::CATEGORY => StoredEvent::restore(name, data).map(Self::App),
            Category::CATEGORY => StoredEvent::restore(name, data).map(Self::Category),
            Cluster::CATEGORY => StoredEvent::restore(name, data).map(Self::Cluster),
            Export::CATEGORY => StoredEvent::restore(name, data).map(Self::Export),
            Content::CATEGORY => StoredEvent::restore(name, data).map(Self::Content),
            Observed::CATEGORY => StoredEvent::restore(name, data).map(Self::Health),
            Invitations::CATEGORY => StoredEvent::restore(name, data).map(Self::Invitation),
            log::CATEGORY => StoredEvent::restore(name, data).map(Self::Log),
            Name::CATEGORY => StoredEvent::restore(name, data).map(Self::Name),
            ReviewPolicy::CATEGORY => StoredEvent::restore(name, data).map(Self::Policy),
            Project::CATEGORY => StoredEvent::restore(name, data).map(Self::Project),
            Refusal::CATEGORY => StoredEvent::restore(name, data).map(Self::Refusal),
            Release::CATEGORY => StoredEvent::restore(name, data).map(Self::Release),
            Role::CATEGORY => StoredEvent::restore(name, data).map(Self::Role),
            Session::CATEGORY => StoredEvent::restore(name, data).map(Self::Session),
            Workspace::CATEGORY => StoredEvent::restore(name, data).map(Self::Workspace),
            unknown => return Err(UndecodableEvent::UnknownCategory(unknown.to_owned())),
        };
        event.map_err(malformed)
    }
}
