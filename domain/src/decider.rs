//! The shape every aggregate has: two pure functions over its own events.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::ids::Actor;

/// Who did something, and when: what the envelope of a stored event says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub by: Actor,
    pub at: DateTime<Utc>,
}

/// An aggregate: `decide` judges, `evolve` remembers.
///
/// `decide` answers with the facts that follow from a command, none if what it asks for is already so, or a
/// rejection. `evolve` accepts every fact that was ever recorded, in order, and judges nothing: rules may change,
/// history does not.
pub trait Decider {
    /// What the aggregate's streams start with: the stream of an app is `app-<id>`.
    const CATEGORY: &'static str;
    type Command;
    type Event: Clone;
    type State: Default;
    type Rejection: Reject;

    fn decide(state: &Self::State, command: Self::Command, stamp: Stamp) -> Result<Vec<Self::Event>, Self::Rejection>;

    #[must_use]
    fn evolve(state: Self::State, event: &Self::Event, stamp: Stamp) -> Self::State;

    /// The state after `events`, starting from nothing.
    #[must_use]
    fn fold<'a>(events: impl IntoIterator<Item = (&'a Self::Event, Stamp)>) -> Self::State
    where
        Self::Event: 'a,
    {
        events
            .into_iter()
            .fold(Self::State::default(), |state, (event, stamp)| {
                Self::evolve(state, event, stamp)
            })
    }
}

/// What the caller of a rejected command can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// The thing named does not exist, or must look as if it did not.
    NotFound,
    /// It exists, and this caller may not do this to it.
    Forbidden,
    /// The command can never succeed as it stands.
    Invalid,
    /// The command came at the wrong moment: look again, then decide again.
    Conflict,
}

/// A refusal that names its rule.
pub trait Reject: std::error::Error + Send + Sync + 'static {
    /// Stable over versions; clients branch on it. `docs/errors.md` lists them all.
    fn code(&self) -> &'static str;
    fn kind(&self) -> RejectionKind;
}
