//! The states of aggregates, remembered so that a long history is folded once and not for every command.
//!
//! What is remembered is never wrong, only behind: the log is asked for what came since, and an append is refused if it was
//! decided on less than all of it.

use std::{
    any::Any,
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    decider::{Decider, Stamp},
    event::{DomainEvent, StoredEvent},
};
use eventstore::{EventStore, Position, Recorded, Revision, StreamName};
use tokio::sync::Semaphore;

use super::CommandError;

/// Events that the remembered states were folded from. States grow with them, to some 100 bytes each.
const EVENTS_MAX: u64 = 400_000;
/// What a state weighs beside its events. That nothing happened yet is remembered too, and whoever asks for ids that
/// there are not can ask for many.
const STATE_WEIGHT: u64 = 8;

/// Histories that are read from their beginning at once. One may take megabytes until it is folded.
const READINGS_MAX: usize = 4;

/// Clones share it.
#[derive(Clone, Default)]
pub struct States(Arc<Shared>);

struct Shared {
    remembered: Mutex<Remembered>,
    readings: Semaphore,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            remembered: Mutex::default(),
            readings: Semaphore::new(READINGS_MAX),
        }
    }
}

#[derive(Default)]
struct Remembered {
    states: HashMap<StreamName, Known>,
    events: u64,
    /// Counts what was looked up or remembered.
    moment: u64,
}

struct Known {
    state: Arc<dyn Any + Send + Sync>,
    revision: Revision,
    /// No event of the stream before this position is missing.
    seen: Position,
    /// When it was last of use.
    used: u64,
}

impl Known {
    fn weight(&self) -> u64 {
        self.revision.get().saturating_add(STATE_WEIGHT)
    }
}

impl States {
    /// The state of an aggregate as the log has it now: as it is remembered, with what happened since.
    ///
    /// # Errors
    ///
    /// [`CommandError::Internal`] if the log cannot be read or holds what this program does not understand.
    pub async fn read<D>(
        &self,
        log: &EventStore,
        stream: &StreamName,
    ) -> Result<(Arc<D::State>, Revision), CommandError>
    where
        D: Decider,
        D::Event: StoredEvent,
        D::State: Clone + Send + Sync + 'static,
    {
        let size = Position::new(log.known_size());
        let (state, revision, since, _reading) = match self.get::<D::State>(stream) {
            Some((state, revision, seen)) => {
                let since = log.read_stream_since(stream, revision, seen).await?;
                (state, revision, since, None)
            }
            None => {
                // It is never closed.
                let reading = self.0.readings.acquire().await.ok();
                let all = log.read_stream(stream, Revision::NONE).await?;
                (Arc::default(), Revision::NONE, all, reading)
            }
        };
        let (state, revision) = match since.last() {
            Some(last) => {
                let state = fold::<D>(Arc::unwrap_or_clone(state), &since)?;
                (Arc::new(state), last.revision)
            }
            None => (state, revision),
        };
        self.put(stream, Arc::clone(&state), revision, size);
        Ok((state, revision))
    }

    /// The state of a stream at a revision, and the position before which all its events are known.
    fn get<S: Send + Sync + 'static>(&self, stream: &StreamName) -> Option<(Arc<S>, Revision, Position)> {
        let mut remembered = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = remembered.tick();
        let known = remembered.states.get_mut(stream)?;
        known.used = moment;
        let state = Arc::clone(&known.state).downcast().ok()?;
        Some((state, known.revision, known.seen))
    }

    fn put<S: Send + Sync + 'static>(&self, stream: &StreamName, state: Arc<S>, revision: Revision, seen: Position) {
        let mut remembered = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let used = remembered.tick();
        let known = Known {
            state,
            revision,
            seen,
            used,
        };
        remembered.events += known.weight();
        let before = remembered.states.insert(stream.clone(), known);
        remembered.events -= before.map_or(0, |before| before.weight());
        if remembered.events > EVENTS_MAX {
            remembered.forget_half();
        }
    }
}

impl Remembered {
    const fn tick(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    /// Forgets what was not used for the longest time: seldom, and then much of it.
    fn forget_half(&mut self) {
        let mut used: Vec<_> = self.states.values().map(|known| known.used).collect();
        used.sort_unstable();
        let middle = used[used.len() / 2];
        self.states.retain(|_, known| known.used > middle);
        self.events = self.states.values().map(Known::weight).sum();
    }
}

/// The state of an aggregate as the log has it now, for those who decide nothing.
///
/// # Errors
///
/// [`CommandError::Internal`] if the log cannot be read or holds what this program does not understand.
pub async fn load<D>(log: &EventStore, key: impl Display) -> Result<D::State, CommandError>
where
    D: Decider,
    D::Event: StoredEvent,
{
    let recorded = log.read_stream(&stream::<D>(key)?, Revision::NONE).await?;
    fold::<D>(D::State::default(), &recorded)
}

fn fold<D>(state: D::State, recorded: &[Recorded]) -> Result<D::State, CommandError>
where
    D: Decider,
    D::Event: StoredEvent,
{
    recorded.iter().try_fold(state, |state, event| {
        let (event, stamp) = restore::<D>(event)?;
        Ok(D::evolve(state, &event, stamp))
    })
}

pub fn stream<D: Decider>(key: impl Display) -> Result<StreamName, CommandError> {
    StreamName::new(D::CATEGORY, key).map_err(CommandError::internal)
}

/// What happened, to whatever it happened.
///
/// # Errors
///
/// [`CommandError::Internal`] if this program does not understand it.
pub fn decoded(recorded: &Recorded) -> Result<DomainEvent, CommandError> {
    let event = DomainEvent::restore(recorded.stream.category(), &recorded.name, &recorded.data);
    event.map_err(CommandError::internal)
}

/// What happened to an aggregate of a kind that is known.
///
/// # Errors
///
/// [`CommandError::Internal`] if this program does not understand it.
pub fn restore<D>(recorded: &Recorded) -> Result<(D::Event, Stamp), CommandError>
where
    D: Decider,
    D::Event: StoredEvent,
{
    let event = D::Event::restore(&recorded.name, &recorded.data).map_err(CommandError::internal)?;
    let by = recorded.actor.parse().map_err(CommandError::internal)?;
    Ok((event, Stamp { by, at: recorded.time }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(n: u64) -> StreamName {
        StreamName::new("app", n).unwrap()
    }

    #[test]
    fn a_state_is_remembered_with_its_revision_until_a_later_one() {
        let states = States::default();
        assert_eq!(states.get::<u64>(&stream(1)), None);
        for revision in [1, 2] {
            let (state, seen) = (Arc::new(revision * 10), Position::new(revision * 100));
            states.put(&stream(1), Arc::clone(&state), Revision::new(revision), seen);
            let known = (state, Revision::new(revision), seen);
            assert_eq!(states.get(&stream(1)), Some(known));
        }
        assert_eq!(states.0.remembered.lock().unwrap().events, 2 + STATE_WEIGHT);
    }

    #[test]
    fn what_was_not_used_for_long_is_forgotten_when_there_is_too_much() {
        let states = States::default();
        let tenth = EVENTS_MAX / 10;
        for n in 0..10 {
            states.put(
                &stream(n),
                Arc::new(n),
                Revision::new(tenth - STATE_WEIGHT),
                Position::START,
            );
        }
        assert!(states.get::<u64>(&stream(0)).is_some(), "it is of use again");
        states.put(&stream(10), Arc::new(10_u64), Revision::NONE, Position::START);
        let known: Vec<_> = (0..=10).filter(|n| states.get::<u64>(&stream(*n)).is_some()).collect();
        assert_eq!(known, [0, 7, 8, 9, 10]);
        assert_eq!(states.0.remembered.lock().unwrap().events, tenth * 4 + STATE_WEIGHT);
    }

    #[test]
    fn one_state_that_is_more_than_everything_is_not_kept() {
        let states = States::default();
        states.put(&stream(1), Arc::new(1), Revision::new(EVENTS_MAX + 1), Position::START);
        assert_eq!(states.get::<i32>(&stream(1)), None);
        assert_eq!(states.0.remembered.lock().unwrap().events, 0);
    }
}
