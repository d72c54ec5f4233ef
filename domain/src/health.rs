//! The health of a release: what the last look at its cluster found of what was applied there.
//!
//! It is observed, not decided: a stream of its own keeps what was found, whenever it was something new.

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::Sealed,
};

/// The worst of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Health {
    /// Everything is there, as it was applied, and says that it is ready.
    Ready,
    /// Something is no longer as it was applied.
    Drifted,
    /// Something is there and not ready.
    Degraded,
    /// Something is not there any more.
    Missing,
}

/// The facts of a release's health. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// `findings` names the objects that are not as they should be; absent if there are none.
    HealthChanged {
        health: Health,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        findings: Option<Sealed>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub health: Health,
    pub findings: Option<Sealed>,
}

/// What a look found. The same findings are named by what they were sealed as before.
#[derive(Debug, Clone)]
pub struct Observe(pub Observed);

/// Nothing that was observed is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn kind(&self) -> RejectionKind {
        match *self {}
    }
}

impl Decider for Observed {
    const CATEGORY: &'static str = "health";
    type Command = Observe;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, Observe(found): Observe, _: Stamp) -> Result<Vec<Event>, Rejection> {
        if state.as_ref() == Some(&found) {
            return Ok(vec![]);
        }
        let Self { health, findings } = found;
        Ok(vec![Event::HealthChanged { health, findings }])
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        let Event::HealthChanged { health, findings } = event;
        Some(Self {
            health: *health,
            findings: findings.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digest::Digest, spec::given};

    fn found(health: Health, findings: Option<u8>) -> Observed {
        let findings = findings.map(|number| Sealed {
            subject: "release-1".to_owned(),
            digest: Digest::from_bytes([number; 32]),
        });
        Observed { health, findings }
    }

    fn changed(Observed { health, findings }: Observed) -> Event {
        Event::HealthChanged { health, findings }
    }

    #[test]
    fn what_was_found_is_recorded_only_if_it_is_new() {
        let (ready, degraded) = (found(Health::Ready, None), found(Health::Degraded, Some(1)));
        given::<Observed>([])
            .when(Observe(ready.clone()))
            .then([changed(ready.clone())]);
        given::<Observed>([changed(ready.clone())])
            .when(Observe(ready.clone()))
            .then([]);
        given::<Observed>([changed(ready)])
            .when(Observe(degraded.clone()))
            .then([changed(degraded.clone())]);
        let other = found(Health::Degraded, Some(2));
        given::<Observed>([changed(degraded)])
            .when(Observe(other.clone()))
            .then([changed(other)]);
    }

    #[test]
    fn the_worst_of_two_findings_is_the_greater() {
        let mut all = [Health::Missing, Health::Ready, Health::Degraded, Health::Drifted];
        all.sort();
        assert_eq!(all, [Health::Ready, Health::Drifted, Health::Degraded, Health::Missing]);
    }
}
