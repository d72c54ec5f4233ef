//! `GET /events?from=<cursor>[&follow=true]`: the log as a feed, one `CloudEvent` on each line, for auditors.
//!
//! A line is the exact bytes of a leaf, so what was read can be proved later. `from` is where to start: a position, or
//! `<epoch>:<position>`, which is refused once the log has begun another epoch. Without `follow` the feed ends where
//! the log ends, and a header says where to go on; with it, it goes on as events happen, for an hour.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{access::Place, permission::Permission};
use eventstore::Position;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{App, HttpError, extract::Query};
use crate::{
    auth::{Credentials, RECHECK_INTERVAL, Sender},
    pipe::{Pipe, pipe},
    services::Services,
};

/// What one look at the log takes: with the largest leaves, 8 MiB.
const BATCH: u64 = 128;
const EPOCH: HeaderName = HeaderName::from_static("charthouse-epoch");
/// Where the next request goes on.
const NEXT: HeaderName = HeaderName::from_static("charthouse-next");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    from: Option<String>,
    #[serde(default)]
    follow: bool,
}

pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Query(Parameters { from, follow }): Query<Parameters>,
) -> Result<Response, HttpError> {
    let services = app.services.clone();
    let credentials = Credentials::of(&headers);
    credentials.admitted(&services)?;
    authorize(&services, credentials)?;
    let place = Arc::clone(&services.feeds)
        .try_acquire_owned()
        .map_err(|_| HttpError::busy("event feeds", services.limits.feeds_max))?;
    let epoch = services.log.identity().epoch;
    let size = services.views.position();
    let from = start(from.as_deref(), epoch, size)?;

    let (pipe, bytes) = pipe();
    let feed = Feed {
        until: (!follow).then_some(size),
        ends: Instant::now() + services.limits.feed_lifetime,
        services,
        credentials,
    };
    tokio::spawn(feed.write(from, pipe));
    let bytes = bytes.inspect(move |_| {
        // Held as long as somebody reads the feed.
        let _ = &place;
    });
    let mut answer = Body::from_stream(bytes).into_response();
    let mut say = |name, value: String| value.parse().map(|value| answer.headers_mut().insert(name, value));
    // What is said of the feed are numbers and ids, which headers can hold.
    let _ = say(header::CONTENT_TYPE, "application/x-ndjson".to_owned());
    let _ = say(EPOCH, epoch.to_string());
    if !follow {
        let _ = say(NEXT, format!("{epoch}:{size}"));
    }
    Ok(answer)
}

struct Feed {
    services: Services,
    credentials: Credentials,
    /// Before which position it ends; `None` if it goes on.
    until: Option<u64>,
    ends: Instant,
}

impl Feed {
    /// Writes from `next` on. If rights or the log are lost, the answer breaks off.
    async fn write(self, mut next: u64, mut pipe: Pipe) {
        while self.until.is_none_or(|until| next < until) {
            let waited = Instant::now() + RECHECK_INTERVAL;
            let reached = tokio::select! {
                () = pipe.abandoned() => return,
                reached = timeout_at(waited.min(self.ends), self.services.views.reached(next + 1)) => reached,
            };
            // Rights are as new as the events they are asked for, and a feed that is idle does not outlive them.
            if authorize(&self.services, self.credentials).is_err() {
                return;
            }
            match reached {
                Ok(()) => {}
                Err(_) if waited < self.ends => continue,
                Err(_) => break,
            }
            let Some(read) = self.batch(next, &mut pipe).await else {
                return;
            };
            next += read;
            let is_behind = next < self.services.views.position();
            let passed = match is_behind {
                true => pipe.pass_on().await,
                false => pipe.flush().await,
            };
            if passed.is_err() {
                return;
            }
        }
        // Whoever reads it may have gone.
        let _ = pipe.finish().await;
    }

    /// How many events were written; `None` if the log could not be read.
    async fn batch(&self, next: u64, pipe: &mut Pipe) -> Option<u64> {
        let reached = self.until.unwrap_or(u64::MAX).min(self.services.views.position());
        let wanted = reached.saturating_sub(next).min(BATCH);
        let limit = usize::try_from(wanted).unwrap_or(usize::MAX);
        match self.services.log.read(Position::new(next), limit).await {
            Ok(events) => {
                for event in &events {
                    pipe.buffer().extend_from_slice(&event.leaf);
                    pipe.buffer().push(b'\n');
                }
                u64::try_from(events.len()).ok()
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an event feed broke off");
                None
            }
        }
    }
}

/// The whole log is for auditors, with the rights of the moment.
fn authorize(services: &Services, credentials: Credentials) -> Result<(), HttpError> {
    services.freshness.check()?;
    match credentials.sender(&services.views)? {
        Sender::Account(viewer, _) => Ok(viewer.authorize(Permission::AuditView, Place::Platform)?),
        Sender::Anonymous => Err(HttpError::unauthenticated()),
    }
}

/// The position to start at, in a log of `size` events.
fn start(from: Option<&str>, epoch: Uuid, size: u64) -> Result<u64, HttpError> {
    let Some(from) = from else { return Ok(0) };
    let bad = |code, message| HttpError::new(StatusCode::BAD_REQUEST, code, message);
    let (of, position) = match from.split_once(':') {
        Some((of, position)) => (Some(of), position),
        None => (None, from),
    };
    let of = of.map(Uuid::try_parse).transpose();
    let (Ok(of), Ok(position)) = (of, position.parse::<u64>()) else {
        let message = "from is a position, or <epoch>:<position>, as the feed's headers give it";
        return Err(bad("CURSOR_INVALID", message.to_owned()));
    };
    if of.is_some_and(|of| of != epoch) {
        let message =
            format!("the log was restored and is in epoch {epoch} now; what you read of another may not be in it");
        return Err(HttpError::new(StatusCode::GONE, "EPOCH_ENDED", message));
    }
    if position > size {
        let message = format!("the log has {size} events, and the feed cannot start at position {position} yet");
        return Err(bad("POSITION_IN_FUTURE", message));
    }
    Ok(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_starts_at_a_position_that_is_there_or_comes_next() {
        let epoch = Uuid::from_u128(1);
        assert_eq!(start(None, epoch, 7).unwrap(), 0);
        assert_eq!(start(Some("7"), epoch, 7).unwrap(), 7);
        assert_eq!(start(Some(&format!("{epoch}:3")), epoch, 7).unwrap(), 3);
        for from in ["8", "-1", "", ":", "x:3", "3:3"] {
            assert!(start(Some(from), epoch, 7).is_err(), "{from}");
        }
        assert!(start(Some(&format!("{}:3", Uuid::from_u128(2))), epoch, 7).is_err());
    }
}
