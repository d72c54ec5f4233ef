//! GraphQL over a web socket, by the graphql-transport-ws protocol
//! (github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).
//!
//! A socket lasts, so it holds no rights: it remembers a token or a session by its hash, and whoever holds that is looked up for
//! every operation and for everything a subscription says. What a client may ask of a socket is bounded, and a client
//! that is gone is noticed.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Data, Executor, Request, Response,
    http::{WebSocket, WebSocketProtocols, WsMessage},
};
use axum::extract::ws::{self, CloseFrame, Message, Utf8Bytes};
use futures_util::{
    Sink, SinkExt as _, StreamExt as _, future,
    stream::{self, BoxStream},
};
use serde_json::Value;
use tokio::{
    sync::{Semaphore, oneshot},
    time,
};

use crate::{
    auth::{Credentials, InvalidCredentials},
    graphql::{give_codes, request_error},
    http::App,
};

/// Operations under way on one socket: queries, mutations and subscriptions.
const OPERATIONS_MAX: usize = 50;
/// How long a client may take to say who it is.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a client is asked for a sign of life. It has given one by the next time, or is gone.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long a message may wait for the client to take it.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers on the socket until the client, or the protocol, ends it.
pub async fn serve(app: App, by_cookie: Credentials, socket: ws::WebSocket) {
    let (mut sink, incoming) = socket.split();
    let is_alive = Arc::new(AtomicBool::new(true));
    let heard = {
        let is_alive = Arc::clone(&is_alive);
        incoming
            .take_while(|message| future::ready(message.is_ok()))
            .filter_map(|message| future::ready(message.ok()))
            .inspect(move |_| is_alive.store(true, Ordering::Relaxed))
    };
    let messages = heard.filter_map(|message| {
        let is_text = matches!(message, Message::Text(_) | Message::Binary(_));
        future::ready(is_text.then(|| message.into_data()))
    });

    let (opened, is_opened) = oneshot::channel();
    let session = Session::new(app.schema.clone());
    let init = move |payload: Value| async move {
        // Nobody waits for it any more only when the socket is closing.
        let _ = opened.send(());
        let mut data = Data::default();
        data.insert(connected(&payload, by_cookie, &app)?);
        Ok(data)
    };
    let mut answers = pin!(WebSocket::new(session, messages, WebSocketProtocols::GraphQLWS).on_connection_init(init));
    let mut too_late = pin!(never_opened(is_opened));
    let mut pings = time::interval_at(time::Instant::now() + PING_INTERVAL, PING_INTERVAL);
    loop {
        let message = tokio::select! {
            answer = answers.next() => match answer {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => closing(code, reason),
                None => return,
            },
            () = &mut too_late => closing(4408, "Connection initialisation timeout"),
            _ = pings.tick() => {
                if !is_alive.swap(false, Ordering::Relaxed) {
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

/// Ends when a client has not initialised the connection in time; else never.
async fn never_opened(is_opened: oneshot::Receiver<()>) {
    if let Ok(Ok(())) = time::timeout(INIT_TIMEOUT, is_opened).await {
        future::pending::<()>().await;
    }
}

async fn taken<S: Sink<Message> + Unpin>(sink: &mut S, message: Message) -> bool {
    matches!(time::timeout(SEND_TIMEOUT, sink.send(message)).await, Ok(Ok(())))
}

fn closing(code: u16, reason: impl Into<Utf8Bytes>) -> Message {
    let reason = reason.into();
    Message::Close(Some(CloseFrame { code, reason }))
}

/// The token comes in `connection_init`, as `{"authorization": "Bearer …"}`: browsers cannot set headers on a web socket.
/// Without one it is the session's whose cookie came with the handshake. What opens nothing is refused now already.
fn connected(payload: &Value, by_cookie: Credentials, app: &App) -> Result<Credentials, InvalidCredentials> {
    let header = payload.get("authorization").or_else(|| payload.get("Authorization"));
    let credentials = match header.and_then(Value::as_str) {
        Some(header) => Credentials::from_header(header)?,
        None => by_cookie,
    };
    credentials.admitted(&app.services)?;
    Ok(credentials)
}

/// What the operations of one socket have in common. The schema looks up who asks, by the credentials of the socket.
#[derive(Clone)]
struct Session<E> {
    schema: E,
    operations: Arc<Semaphore>,
}

impl<E> Session<E> {
    fn new(schema: E) -> Self {
        Self {
            schema,
            operations: Arc::new(Semaphore::new(OPERATIONS_MAX)),
        }
    }
}

impl<E: Executor> Executor for Session<E> {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request).await
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let Ok(under_way) = Arc::clone(&self.operations).try_acquire_owned() else {
            let message = format!("{OPERATIONS_MAX} operations are under way on this socket; complete one first");
            let refused = Response::from_errors(vec![request_error("TOO_MANY_OPERATIONS", message)]);
            return stream::once(future::ready(refused)).boxed();
        };
        let answers = self.schema.execute_stream(request, session);
        let coded = answers.map(move |mut answer| {
            let _until_it_ends = &under_way;
            give_codes(&mut answer.errors);
            answer
        });
        coded.boxed()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Subscription};
    use futures_util::Stream;

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn one(&self) -> i32 {
            1
        }
    }

    struct Endless;

    #[Subscription]
    impl Endless {
        async fn ticks(&self) -> impl Stream<Item = i32> {
            stream::repeat(1)
        }
    }

    fn code(answer: &Response) -> Option<String> {
        let extensions = answer.errors.first()?.extensions.as_ref()?;
        extensions.get("code").map(ToString::to_string)
    }

    #[tokio::test]
    async fn a_socket_has_so_many_operations_under_way_and_no_more() {
        let session = Session::new(async_graphql::Schema::new(Query, EmptyMutation, Endless));
        let subscribe = || session.execute_stream("subscription { ticks }".into(), None);
        let mut under_way: Vec<_> = (0..OPERATIONS_MAX).map(|_| subscribe()).collect();
        let refused = subscribe().next().await.unwrap();
        assert_eq!(code(&refused).as_deref(), Some("\"TOO_MANY_OPERATIONS\""));
        under_way.pop();
        assert!(subscribe().next().await.unwrap().errors.is_empty());
    }

    #[tokio::test]
    async fn what_the_library_refuses_has_a_code_on_a_socket_too() {
        let session = Session::new(async_graphql::Schema::new(Query, EmptyMutation, Endless));
        let refused = session.execute_stream("{ two }".into(), None).next().await.unwrap();
        assert_eq!(code(&refused).as_deref(), Some("\"GRAPHQL_VALIDATION_FAILED\""));
    }
}
