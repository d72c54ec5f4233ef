//! Following the log for what calls for an effect.

use std::{fmt::Display, str::FromStr, time::Duration};

use domain::{decider::Decider, event::StoredEvent};
use eventstore::{EventStore, Position, ReadError, Recorded, Revision, Subscription};
use tokio::task::JoinSet;

use crate::{
    commands::{Cause, CommandError, restore, stream},
    services::Services,
};

/// How long it waits when the log is out of reach.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Reads the log while what it called for goes on, and ends that with itself.
pub(super) struct Follower {
    events: Subscription,
    under_way: JoinSet<()>,
}

impl Follower {
    /// Begins with the first event that the views do not show yet. What is looked up in them afterwards is not missed;
    /// some of it may be met again.
    pub(super) fn of(services: &Services) -> Self {
        let position = Position::new(services.views.position());
        Self {
            events: services.log.subscribe(position),
            under_way: JoinSet::new(),
        }
    }

    pub(super) fn begin(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.under_way.spawn(work);
    }

    /// Waits for the next events, also while the log is out of reach; `None` once it is closed.
    pub(super) async fn next(&mut self) -> Option<Vec<Recorded>> {
        loop {
            let events = tokio::select! {
                events = self.events.next() => events,
                Some(_) = self.under_way.join_next() => continue,
            };
            match events {
                Ok(events) => return Some(events),
                Err(ReadError::Closed) => return None,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an effect could not read the log"
                    );
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }
}

/// The id of what an event happened to.
pub(super) fn subject<T>(recorded: &Recorded) -> Result<T, CommandError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    recorded.stream.key().parse().map_err(CommandError::internal)
}

/// The last event of an aggregate that called for an effect.
pub(super) async fn last_call<D>(
    log: &EventStore,
    id: impl Display,
    calls: impl Fn(&D::Event) -> bool,
) -> Result<Option<Cause>, CommandError>
where
    D: Decider,
    D::Event: StoredEvent,
{
    let events = log.read_stream(&stream::<D>(id)?, Revision::NONE).await?;
    for recorded in events.iter().rev() {
        let (event, _) = restore::<D>(recorded)?;
        if calls(&event) {
            return Cause::of(recorded).map(Some);
        }
    }
    Ok(None)
}
