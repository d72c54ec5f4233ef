//! What Charthouse promises, told as stories. Each has a server and a data folder of its own.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod allowed_actions;
mod at_least;
mod audit;
mod backup;
mod bundles;
mod clusters;
mod crash;
mod cut_off;
mod demo;
mod erased_evidence;
mod erasure;
mod event_feed;
mod evidence;
mod explain;
mod exports;
mod graphql_clients;
mod graphql_documents;
mod helm_repository;
mod hostile;
mod hostile_queries;
mod http;
mod isolation;
mod lifecycle;
mod oidc;
mod operations;
mod people;
mod previews;
mod published_log;
mod races;
mod rebuild;
mod refusals;
mod releases;
mod replay;
mod review;
mod review_policy;
mod sign_in;
mod sockets;
mod standin;
mod storefront;
mod tenants;
mod time_travel;
mod tokens;
mod uploads;
mod values;
mod walk;
mod workers;

#[test]
fn every_file_of_this_folder_is_part_of_this_program() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance");
    let declared = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let module = file.trim_end_matches(".rs");
        assert!(
            module == "main" || declared.contains(&format!("mod {module};\n")),
            "{file} is not declared"
        );
    }
}
