//! What no source file may look like.

use crate::workspace::{Source, rust_files};

const LINES_MAX: usize = 500;

fn all_sources() -> Vec<Source> {
    ["domain", "eventstore", "projections", "api", "tests"]
        .into_iter()
        .flat_map(rust_files)
        .collect()
}

#[test]
fn no_file_is_longer_than_500_lines() {
    for file in all_sources() {
        let lines = file.text.lines().count();
        assert!(
            lines <= LINES_MAX,
            "{} has {lines} lines, and {LINES_MAX} are allowed",
            file.path
        );
    }
}

#[test]
fn nothing_is_left_to_do() {
    // Put together here, so that this file does not hold them.
    let words = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X"],
        ["db", "g!("],
        ["to", "do!("],
        ["unimple", "mented!("],
    ]
    .map(|halves| halves.concat());
    for file in all_sources() {
        for (number, line) in file.text.lines().enumerate() {
            let found = words.iter().find(|word| line.contains(word.as_str()));
            assert!(found.is_none(), "{}:{} says {found:?}", file.path, number + 1);
        }
    }
}

#[test]
fn every_exception_from_a_lint_is_an_expectation_with_a_reason() {
    for file in all_sources() {
        let code = file.code();
        let starts = ["#[allow(", "#![allow("];
        assert!(
            !starts.iter().any(|start| has_line(&code, start)),
            "{} allows what it should expect",
            file.path
        );
        for start in ["#[expect(", "#![expect("] {
            for (at, _) in code.match_indices(start).filter(|(at, _)| begins_its_line(&code, *at)) {
                let attribute = code[at..]
                    .split_once(")]")
                    .map_or(&code[at..], |(attribute, _)| attribute);
                assert!(
                    attribute.contains("reason = \""),
                    "{}: {attribute} has no reason",
                    file.path
                );
            }
        }
    }
}

#[test]
fn spans_name_what_they_show() {
    for file in all_sources() {
        for line in file.code().lines().map(str::trim) {
            let is_span = line.starts_with("#[instrument") || line.starts_with("#[tracing::instrument");
            assert!(
                !is_span || line.contains("skip_all"),
                "{}: {line} may show anything",
                file.path
            );
        }
    }
}

#[test]
fn files_begin_by_saying_what_they_are() {
    for file in all_sources() {
        // The parts of a crate's own tests are named after what they test.
        let is_part = file.path.contains("/tests/");
        assert!(
            is_part || file.text.starts_with("//!"),
            "{} does not say what it is",
            file.path
        );
    }
}

fn has_line(code: &str, start: &str) -> bool {
    code.lines().any(|line| line.trim_start().starts_with(start))
}

fn begins_its_line(code: &str, at: usize) -> bool {
    code[..at]
        .rsplit('\n')
        .next()
        .is_none_or(|before| before.trim().is_empty())
}
