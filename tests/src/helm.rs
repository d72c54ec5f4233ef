//! The real Helm, as a user runs it.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;
use tokio::process::Command;

/// Helm with caches and settings of its own, and with no cluster but the one it is given.
pub struct Helm {
    program: &'static str,
    home: TempDir,
}

impl Helm {
    /// The one on the `PATH`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn installed() -> Self {
        Self::named("helm").await
    }

    /// Helm 3 and Helm 4, the programs `helm` and `helm4` on the `PATH`.
    ///
    /// # Panics
    ///
    /// If one of them is missing.
    pub async fn both() -> [Self; 2] {
        let both = [Self::named("helm").await, Self::named("helm4").await];
        for (helm, major) in both.iter().zip(["v3.", "v4."]) {
            let version = helm.run(&["version", "--short"]).await;
            assert!(version.starts_with(major), "{} is {version}", helm.program);
        }
        both
    }

    async fn named(program: &'static str) -> Self {
        let helm = Self {
            program,
            home: tempfile::tempdir().expect("the temporary folder can be written"),
        };
        let version = helm.command(&["version", "--short"]).output().await;
        let works = version.is_ok_and(|output| output.status.success());
        assert!(
            works,
            "there is no {program} on the PATH: run `make test`, which sees to it"
        );
        helm
    }

    /// What `charthouse serve --helm` takes.
    #[must_use]
    pub const fn program(&self) -> &'static str {
        self.program
    }

    /// From now on it works on this cluster.
    ///
    /// # Panics
    ///
    /// If its home cannot be written.
    pub fn use_cluster(&self, kubeconfig: &str) {
        std::fs::write(self.file("kubeconfig"), kubeconfig).expect("the temporary folder can be written");
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
        assert!(output.status.success(), "{} {words:?} failed: {said}", self.program);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What Helm said when it failed.
    ///
    /// # Panics
    ///
    /// If it succeeded.
    pub async fn fails(&self, words: &[&str]) -> String {
        let output = self.attempt(words).await;
        assert!(!output.status.success(), "{} {words:?} did not fail", self.program);
        String::from_utf8_lossy(&output.stderr).into_owned()
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
        let mut command = Command::new(self.program);
        command.args(words).current_dir(self.home.path()).kill_on_drop(true);
        for (name, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("KUBECACHEDIR", "discovery"),
            ("KUBECONFIG", "kubeconfig"),
        ] {
            command.env(name, self.home.path().join(folder));
        }
        command
    }
}

/// Where a program of the `PATH` is.
///
/// # Panics
///
/// If it is not there.
#[must_use]
pub fn on_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program));
    { found }
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("there is no {program} on the PATH"))
}
