//! The graphql-transport-ws protocol (github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md): which messages there are,
//! which may follow which, and with what code a connection ends that does not keep to that.

use std::sync::Arc;

use async_graphql::{Data, Executor, Response, ServerError};
use futures_util::{StreamExt as _, future, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_stream::StreamMap;

use super::{media::Body, request::Parameters};
use crate::{
    auth::{Credentials, InvalidCredentials},
    freshness::Stale,
    graphql::{finish_errors, request_error},
};

/// Operations under way on one connection: queries, mutations and subscriptions.
const OPERATIONS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ClientMessage {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Subscribe { id: String, payload: Map<String, Value> },
    Complete { id: String },
    Ping { payload: Option<Map<String, Value>> },
    Pong {},
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a> {
    ConnectionAck,
    Next {
        id: &'a str,
        payload: Body<'a>,
    },
    /// The operation was not executed.
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Value>>,
    },
}

/// Ends the connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { code, reason }
    }

    pub fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }
}

impl From<InvalidCredentials> for Close {
    fn from(invalid: InvalidCredentials) -> Self {
        Self::new(4403, invalid.to_string())
    }
}

impl From<Stale> for Close {
    /// Another server may know more, or this one after a while: "try again later", in the registry of close codes.
    fn from(stale: Stale) -> Self {
        Self::new(1013, stale.to_string())
    }
}

/// One connection. The schema looks up who asks, by the credentials that opened it.
pub struct Session<E> {
    schema: E,
    /// By what the connection was initialised; absent until then.
    opened: Option<Credentials>,
    /// What each operation under way says; `None` is its end.
    operations: StreamMap<String, stream::BoxStream<'static, Option<Response>>>,
}

impl<E: Executor> Session<E> {
    pub fn new(schema: E) -> Self {
        Self {
            schema,
            opened: None,
            operations: StreamMap::new(),
        }
    }

    /// By what the connection was initialised; absent until then.
    pub const fn opened(&self) -> Option<Credentials> {
        self.opened
    }

    /// Takes a message of the client, and says what is answered to it at once. `connect` judges what the client says of
    /// itself.
    pub fn receive<F>(&mut self, message: &[u8], connect: F) -> Result<Option<String>, Close>
    where
        F: FnOnce(&Map<String, Value>) -> Result<Credentials, InvalidCredentials>,
    {
        let message = serde_json::from_slice(message).map_err(|error| Close::new(4400, error.to_string()))?;
        match message {
            ClientMessage::ConnectionInit { .. } if self.opened.is_some() => {
                Err(Close::new(4429, "Too many initialisation requests"))
            }
            ClientMessage::ConnectionInit { payload } => {
                self.opened = Some(connect(&payload.unwrap_or_default())?);
                Ok(Some(text(&ServerMessage::ConnectionAck)))
            }
            ClientMessage::Subscribe { id, payload } => self.begin(id, payload),
            ClientMessage::Complete { id } => {
                self.operations.remove(&id);
                Ok(None)
            }
            ClientMessage::Ping { payload } => Ok(Some(text(&ServerMessage::Pong { payload }))),
            ClientMessage::Pong {} => Ok(None),
        }
    }

    fn begin(&mut self, id: String, payload: Map<String, Value>) -> Result<Option<String>, Close> {
        let Some(credentials) = self.opened else {
            return Err(Close::new(4401, "Unauthorized"));
        };
        if self.operations.contains_key(&id) {
            return Err(Close::new(4409, format!("Subscriber for {id} already exists")));
        }
        let parameters = Parameters::from_map(payload).map_err(|bad| Close::new(4400, bad.message()))?;
        if self.operations.len() == OPERATIONS_MAX {
            let message = format!("{OPERATIONS_MAX} operations are under way on this socket; complete one first");
            let payload = &[request_error("TOO_MANY_OPERATIONS", message)];
            return Ok(Some(text(&ServerMessage::Error { id: &id, payload })));
        }
        let mut data = Data::default();
        data.insert(credentials);
        let answers = self
            .schema
            .execute_stream(parameters.into_unchecked(), Some(Arc::new(data)));
        let said = answers.map(Some).chain(stream::once(future::ready(None)));
        self.operations.insert(id, said.boxed());
        Ok(None)
    }

    /// What an operation under way says next; `None` if there is none under way.
    pub async fn next(&mut self) -> Option<String> {
        let (id, said) = self.operations.next().await?;
        let Some(mut answer) = said else {
            // Its id can be used again from now on.
            self.operations.remove(&id);
            return Some(text(&ServerMessage::Complete { id: &id }));
        };
        finish_errors(&mut answer.errors);
        let payload = Body::of(&answer);
        if payload.is_request_error() {
            self.operations.remove(&id);
            let payload = &answer.errors;
            return Some(text(&ServerMessage::Error { id: &id, payload }));
        }
        Some(text(&ServerMessage::Next { id: &id, payload }))
    }
}

fn text(message: &ServerMessage<'_>) -> String {
    // What is serialised has texts for names, and no number that JSON does not have.
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests;
