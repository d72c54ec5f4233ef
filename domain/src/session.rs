//! Sessions: somebody signed in, from one browser, until some time.
//!
//! A session has a stream of its own, so that signing in leaves the account's history short. It ends by its own event,
//! by its time, or with what happens to its account: a new password, a block, an erasure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    digest::Digest,
    ids::AccountId,
};

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Password,
    Oidc,
}

/// The facts of a session. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The log knows a session by the SHA-256 of its secret, which is 256 random bits.
    SessionOpened {
        account: AccountId,
        secret: Digest,
        method: Method,
        expires: DateTime<Utc>,
    },
    SessionClosed {},
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub account: AccountId,
    pub closed: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Command {
    Open {
        account: AccountId,
        secret: Digest,
        method: Method,
        expires: DateTime<Utc>,
    },
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such session")]
    NotFound,
    #[error("this session exists already")]
    Exists,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "SESSION_EXISTS",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Exists => RejectionKind::Conflict,
        }
    }
}

impl Decider for Session {
    const CATEGORY: &'static str = "session";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        match (command, state) {
            (Command::Open { .. }, Some(_)) => Err(Rejection::Exists),
            (
                Command::Open {
                    account,
                    secret,
                    method,
                    expires,
                },
                None,
            ) => Ok(vec![Event::SessionOpened {
                account,
                secret,
                method,
                expires,
            }]),
            (Command::Close, None) => Err(Rejection::NotFound),
            (Command::Close, Some(session)) if session.closed => Ok(vec![]),
            (Command::Close, Some(_)) => Ok(vec![Event::SessionClosed {}]),
        }
    }

    fn evolve(state: Self::State, event: &Event, _: Stamp) -> Self::State {
        match event {
            Event::SessionOpened { account, .. } => Some(Self {
                account: *account,
                closed: false,
            }),
            Event::SessionClosed {} => state.map(|session| Self {
                closed: true,
                ..session
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::spec::{given, noon, somebody};

    fn open() -> Command {
        Command::Open {
            account: somebody(),
            secret: Digest::from_bytes([1; 32]),
            method: Method::Password,
            expires: noon() + TimeDelta::hours(12),
        }
    }

    fn opened() -> Event {
        Event::SessionOpened {
            account: somebody(),
            secret: Digest::from_bytes([1; 32]),
            method: Method::Password,
            expires: noon() + TimeDelta::hours(12),
        }
    }

    #[test]
    fn a_session_is_opened_once() {
        given::<Session>([]).when(open()).then([opened()]);
        given::<Session>([opened()])
            .when(open())
            .then_rejected(&Rejection::Exists);
    }

    #[test]
    fn a_session_is_closed_once_and_only_if_there_is_one() {
        given::<Session>([opened()])
            .when(Command::Close)
            .then([Event::SessionClosed {}]);
        given::<Session>([opened(), Event::SessionClosed {}])
            .when(Command::Close)
            .then([]);
        given::<Session>([])
            .when(Command::Close)
            .then_rejected(&Rejection::NotFound);
    }
}
