//! The real Helm behind a gate: it begins, and goes on when it is let through; or it is told to fail.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::server::PATIENCE;

const LOOK_INTERVAL: Duration = Duration::from_millis(10);

pub struct GatedHelm {
    folder: TempDir,
}

impl GatedHelm {
    /// Nothing gets through yet.
    ///
    /// # Panics
    ///
    /// If the temporary folder cannot be written.
    #[must_use]
    pub fn closed() -> Self {
        let helm = Self {
            folder: tempfile::tempdir().expect("the temporary folder can be written"),
        };
        let folder = helm.folder.path().display();
        let script = format!(
            "#!/bin/sh\n\
             [ \"$1\" = version ] && exec helm \"$@\"\n\
             echo $$ >> {folder}/begun\n\
             while [ ! -e {folder}/open ]; do sleep 0.02; done\n\
             [ -e {folder}/broken ] && echo 'it was told to fail' >&2 && exit 1\n\
             exec helm \"$@\"\n"
        );
        fs::write(helm.path(), script).expect("the temporary folder can be written");
        fs::set_permissions(helm.path(), fs::Permissions::from_mode(0o755)).expect("own files can be changed");
        helm
    }

    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("helm")
    }

    /// As an option of `charthouse serve`.
    ///
    /// # Panics
    ///
    /// If the temporary folder has no UTF-8 name.
    #[must_use]
    pub fn program(&self) -> String {
        self.path()
            .to_str()
            .expect("temporary folders have plain names")
            .to_owned()
    }

    /// Lets through who waits, and who comes.
    pub fn open(&self) {
        self.put("open");
    }

    /// Whoever comes waits again.
    ///
    /// # Panics
    ///
    /// If it was not open.
    pub fn close(&self) {
        fs::remove_file(self.folder.path().join("open")).expect("it was open");
    }

    /// Whoever is let through fails.
    pub fn break_it(&self) {
        self.put("broken");
    }

    /// # Panics
    ///
    /// If it was not broken.
    pub fn mend(&self) {
        fs::remove_file(self.folder.path().join("broken")).expect("it was broken");
    }

    fn put(&self, name: &str) {
        fs::write(self.folder.path().join(name), "").expect("the temporary folder can be written");
    }

    /// The processes that have begun so far, once there are as many as `count`.
    ///
    /// # Panics
    ///
    /// If they do not come.
    pub async fn begun(&self, count: usize) -> Vec<u32> {
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.path().join("begun")).unwrap_or_default();
            let processes: Vec<_> = text.lines().filter_map(|line| line.parse().ok()).collect();
            if processes.len() >= count {
                return processes;
            }
            assert!(started.elapsed() < PATIENCE, "helm did not begin {count} times");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

/// Waits until a process is gone.
///
/// # Panics
///
/// If it stays.
pub async fn is_gone(process: u32) {
    let started = Instant::now();
    while Path::new(&format!("/proc/{process}")).exists() {
        assert!(started.elapsed() < PATIENCE, "process {process} is still there");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
