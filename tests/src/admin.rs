//! `charthouse admin`, as a script would use it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{program, text};

/// Administers a data folder, whether a server runs on it or not.
#[derive(Debug, Clone)]
pub struct Admin {
    data: PathBuf,
}

/// What a refused command said, on standard error.
pub type Refused = String;

impl Admin {
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// Runs `charthouse admin` with these words, and reads its answer.
    ///
    /// # Errors
    ///
    /// What it said, if it ended with a failure.
    ///
    /// # Panics
    ///
    /// If it cannot be run, or does not answer with one JSON object per line.
    pub async fn attempt(&self, words: &[&str]) -> Result<Value, Refused> {
        let mut command = program::command();
        let output = command
            .arg("admin")
            .arg("--data")
            .arg(&self.data)
            .arg("--json")
            .args(words)
            .output()
            .await;
        let output = output.expect("the program can be run");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let answers = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = answers.lines().last().unwrap_or_default();
        Ok(serde_json::from_str(last).unwrap_or_else(|error| panic!("admin {words:?} answered {answers:?}: {error}")))
    }

    /// Runs `charthouse export` on the same folder, and answers what it printed.
    ///
    /// # Errors
    ///
    /// What it said, if it ended with a failure.
    ///
    /// # Panics
    ///
    /// If it cannot be run.
    pub async fn export(&self, words: &[&str]) -> Result<String, Refused> {
        let mut command = program::command();
        let output = command
            .arg("export")
            .arg("--data")
            .arg(&self.data)
            .args(words)
            .output()
            .await;
        let output = output.expect("the program can be run");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(said(&output.stdout)),
            false => Err(said(&output.stderr)),
        }
    }

    /// Runs a command that must succeed.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn run(&self, words: &[&str]) -> Value {
        self.attempt(words)
            .await
            .unwrap_or_else(|said| panic!("admin {words:?} failed: {said}"))
    }

    /// Makes something, and returns its global id.
    pub async fn create(&self, words: &[&str]) -> String {
        text(&self.run(words).await, "/id").to_owned()
    }

    /// Issues a token that lives until it is revoked.
    pub async fn token(&self, account: &str) -> String {
        text(&self.run(&["token", "create", account]).await, "/token").to_owned()
    }

    /// Makes an account in these roles, each with the words that say where, and a token for it.
    pub async fn person(&self, name: &str, roles: &[&[&str]]) -> String {
        self.create(&["account", "create", name]).await;
        for role in roles {
            self.run(&[&["role", "grant", name][..], role].concat()).await;
        }
        self.token(name).await
    }
}
