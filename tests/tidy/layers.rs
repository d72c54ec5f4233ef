//! `domain` and `eventstore` know nothing of each other, `projections` knows both, `api` knows all, and nobody knows it.

use crate::workspace::{all_dependencies, dependencies, rust_files};

const CRATES: &[&str] = &["domain", "eventstore", "projections", "api"];

#[test]
fn crates_know_only_what_lies_below_them() {
    for (folder, below) in [
        ("domain", &[][..]),
        ("eventstore", &[]),
        ("projections", &["domain", "eventstore"]),
        ("api", &["domain", "eventstore", "projections"]),
        ("tests", &[]),
    ] {
        let of_ours = |name: &String| CRATES.contains(&name.as_str()) || name.starts_with("charthouse");
        let known: Vec<_> = all_dependencies(folder).into_iter().filter(of_ours).collect();
        assert_eq!(known, below, "{folder}/Cargo.toml");
    }
}

#[test]
fn the_domain_depends_on_nothing_that_could_reach_the_world() {
    let allowed = ["chrono", "semver", "serde", "serde_json", "thiserror", "uuid"];
    for name in dependencies("domain", "dependencies") {
        assert!(allowed.contains(&name.as_str()), "domain may not depend on {name}");
    }
}

#[test]
fn the_domain_is_pure() {
    let impure = [
        "async fn",
        "async move",
        ".await",
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "now_v7",
        "new_v4",
        "println!",
        "tracing::",
    ];
    for file in rust_files("domain/src") {
        let code = without_tests(&file.code());
        for word in impure {
            // A test that reads or writes a file of the repository is beside the domain, not in it.
            assert!(is_test(&file.path) || !code.contains(word), "{} says {word}", file.path);
        }
    }
}

#[test]
fn only_the_command_path_appends_to_the_log() {
    for folder in ["projections/src", "api/src"] {
        for file in rust_files(folder) {
            let code: String = without_tests(&file.code()).split_whitespace().collect();
            let appends = ["log.append(", "Append{", "eventstore::Append("]
                .iter()
                .any(|word| code.contains(word));
            let may = file.path == "api/src/commands.rs" || is_test(&file.path);
            assert!(may || !appends, "{} appends to the log", file.path);
        }
    }
}

#[test]
fn http_graphql_and_helm_are_known_in_api_only() {
    for (words, may) in [
        (&["async_graphql"][..], &["api/"][..]),
        // The harness answers as a cluster does.
        (&["axum::", "use axum"], &["api/", "tests/src/kubernetes"]),
        (
            &["Command::new(\"helm", "effects::Helm"],
            &["api/src/effects", "api/src/cli", "tests/src/helm.rs"],
        ),
        (&["sqlx::", "use sqlx"], &["eventstore/"]),
        // A forger edits the log's file with whatever is at hand.
        (
            &["rusqlite::", "use rusqlite"],
            &["projections/", "tests/src/tamper.rs"],
        ),
    ] {
        for folder in [
            "domain/src",
            "eventstore/src",
            "projections/src",
            "api/src",
            "tests/src",
            "tests/acceptance",
        ] {
            for file in rust_files(folder) {
                let found = words.iter().find(|word| file.code().contains(**word));
                let allowed = may.iter().any(|place| file.path.starts_with(place));
                assert!(allowed || found.is_none(), "{} knows {found:?}", file.path);
            }
        }
    }
}

#[test]
fn effects_are_the_only_place_that_starts_programs() {
    for file in rust_files("api/src") {
        let starts = ["process::Command", "std::process::Child", "Command::new("]
            .iter()
            .any(|word| file.code().contains(word));
        assert!(
            !starts || file.path.starts_with("api/src/effects/"),
            "{} starts a program",
            file.path
        );
    }
}

/// Whether a file is compiled for tests only.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path == "domain/src/spec.rs"
}

/// A file without its own tests. Formatted code closes their module at the beginning of a line.
fn without_tests(code: &str) -> String {
    let Some((before, rest)) = code.split_once("#[cfg(test)]\nmod tests {") else {
        return code.to_owned();
    };
    let after = rest.split_once("\n}").map_or("", |(_, after)| after);
    format!("{before}{after}")
}
