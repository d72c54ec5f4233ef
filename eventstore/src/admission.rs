//! Which of a batch's requests are stored: decided in memory, in the order they arrived, each one
//! seeing what those before it did. A request that is refused leaves no trace and harms no other.

use chrono::{DateTime, SubsecRound, Utc};

use crate::append::{Answer, AppendError, CommandId, PreparedAppend};
use crate::backend::{Answers, Found, Revisions};
use crate::event::{Position, Recorded, Revision};
use crate::sighting::Sighting;
use crate::store::Identity;
use crate::stream_name::StreamName;
use crate::transparency::merkle::{self, Frontier};

/// The generation of this program's writer. Raised when an older program must not write any more.
pub(crate) const WRITER_GENERATION: u32 = 1;

/// The one row every append goes through.
#[derive(Debug, Clone)]
pub(crate) struct HeadRow {
    pub(crate) identity: Identity,
    pub(crate) frontier: Frontier,
    /// The time of the last leaf.
    pub(crate) time: Option<DateTime<Utc>>,
    pub(crate) oldest_writer: u32,
}

/// Something to be stored.
#[derive(Debug)]
pub(crate) enum Work {
    Append(PreparedAppend),
    /// A command that changed nothing.
    Remember {
        command: CommandId,
        request: [u8; 32],
        position: Position,
    },
    /// The vault's rows ride in the same transactions, so that sealing is as cheap as appending.
    Vault(VaultRow),
    /// Beside the log: when things were seen.
    See(Vec<Sighting>),
}

#[derive(Debug)]
pub(crate) enum VaultRow {
    /// Kept only if the subject has no key yet.
    Key(VaultKey),
    Entry {
        digest: [u8; 32],
        subject: String,
        ciphertext: Vec<u8>,
    },
    /// The subject has no key any more, and never gets one again.
    Destroy {
        subject: String,
        /// The master key that counts, for a subject that never had a key.
        master: [u8; 8],
    },
    Rewrap(Vec<Rewrap>),
}

/// A key under another master key, if it still is the key it was.
#[derive(Debug)]
pub(crate) struct Rewrap {
    pub(crate) subject: String,
    pub(crate) master: [u8; 8],
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct VaultKey {
    pub(crate) subject: String,
    /// Which master key wraps it.
    pub(crate) master: [u8; 8],
    /// `None` once it was destroyed.
    pub(crate) wrapped: Option<Vec<u8>>,
}

/// An event with a place, and the hash the tree has for it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) recorded: Recorded,
    pub(crate) leaf_hash: merkle::Hash,
}

/// What is known about the log while a batch is admitted.
pub(crate) struct Ledger {
    pub(crate) head: HeadRow,
    revisions: Revisions,
    answers: Answers,
    /// Answers given by this batch.
    pub(crate) answered: Vec<(CommandId, Answer)>,
}

impl Ledger {
    pub(crate) fn new(found: Found) -> Self {
        let Found {
            head,
            revisions,
            answers,
        } = found;
        Self {
            head,
            revisions,
            answers,
            answered: Vec::new(),
        }
    }

    /// Stores `work` in memory and gives its events their places, or refuses it.
    pub(crate) fn admit(&mut self, work: &Work, now: DateTime<Utc>) -> Result<Vec<Entry>, AppendError> {
        match work {
            Work::Append(append) => self.admit_append(append, now),
            Work::Remember {
                command,
                request,
                position,
            } => {
                self.check_command(command, request)?;
                self.answer(
                    command,
                    Answer {
                        request: *request,
                        position: *position,
                        events: 0,
                    },
                );
                Ok(Vec::new())
            }
            Work::Vault(_) | Work::See(_) => Ok(Vec::new()),
        }
    }

    fn admit_append(&mut self, append: &PreparedAppend, now: DateTime<Utc>) -> Result<Vec<Entry>, AppendError> {
        if let Some((command, request)) = &append.command {
            self.check_command(command, request)?;
        }
        for write in &append.writes {
            self.check_revision(&write.stream, write.expected)?;
        }
        for guard in &append.guards {
            self.check_revision(&guard.stream, guard.revision)?;
        }
        let entries = self.place(append, now);
        if let (Some((command, request)), Some(last)) = (&append.command, entries.last()) {
            let events = entries.len() as u64;
            self.answer(
                command,
                Answer {
                    request: *request,
                    position: last.recorded.position,
                    events,
                },
            );
        }
        Ok(entries)
    }

    fn place(&mut self, append: &PreparedAppend, now: DateTime<Utc>) -> Vec<Entry> {
        let now = now.trunc_subsecs(3);
        let time = self.head.time.map_or(now, |last| last.max(now));
        self.head.time = Some(time);
        let mut entries = Vec::new();
        for write in &append.writes {
            for leaf in &write.leaves {
                let position = Position::new(self.head.frontier.size());
                let recorded = leaf.place(&write.stream, position, time);
                let leaf_hash = recorded.leaf_hash();
                self.head.frontier.append(leaf_hash);
                entries.push(Entry { recorded, leaf_hash });
            }
            let revision = write.expected.get() + write.leaves.len() as u64;
            self.revisions.insert(write.stream.clone(), Revision::new(revision));
        }
        entries
    }

    fn check_command(&self, command: &CommandId, request: &[u8; 32]) -> Result<(), AppendError> {
        match self.answers.get(command) {
            None => Ok(()),
            Some(answer) if answer.request == *request => Err(AppendError::AlreadyDone(*answer)),
            Some(_) => Err(AppendError::CommandReused),
        }
    }

    fn check_revision(&self, stream: &StreamName, expected: Revision) -> Result<(), AppendError> {
        let actual = self.revisions.get(stream).copied().unwrap_or(Revision::NONE);
        if actual == expected {
            return Ok(());
        }
        Err(AppendError::Conflict {
            stream: stream.clone(),
            expected,
            actual,
        })
    }

    fn answer(&mut self, command: &CommandId, answer: Answer) {
        self.answers.insert(command.clone(), answer);
        self.answered.push((command.clone(), answer));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::append::{Append, CommandKey, Context, NewEvent, Write};

    fn append(stream: &str, expected: u64, command: u128) -> Work {
        let event = NewEvent {
            id: Uuid::nil(),
            name: "Noted".to_owned(),
            schema: 1,
            data: json!({}),
        };
        let write = Write {
            stream: stream.parse().unwrap(),
            expected: Revision::new(expected),
            events: vec![event],
        };
        let context = Context {
            actor: "ada".to_owned(),
            command: Some(CommandKey {
                id: Uuid::from_u128(command),
                request: [1; 32],
            }),
            correlation_id: Uuid::nil(),
            causation_id: None,
        };
        let append = Append {
            writes: vec![write],
            guards: Vec::new(),
            context,
        };
        Work::Append(PreparedAppend::new(Uuid::nil(), append).unwrap())
    }

    fn ledger() -> Ledger {
        let head = HeadRow {
            identity: Identity {
                log_id: Uuid::nil(),
                epoch: Uuid::nil(),
            },
            frontier: Frontier::default(),
            time: None,
            oldest_writer: WRITER_GENERATION,
        };
        Ledger::new(Found {
            head,
            revisions: Revisions::new(),
            answers: Answers::new(),
        })
    }

    #[test]
    fn a_request_sees_what_those_before_it_in_the_batch_did() {
        let mut ledger = ledger();
        assert_eq!(
            ledger
                .admit(&append("app-1", 0, 1), DateTime::UNIX_EPOCH)
                .unwrap()
                .len(),
            1
        );
        let moved = ledger.admit(&append("app-1", 0, 2), DateTime::UNIX_EPOCH);
        assert!(matches!(moved, Err(AppendError::Conflict { actual, .. }) if actual == Revision::new(1)));
        let next = ledger.admit(&append("app-1", 1, 2), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(next[0].recorded.position, Position::new(1));
        let repeated = ledger.admit(&append("app-1", 0, 1), DateTime::UNIX_EPOCH);
        assert!(matches!(repeated, Err(AppendError::AlreadyDone(answer)) if answer.position == Position::START));
    }

    #[test]
    fn a_refused_request_leaves_no_trace() {
        let mut ledger = ledger();
        ledger
            .admit(
                &append("app-1", 4, 1),
                DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1),
            )
            .unwrap_err();
        assert_eq!((ledger.head.frontier.size(), ledger.head.time), (0, None));
        assert!(ledger.answered.is_empty());
        assert_eq!(
            ledger.admit(&append("app-1", 0, 1), DateTime::UNIX_EPOCH).unwrap()[0]
                .recorded
                .time,
            DateTime::UNIX_EPOCH
        );
    }
}
