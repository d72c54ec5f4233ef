//! Published content that was taken away: the digest stays in the log, and nothing may name it any more.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::{Digest, Sealed},
};

/// The facts of a blob's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The bytes are gone, and are not taken in again.
    ContentRemoved {
        digest: Digest,
        /// Absent if it is the repetition of a removal that a restored log had forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Sealed>,
    },
}

/// Bytes by their SHA-256. There is no event of their coming: the events of others name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    pub removed: bool,
}

#[derive(Debug, Clone)]
pub enum Command {
    Remove {
        digest: Digest,
        reason: Option<Sealed>,
    },
    /// Something is about to be recorded that names these bytes.
    Name {
        digest: Digest,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content {digest} was removed from this store, and is not taken in again")]
pub struct Removed {
    pub digest: Digest,
}

impl Reject for Removed {
    fn code(&self) -> &'static str {
        "CONTENT_REMOVED"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

impl Content {
    /// The key of the stream of these bytes.
    #[must_use]
    pub fn key(digest: Digest) -> String {
        digest.to_string().trim_start_matches("sha256:").to_owned()
    }
}

impl Decider for Content {
    const CATEGORY: &'static str = "content";
    type Command = Command;
    type Event = Event;
    type State = Self;
    type Rejection = Removed;

    fn decide(state: &Self, command: Command, _: Stamp) -> Result<Vec<Event>, Removed> {
        match command {
            Command::Name { digest } if state.removed => Err(Removed { digest }),
            Command::Remove { digest, reason } if !state.removed => Ok(vec![Event::ContentRemoved { digest, reason }]),
            Command::Name { .. } | Command::Remove { .. } => Ok(vec![]),
        }
    }

    fn evolve(_: Self, event: &Event, _: Stamp) -> Self {
        match event {
            Event::ContentRemoved { .. } => Self { removed: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    fn digest() -> Digest {
        Digest::from_bytes([7; 32])
    }

    fn removed() -> Event {
        Event::ContentRemoved {
            digest: digest(),
            reason: None,
        }
    }

    fn remove() -> Command {
        Command::Remove {
            digest: digest(),
            reason: None,
        }
    }

    #[test]
    fn content_is_removed_once() {
        given::<Content>([]).when(remove()).then([removed()]);
        given::<Content>([removed()]).when(remove()).then([]);
    }

    #[test]
    fn what_was_removed_is_not_named_again() {
        let name = || Command::Name { digest: digest() };
        given::<Content>([]).when(name()).then([]);
        given::<Content>([removed()])
            .when(name())
            .then_rejected(&Removed { digest: digest() });
    }
}
