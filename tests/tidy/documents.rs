//! Documents say what the program does.

use std::collections::BTreeSet;

use crate::workspace::{root, rust_files};

/// What looks like a code and is none: names of environment variables.
const VARIABLES: [&str; 3] = ["CARGO_", "CHARTHOUSE_", "HELM_"];
/// Reasons of a failed operation are an enum of the schema, and are described there.
const HELM_REASONS: [&str; 3] = ["HELM_FAILED", "HELM_TIMEOUT", "HELM_MISSING"];

#[test]
fn every_error_code_is_in_the_list_of_errors() {
    let listed = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let mut missing = BTreeSet::new();
    for source in rust_files("api/src") {
        for code in codes(&source.code()) {
            if !listed.contains(&format!("| `{code}` |")) {
                missing.insert(format!("{code} ({})", source.path));
            }
        }
    }
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:#?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = vec![];
    for document in [
        "README.md",
        "docs/ARCHITECTURE.md",
        "docs/guides/audit-the-past.md",
        "docs/guides/first-steps-with-the-api.md",
        "docs/guides/run-releases.md",
    ] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_elsewhere = target.starts_with("http") || target.starts_with('#');
            if !is_elsewhere && !folder.join(target).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// String literals such as `"NOT_FOUND"`.
fn codes(code: &str) -> Vec<String> {
    let literals = code.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        text.contains('_')
            && text.len() > 4
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            && !VARIABLES.iter().any(|prefix| text.starts_with(prefix))
            && !HELM_REASONS.contains(text)
    };
    literals.filter(is_code).map(str::to_owned).collect()
}
