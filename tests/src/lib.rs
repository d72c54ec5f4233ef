//! Drives Charthouse from outside, as its users do: as a process, over HTTP and by its command line.
//!
//! It depends on no other crate of the workspace. So what the tests hold true is what a client can rely on, and a test
//! that compiles against the product's own types cannot hide that their names on the wire have changed.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot go on fails the test it is used by"
)]

pub mod admin;
pub mod archive;
pub mod backup;
pub mod browser;
pub mod chart;
pub mod command_line;
pub mod evidence;
pub mod examples;
pub mod gated_helm;
pub mod graphql_testers;
pub mod helm;
pub mod kubernetes;
pub mod openid;
pub mod person;
pub mod picture;
pub mod postgres;
pub mod program;
pub mod questions;
pub mod random;
pub mod server;
pub mod snapshot;
pub mod socket;
pub mod story;
pub mod tamper;
pub mod verifiers;

pub use self::{
    chart::chart,
    person::{Person, Refusal},
    server::Server,
    story::Story,
};

/// The text at a JSON pointer.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn text<'a>(json: &'a serde_json::Value, pointer: &str) -> &'a str {
    let found = json.pointer(pointer).and_then(serde_json::Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {json:#}"))
}

/// The list at a JSON pointer.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn list<'a>(json: &'a serde_json::Value, pointer: &str) -> &'a [serde_json::Value] {
    let found = json.pointer(pointer).and_then(serde_json::Value::as_array);
    found.unwrap_or_else(|| panic!("no list at {pointer} of {json:#}"))
}

/// The texts at one place of every item of a list.
#[must_use]
pub fn texts<'a>(json: &'a serde_json::Value, items: &str, pointer: &str) -> Vec<&'a str> {
    list(json, items).iter().map(|item| text(item, pointer)).collect()
}
