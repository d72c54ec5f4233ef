//! given / when / then for any aggregate: the tests of a decider read as its specification.

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    decider::{Decider, Stamp},
    ids::{AccountId, Actor},
};

/// Who acts where a test does not say.
#[must_use]
pub fn somebody() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(0xA11CE))
}

/// When a test's events happen where it does not say.
#[must_use]
pub fn noon() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(12)
}

#[must_use]
pub fn stamp(by: AccountId) -> Stamp {
    Stamp {
        by: Actor::Account(by),
        at: noon(),
    }
}

pub struct Given<D: Decider> {
    state: D::State,
}

impl<D: Decider<State: Clone>> Clone for Given<D> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
        }
    }
}

/// The state after `events`, all done by [`somebody`] at [`noon`].
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given {
        state: D::State::default(),
    }
    .and(somebody(), events)
}

impl<D: Decider> Given<D> {
    /// More events, done by `by`.
    #[must_use]
    pub fn and(mut self, by: AccountId, events: impl IntoIterator<Item = D::Event>) -> Self {
        self.state = events
            .into_iter()
            .fold(self.state, |state, event| D::evolve(state, &event, stamp(by)));
        self
    }

    /// The command, given by [`somebody`] at [`noon`].
    pub fn when(self, command: D::Command) -> Then<D> {
        self.when_stamped(command, stamp(somebody()))
    }

    pub fn when_by(self, by: AccountId, command: D::Command) -> Then<D> {
        self.when_stamped(command, stamp(by))
    }

    pub fn when_stamped(self, command: D::Command, stamp: Stamp) -> Then<D> {
        Then {
            outcome: D::decide(&self.state, command, stamp),
        }
    }

    pub fn state(self) -> D::State {
        self.state
    }
}

#[must_use = "a specification without its `then` asserts nothing"]
pub struct Then<D: Decider> {
    outcome: Result<Vec<D::Event>, D::Rejection>,
}

impl<D: Decider> Then<D>
where
    D::Event: Debug + PartialEq,
    D::Rejection: PartialEq,
{
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) {
        assert_eq!(self.outcome, Ok(expected.into_iter().collect()));
    }

    #[track_caller]
    pub fn then_rejected(self, expected: &D::Rejection) {
        assert_eq!(self.outcome.as_ref(), Err(expected));
    }
}
