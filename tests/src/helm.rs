//! The real Helm, as a user runs it.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;
use tokio::process::Command;

/// Helm with caches and settings of its own.
pub struct Helm {
    home: TempDir,
}

impl Helm {
    /// # Panics
    ///
    /// If there is no Helm on the `PATH`.
    pub async fn installed() -> Self {
        let helm = Self {
            home: tempfile::tempdir().expect("the temporary folder can be written"),
        };
        let version = helm.command(&["version", "--short"]).output().await;
        let works = version.is_ok_and(|output| output.status.success());
        assert!(works, "there is no helm on the PATH: run `make test`, which sees to it");
        helm
    }

    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What Helm printed.
    ///
    /// # Panics
    ///
    /// If Helm failed.
    pub async fn run(&self, words: &[&str]) -> String {
        let output = self.attempt(words).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "helm {words:?} failed: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// # Panics
    ///
    /// If Helm cannot be run.
    pub async fn attempt(&self, words: &[&str]) -> Output {
        self.command(words).output().await.expect("helm can be run")
    }

    /// A file that Helm left in its working folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("helm");
        command.args(words).current_dir(self.home.path()).kill_on_drop(true);
        for (name, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
        ] {
            command.env(name, self.home.path().join(folder));
        }
        command
    }
}
