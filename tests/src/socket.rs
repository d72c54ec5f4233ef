//! A web socket that is spoken to in graphql-transport-ws.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{person::Person, server::PATIENCE};

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// How the server closed it.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    pub code: u16,
    pub reason: String,
}

impl Socket {
    /// Opens a socket for somebody, who shows the token if there is one.
    ///
    /// # Panics
    ///
    /// If the server does not take it.
    pub async fn open(person: &Person) -> Self {
        let url = person.url("/graphql/ws").replacen("http", "ws", 1);
        let mut request = url.into_client_request().expect("an address");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (stream, _) = connect_async(request).await.expect("the server opens a socket");
        let mut socket = Self(stream);
        let payload = person.bearer().map(|bearer| json!({ "authorization": bearer }));
        socket
            .says(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        let acknowledged = socket.hears().await.expect("the socket is open");
        assert_eq!(acknowledged["type"], "connection_ack");
        socket
    }

    /// Begins an operation.
    pub async fn asks(&mut self, id: &str, document: &str) {
        self.says(&json!({ "type": "subscribe", "id": id, "payload": { "query": document } }))
            .await;
    }

    /// The next message about an operation.
    ///
    /// # Errors
    ///
    /// As [`Socket::hears`].
    pub async fn said_of(&mut self, id: &str) -> Result<Value, Closed> {
        loop {
            let said = self.hears().await?;
            if said["id"] == id {
                return Ok(said);
            }
        }
    }

    async fn says(&mut self, message: &Value) {
        let message = Message::text(message.to_string());
        self.0.send(message).await.expect("the server listens");
    }

    /// The next message.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the server closes the socket instead.
    ///
    /// # Panics
    ///
    /// If nothing is said, or the socket is closed without a word.
    pub async fn hears(&mut self) -> Result<Value, Closed> {
        let said = async {
            loop {
                match self.0.next().await.expect("the socket is open").expect("a message") {
                    Message::Text(text) => return Ok(serde_json::from_str(&text).expect("a message in JSON")),
                    Message::Close(frame) => {
                        let frame = frame.expect("the server says why");
                        let (code, reason) = (frame.code.into(), frame.reason.to_string());
                        return Err(Closed { code, reason });
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, said).await.expect("something is said")
    }
}
