//! An event as projectors see it: decoded, with its place, its time and its author.

use std::str::FromStr;

use domain::{decider::Stamp, event::DomainEvent, ids::Actor};
use eventstore::{Recorded, StreamName};
use uuid::Uuid;

use crate::{
    error::{UnreadableEvent, ViewError},
    moment::Mark,
};

#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) position: u64,
    pub(crate) id: Uuid,
    pub(crate) stream: StreamName,
    /// The event's number in its stream, from 1.
    pub(crate) revision: u64,
    pub(crate) name: String,
    /// What all events of one action have in common, those it set off included.
    pub(crate) correlation: Uuid,
    /// The event that this one is a reaction to.
    pub(crate) causation: Option<Uuid>,
    pub(crate) stamp: Stamp,
    pub(crate) event: DomainEvent,
}

impl Fact {
    /// # Errors
    ///
    /// [`ViewError::Undecodable`] if this program does not know the event.
    pub(crate) fn decode(recorded: &Recorded) -> Result<Self, ViewError> {
        let position = recorded.position.get();
        Self::read(recorded).map_err(|source| ViewError::Undecodable { position, source })
    }

    fn read(recorded: &Recorded) -> Result<Self, UnreadableEvent> {
        Ok(Self {
            position: recorded.position.get(),
            id: recorded.id,
            stream: recorded.stream.clone(),
            revision: recorded.revision.get(),
            name: recorded.name.clone(),
            correlation: recorded.correlation_id,
            causation: recorded.causation_id,
            stamp: Stamp {
                by: recorded.actor.parse::<Actor>()?,
                at: recorded.time,
            },
            event: DomainEvent::restore(recorded.stream.category(), &recorded.name, &recorded.data)?,
        })
    }

    /// The id that the event's stream is named by.
    pub(crate) fn subject<T: FromStr>(&self) -> Result<T, ViewError> {
        self.stream.key().parse().map_err(|_| ViewError::Undecodable {
            position: self.position,
            source: UnreadableEvent::Stream(self.stream.as_str().to_owned()),
        })
    }

    pub(crate) const fn mark(&self) -> Mark {
        Mark {
            position: self.position,
            at: self.stamp.at,
            by: self.stamp.by.account(),
        }
    }
}
