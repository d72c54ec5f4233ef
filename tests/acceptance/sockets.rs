//! Connections that last end with what opened them, also when nothing is said on them.

use std::time::{Duration, SystemTime};

use harness::{
    Person, Story,
    server::PATIENCE,
    socket::{Closed, Socket},
    text,
};
use reqwest::Method;
use serde_json::{Value, json};

const QUEUE: &str = "subscription { reviewQueueChanged { submission } }";

/// Somebody with a new token of theirs, and its id.
async fn with_token(story: &Story, of: &Person, input: Value) -> (Person, String) {
    let made = of.does("createToken", input).await;
    let holder = Person::new("machine", text(&made, "/secret"), story.server.address());
    (holder, text(&made, "/token/id").to_owned())
}

/// Long enough to begin with, and soon over.
fn soon() -> String {
    humantime::format_rfc3339_millis(SystemTime::now() + Duration::from_secs(5)).to_string()
}

/// How a socket is closed, whatever is said before.
async fn closed(mut socket: Socket) -> Closed {
    loop {
        if let Err(closed) = socket.hears().await {
            return closed;
        }
    }
}

fn forbidden(reason: &str) -> Closed {
    let reason = reason.to_owned();
    Closed { code: 4403, reason }
}

/// Whether a feed that goes on for an hour breaks off now.
async fn breaks_off(holder: &Person) -> bool {
    let feed = holder.request(Method::GET, "/events?follow=true").send().await;
    let feed = feed.expect("the server answers");
    assert_eq!(feed.status(), 200);
    let read = tokio::time::timeout(PATIENCE, feed.bytes()).await;
    read.expect("it ends").is_err()
}

#[tokio::test]
async fn a_subscription_to_which_nothing_happens_ends_with_its_token() {
    let story = Story::begin().await;
    let (holder, _) = with_token(&story, &story.admin, json!({ "name": "late", "expiresAt": soon() })).await;
    let mut socket = Socket::open(&holder).await;
    socket.asks("a", QUEUE).await;
    let first = socket.hears().await.unwrap();
    assert_eq!(first["payload"], json!({ "data": { "reviewQueueChanged": [] } }));
    let (ends, is_broken) = tokio::join!(socket.hears(), breaks_off(&holder));
    assert_eq!(ends, Err(forbidden("the token is not valid")));
    assert!(is_broken, "a feed ends with its token too");

    let viewer = "{ viewer { account { id } } }";
    holder
        .is_denied(viewer, json!({}))
        .await
        .says("UNAUTHENTICATED", &["not valid"]);
    let whose = story.admin.ask(viewer, json!({})).await;
    let whose = text(&whose, "/viewer/account/id");
    story.refusal_is_recorded("expired-token", Some(whose)).await;
}

#[tokio::test]
async fn a_socket_on_which_nothing_was_asked_yet_is_closed_when_its_token_is_revoked() {
    let story = Story::begin().await;
    let (holder, token) = with_token(&story, &story.isv, json!({ "name": "ci" })).await;
    let socket = Socket::open(&holder).await;
    story.isv.does("revokeToken", json!({ "token": token })).await;
    assert_eq!(closed(socket).await, forbidden("the token is not valid"));
}

#[tokio::test]
async fn a_blocked_account_is_shut_out_of_what_it_has_open() {
    let story = Story::begin().await;
    let mut socket = Socket::open(&story.reviewer).await;
    socket.asks("a", QUEUE).await;
    socket.hears().await.unwrap();
    let id = story
        .admin
        .ask("{ account(name: \"reviewer\") { id } }", json!({}))
        .await;
    let block = json!({ "account": text(&id, "/account/id") });
    story.admin.does("blockAccount", block).await;
    assert_eq!(closed(socket).await, forbidden("the token is not valid"));
}
