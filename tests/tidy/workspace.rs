//! The files of the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub struct Source {
    /// Relative to the workspace, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl Source {
    /// The text without what stands in comments.
    pub fn code(&self) -> String {
        let code_of = |line: &str| line.split_once("//").map_or(line, |(code, _)| code).to_owned();
        self.text.lines().map(code_of).collect::<Vec<_>>().join("\n")
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below a folder, in the order of their paths.
pub fn rust_files(folder: &str) -> Vec<Source> {
    let root = root();
    let mut open = vec![root.join(folder)];
    let mut files = vec![];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(Source { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!files.is_empty(), "{folder} holds no Rust files: has it moved?");
    files
}

/// What a crate depends on, by the names its manifest uses, in one of its tables.
pub fn dependencies(folder: &str, table: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut names = vec![];
    let mut is_inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            is_inside = header == table;
            // `[dependencies.name]` is the long way to write it.
            names.extend(
                header
                    .strip_prefix(table)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .map(str::to_owned),
            );
        } else if is_inside && !line.is_empty() && !line.starts_with('#') {
            names.push(line.split(['.', '=', ' ']).next().unwrap_or_default().to_owned());
        }
    }
    names
}

/// All that a crate depends on, also to build and to test itself.
pub fn all_dependencies(folder: &str) -> Vec<String> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .map(|table| dependencies(folder, table))
        .concat()
}
