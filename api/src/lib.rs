//! The process: HTTP, GraphQL, the command line, Helm, the clock and the keys.
//!
//! A mutation takes this way: `graphql/` reads it, `commands.rs` and `commands/` carry it out on the aggregates of
//! `domain`, `eventstore` records what was decided, `projections` shows it, `graphql/` answers. What a fact calls for
//! outside is done by `effects/`, which reports back through `commands.rs`.

mod admin;
mod auth;
mod backup;
mod causes;
mod chart_archive;
mod cli;
mod clock;
mod commands;
mod config;
mod content;
mod effects;
mod erasure_list;
mod exports;
mod freshness;
mod graphql;
mod http;
mod icon;
mod ids;
mod keys;
mod kubeconfig;
mod markdown;
mod master_keys;
mod pipe;
mod services;
mod uploads;
mod values;
mod vault;

pub use cli::run;
