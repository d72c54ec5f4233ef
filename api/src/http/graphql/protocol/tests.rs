//! A client that keeps to the protocol, and one that does not.

use async_graphql::{EmptyMutation, Object, Schema, Subscription};
use futures_util::Stream;
use projections::access::Shut;
use serde_json::json;

use super::*;

struct Query;

#[Object]
impl Query {
    async fn one(&self) -> i32 {
        1
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl Stream<Item = i32> {
        stream::repeat(1)
    }
}

struct Client(Session<Schema<Query, EmptyMutation, Ticks>>);

impl Client {
    fn new() -> Self {
        Self(Session::new(Schema::new(Query, EmptyMutation, Ticks)))
    }

    fn open() -> Self {
        let mut client = Self::new();
        let acknowledged = client.says(&json!({ "type": "connection_init" }));
        assert_eq!(acknowledged, Ok(Some(json!({ "type": "connection_ack" }))));
        client
    }

    fn says(&mut self, message: &Value) -> Result<Option<Value>, u16> {
        self.sends(message.to_string().as_bytes())
    }

    fn sends(&mut self, message: &[u8]) -> Result<Option<Value>, u16> {
        let connect = |payload: &Map<String, Value>| match payload.get("authorization") {
            Some(_) => Err(InvalidCredentials::Token(Shut::Unknown)),
            None => Ok(Credentials::Absent),
        };
        let answer = self.0.receive(message, connect).map_err(|close| close.code)?;
        Ok(answer.map(|text| serde_json::from_str(&text).unwrap()))
    }

    fn asks(&mut self, id: &str, query: &str) -> Result<Option<Value>, u16> {
        self.says(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }))
    }

    async fn hears(&mut self) -> Option<Value> {
        let text = self.0.next().await?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

#[tokio::test]
async fn an_operation_is_answered_and_completed_and_its_id_is_free_again() {
    let mut client = Client::open();
    for _ in 0..2 {
        assert_eq!(client.asks("a", "{ one }"), Ok(None));
        let next = json!({ "type": "next", "id": "a", "payload": { "data": { "one": 1 } } });
        assert_eq!(client.hears().await, Some(next));
        assert_eq!(client.hears().await, Some(json!({ "type": "complete", "id": "a" })));
    }
    assert_eq!(client.hears().await, None);
}

#[tokio::test]
async fn what_is_not_executed_ends_with_an_error_that_has_a_code() {
    let mut client = Client::open();
    for query in ["{ two }", "{"] {
        assert_eq!(client.asks("a", query), Ok(None));
        let error = client.hears().await.unwrap();
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("a")));
        let code = error.pointer("/payload/0/extensions/code");
        assert_eq!(code, Some(&json!("GRAPHQL_VALIDATION_FAILED")), "{query}");
        assert_eq!(client.hears().await, None, "nothing follows an error");
    }
}

#[test]
fn whoever_does_not_keep_to_the_protocol_is_told_by_the_code_that_closes_the_connection() {
    assert_eq!(Client::new().asks("a", "{ one }"), Err(4401));
    assert_eq!(Client::open().says(&json!({ "type": "connection_init" })), Err(4429));
    let refused = json!({ "type": "connection_init", "payload": { "authorization": "Bearer x" } });
    assert_eq!(Client::new().says(&refused), Err(4403));
    for message in [
        "{",
        "",
        "null",
        r#"{"type": "start"}"#,
        r#"{"type": "subscribe", "id": "a"}"#,
        r#"{"type": "subscribe", "id": 1, "payload": {"query": "{ one }"}}"#,
        r#"{"type": "subscribe", "id": "a", "payload": {"query": 1}}"#,
        r#"{"type": "subscribe", "id": "a", "payload": {"query": "{ one }", "variables": []}}"#,
    ] {
        assert_eq!(Client::open().sends(message.as_bytes()), Err(4400), "{message}");
    }
    let list = json!({ "type": "connection_init", "payload": ["x"] });
    assert_eq!(Client::new().says(&list), Err(4400));
}

#[test]
fn an_id_that_is_in_use_is_not_given_to_another_operation() {
    let mut client = Client::open();
    assert_eq!(client.asks("a", "subscription { ticks }"), Ok(None));
    assert_eq!(client.asks("a", "{ one }"), Err(4409));
}

#[tokio::test]
async fn what_the_client_completes_says_nothing_more() {
    let mut client = Client::open();
    assert_eq!(client.asks("a", "subscription { ticks }"), Ok(None));
    assert_eq!(client.hears().await.unwrap()["type"], "next");
    assert_eq!(client.says(&json!({ "type": "complete", "id": "a" })), Ok(None));
    assert_eq!(client.hears().await, None);
}

#[tokio::test]
async fn operations_take_turns() {
    let mut client = Client::open();
    for id in ["a", "b", "c"] {
        assert_eq!(client.asks(id, "subscription { ticks }"), Ok(None));
    }
    assert_eq!(client.asks("one", "{ one }"), Ok(None));
    loop {
        let heard = client.hears().await.unwrap();
        if heard["id"] == "one" && heard["type"] == "complete" {
            break;
        }
    }
}

#[test]
fn a_connection_has_so_many_operations_under_way_and_no_more() {
    let mut client = Client::open();
    for n in 0..OPERATIONS_MAX {
        assert_eq!(client.asks(&n.to_string(), "subscription { ticks }"), Ok(None));
    }
    let refused = client.asks("more", "{ one }").unwrap().unwrap();
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    assert_eq!(client.says(&json!({ "type": "complete", "id": "7" })), Ok(None));
    assert_eq!(client.asks("more", "{ one }"), Ok(None));
}

#[test]
fn a_sign_of_life_is_answered_with_what_it_said() {
    let pong = json!({ "type": "pong", "payload": { "n": 1 } });
    assert_eq!(
        Client::new().says(&json!({ "type": "ping", "payload": { "n": 1 } })),
        Ok(Some(pong))
    );
    assert_eq!(Client::new().says(&json!({ "type": "pong" })), Ok(None));
}
