//! The program under test.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Where `charthouse` is: what `CHARTHOUSE_BIN` names, or the one that was built beside these tests.
///
/// # Panics
///
/// If it was not built.
#[must_use]
pub fn path() -> PathBuf {
    let path = env::var_os("CHARTHOUSE_BIN").map_or_else(beside_the_tests, PathBuf::from);
    assert!(
        path.is_file(),
        "there is no charthouse program at {}: run `make test`, which builds it first, or name one in CHARTHOUSE_BIN",
        path.display()
    );
    path
}

/// Test programs lie in `target/<profile>/deps`.
fn beside_the_tests() -> PathBuf {
    let tests = env::current_exe().expect("a process knows its program");
    let profile = tests
        .ancestors()
        .find(|folder| folder.ends_with("deps"))
        .and_then(Path::parent);
    profile
        .expect("cargo put the tests into a folder `deps`")
        .join("charthouse")
}

/// A command that inherits nothing which could change what Charthouse does.
#[must_use]
pub fn command() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(path());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CHARTHOUSE_") {
            command.env_remove(name);
        }
    }
    command.env("RUST_LOG", "warn").kill_on_drop(true);
    command
}
