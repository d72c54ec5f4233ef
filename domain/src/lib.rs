//! What Charthouse is about: the life of an app in a store, decided by pure functions.
//!
//! Nothing here reads a clock, draws a random number, touches a disk or waits. A module is an aggregate
//! (its events, its state, what it decides) or a value that cannot exist unless it is valid.
//!
//! * [`app`]: an app, its versions and its listing, from upload to the store and out of it again
//! * [`release`]: an installed app: what is wanted, what was observed, every attempt between
//! * [`category`], [`workspace`], [`project`], [`cluster`], [`account`], [`role`], [`invitation`], [`name`]: what these
//!   two need
//! * [`access`]: who may do what; [`granting`]: who may let others; [`allowed`]: what somebody may do now
//! * [`session`]: that somebody is signed in; [`refusal`]: that somebody was not let in
//! * [`event`]: every stored event under its stored name; [`export`]: that review decisions were handed out

pub mod access;
pub mod account;
pub mod allowed;
pub mod app;
pub mod category;
pub mod cluster;
pub mod content;
pub mod decider;
mod decimal;
pub mod digest;
pub mod event;
pub mod export;
pub mod granting;
pub mod health;
pub mod ids;
pub mod invitation;
pub mod listing;
pub mod log;
pub mod name;
pub mod names;
pub mod permission;
pub mod project;
pub mod refusal;
pub mod release;
pub mod review_policy;
pub mod role;
pub mod session;
#[cfg(test)]
pub mod spec;
mod text;
pub mod version_number;
pub mod workspace;
