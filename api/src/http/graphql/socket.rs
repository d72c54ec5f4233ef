//! GraphQL over a web socket: the connection, from its opening to its end.
//!
//! A socket lasts, so it holds no rights: it remembers a token or a session by its hash, and whoever holds that is looked up for
//! every operation and for everything a subscription says. It is closed soon after that opens nothing any more, also when
//! nothing is said. What a client may ask of a socket is bounded, and a client that is gone is noticed.

use std::time::Duration;

use axum::extract::ws::{self, CloseFrame, Message};
use futures_util::{Sink, SinkExt as _, StreamExt as _};
use serde_json::{Map, Value};
use tokio::time::{self, Instant, MissedTickBehavior};

use super::protocol::{Close, Session};
use crate::{
    auth::{Credentials, InvalidCredentials, RECHECK_INTERVAL},
    http::App,
};

/// How long a client may take to say who it is.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a client is asked for a sign of life. It has given one by the next time, or is gone.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long a message may wait for the client to take it.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a reason that fit into the frame that closes a socket.
const REASON_MAX_BYTES: usize = 123;

/// Answers on the socket until the client, or the protocol, ends it.
pub async fn serve(app: App, by_cookie: Credentials, socket: ws::WebSocket) {
    let (mut sink, mut incoming) = socket.split();
    let mut session = Session::new(app.schema.clone());
    let too_late = time::sleep(INIT_TIMEOUT);
    tokio::pin!(too_late);
    let mut pings = time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    let mut checks = time::interval_at(Instant::now() + RECHECK_INTERVAL, RECHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_alive = true;
    loop {
        let message = tokio::select! {
            message = incoming.next() => {
                let Some(Ok(message)) = message else { return };
                is_alive = true;
                match message {
                    Message::Text(_) | Message::Binary(_) => {
                        match session.receive(&message.into_data(), |payload| connected(payload, by_cookie, &app)) {
                            Ok(None) => continue,
                            Ok(Some(answer)) => Message::Text(answer.into()),
                            Err(close) => closing(close),
                        }
                    }
                    Message::Ping(_) | Message::Pong(_) => continue,
                    Message::Close(_) => return,
                }
            },
            Some(answer) = session.next() => Message::Text(answer.into()),
            () = &mut too_late, if session.opened().is_none() => closing(Close::init_timeout()),
            _ = checks.tick() => match still_opens(session.opened(), &app) {
                Ok(()) => continue,
                Err(close) => closing(close),
            },
            _ = pings.tick() => {
                if !std::mem::take(&mut is_alive) {
                    return;
                }
                Message::Ping(bytes::Bytes::new())
            }
        };
        let is_last = matches!(message, Message::Close(_));
        if !taken(&mut sink, message).await || is_last {
            return;
        }
    }
}

/// Whether what the socket was opened by opens anything now, and whether that can be known.
fn still_opens(opened: Option<Credentials>, app: &App) -> Result<(), Close> {
    app.services.freshness.check()?;
    opened.map_or(Ok(()), |credentials| {
        Ok(credentials.sender(&app.services.views).map(drop)?)
    })
}

async fn taken<S: Sink<Message> + Unpin>(sink: &mut S, message: Message) -> bool {
    matches!(time::timeout(SEND_TIMEOUT, sink.send(message)).await, Ok(Ok(())))
}

fn closing(Close { code, mut reason }: Close) -> Message {
    reason.truncate(reason.floor_char_boundary(REASON_MAX_BYTES));
    let reason = reason.into();
    Message::Close(Some(CloseFrame { code, reason }))
}

/// The token comes in `connection_init`, as `{"authorization": "Bearer …"}`: browsers cannot set headers on a web socket.
/// Without one it is the session's whose cookie came with the handshake. What opens nothing is refused now already.
fn connected(
    payload: &Map<String, Value>,
    by_cookie: Credentials,
    app: &App,
) -> Result<Credentials, InvalidCredentials> {
    let header = payload.get("authorization").or_else(|| payload.get("Authorization"));
    let credentials = match header.and_then(Value::as_str) {
        Some(header) => Credentials::from_header(header),
        None => by_cookie,
    };
    credentials.admitted(&app.services)?;
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_too_long_for_the_frame_is_cut_between_two_characters() {
        let reason = "ä".repeat(100);
        let Message::Close(Some(frame)) = closing(Close { code: 4400, reason }) else {
            panic!("it closes the socket");
        };
        assert_eq!(frame.reason.as_str(), "ä".repeat(61));
    }
}
