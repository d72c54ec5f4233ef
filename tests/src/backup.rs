//! `charthouse backup` and `charthouse restore`, as a script would use them.

use std::path::Path;

use serde_json::Value;

use crate::{admin::Refused, program};

/// Runs the program with these words and a folder, and reads its answer.
async fn run(word: &str, folder: &Path, data: &Path, more: &[&str]) -> Result<Value, Refused> {
    let mut command = program::command();
    let output = command
        .arg(word)
        .arg(folder)
        .arg("--data")
        .arg(data)
        .arg("--json")
        .args(more)
        .output()
        .await;
    let output = output.expect("the program can be run");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).expect("it answers with JSON"))
}

/// Backs the data folder up.
///
/// # Errors
///
/// What it said, if it ended with a failure.
pub async fn back_up(data: &Path, to: &Path) -> Result<Value, Refused> {
    back_up_with(data, to, &[]).await
}

/// Backs the data folder up, with further options.
///
/// # Errors
///
/// What it said, if it ended with a failure.
pub async fn back_up_with(data: &Path, to: &Path, more: &[&str]) -> Result<Value, Refused> {
    run("backup", to, data, more).await
}

/// Restores a backup.
///
/// # Errors
///
/// What it said, if it ended with a failure.
pub async fn restore(from: &Path, data: &Path, more: &[&str]) -> Result<Value, Refused> {
    run("restore", from, data, more).await
}
