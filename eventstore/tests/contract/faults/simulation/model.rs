//! What a log is, without a database: the fewest lines that keep its promises.

use std::collections::HashMap;

use eventstore::{Append, AppendError, Appended};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Model {
    /// Stream and id of each event, in order.
    pub(super) events: Vec<(String, Uuid)>,
    /// What each command was answered: its request, and the position it reached.
    pub(super) commands: HashMap<(String, Uuid), ([u8; 32], u64)>,
}

/// How an append ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored { first: u64, last: u64 },
    AlreadyDone { position: u64 },
    CommandReused,
    Conflict { stream: String, actual: u64 },
}

impl Model {
    pub(super) fn revision(&self, stream: &str) -> u64 {
        self.events.iter().filter(|(name, _)| name == stream).count() as u64
    }

    pub(super) fn append(&mut self, append: &Append) -> Outcome {
        let command = append
            .context
            .command
            .map(|key| ((append.context.actor.clone(), key.id), key.request));
        if let Some((known, position)) = command.as_ref().and_then(|(id, _)| self.commands.get(id)) {
            let same = command.as_ref().is_some_and(|(_, request)| request == known);
            return if same {
                Outcome::AlreadyDone { position: *position }
            } else {
                Outcome::CommandReused
            };
        }
        let writes = append.writes.iter().map(|write| (&write.stream, write.expected));
        let guards = append.guards.iter().map(|guard| (&guard.stream, guard.revision));
        for (stream, expected) in writes.chain(guards) {
            let actual = self.revision(stream.as_str());
            if actual != expected.get() {
                let stream = stream.to_string();
                return Outcome::Conflict { stream, actual };
            }
        }
        let first = self.events.len() as u64;
        for write in &append.writes {
            self.events
                .extend(write.events.iter().map(|event| (write.stream.to_string(), event.id)));
        }
        let last = self.events.len() as u64 - 1;
        if let Some((id, request)) = command {
            self.commands.insert(id, (request, last));
        }
        Outcome::Stored { first, last }
    }
}

impl From<Result<Appended, AppendError>> for Outcome {
    fn from(outcome: Result<Appended, AppendError>) -> Self {
        match outcome {
            Ok(appended) => Self::Stored {
                first: appended.first.get(),
                last: appended.last.get(),
            },
            Err(AppendError::AlreadyDone(answer)) => Self::AlreadyDone {
                position: answer.position.get(),
            },
            Err(AppendError::CommandReused) => Self::CommandReused,
            Err(AppendError::Conflict { stream, actual, .. }) => Self::Conflict {
                stream: stream.to_string(),
                actual: actual.get(),
            },
            Err(error) => panic!("{error:?}"),
        }
    }
}
