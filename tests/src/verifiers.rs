//! Programs of others that agree, or do not, with what Charthouse gives out. `make test` installs them.

use std::{ffi::OsStr, path::Path};

use tokio::process::Command;

/// Runs a script of `tests/verifiers`, and answers the lines it printed.
///
/// # Errors
///
/// What it said, if it did not agree.
///
/// # Panics
///
/// If `verifier-python` is not installed.
pub async fn run<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> Result<Vec<String>, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers").join(script);
    let output = Command::new("verifier-python")
        .arg(script)
        .args(arguments)
        .output()
        .await;
    let output = output.expect("verifier-python is on the PATH: run `make test`, which installs it");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout).lines().map(str::to_owned).collect()),
        false => Err(said(&output.stdout) + &said(&output.stderr)),
    }
}
