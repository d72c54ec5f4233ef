//! Other people's GraphQL programs, and a folder to run them in. `make test` installs them.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::process::Command;

/// A copy of `tests/graphql`, with `schema.graphql` in it and the programs beside it.
pub struct Workbench(TempDir);

impl Workbench {
    /// # Panics
    ///
    /// If the programs are not installed.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&tests.join("graphql"), folder.path());
        symlink(installed(), folder.path().join("node_modules")).expect("a link can be made");
        let bench = Self(folder);
        let schema = fs::read_to_string(tests.join("../schema.graphql")).expect("the schema can be read");
        bench.put("schema.graphql", &schema);
        bench
    }

    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// # Panics
    ///
    /// If the file cannot be written.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(self.0.path())).expect("a folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Runs a program, and answers what it printed.
    ///
    /// # Errors
    ///
    /// All that it said, if it failed.
    ///
    /// # Panics
    ///
    /// If there is no such program.
    pub async fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: &[A]) -> Result<String, String> {
        let programs = self.path("node_modules/.bin");
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([programs.clone()].into_iter().chain(env::split_paths(&inherited)));
        let output = Command::new(programs.join(program))
            .args(arguments)
            .current_dir(self.0.path())
            .env("PATH", path.expect("folders of programs have no colon in their names"))
            .env("NO_COLOR", "1")
            .kill_on_drop(true)
            .output()
            .await
            .expect("the program can be run");
        let [said, complaints] = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        match output.status.success() {
            true => Ok(said),
            false => Err(said + &complaints),
        }
    }
}

impl Default for Workbench {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the programs were installed: beside the other tools, which are on the PATH.
fn installed() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).map(|tools| tools.join("graphql-testers/node_modules"));
    folders
        .find(|folder| folder.is_dir())
        .expect("graphql-testers are beside the tools on the PATH: run `make test`, which installs them")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).expect("a folder can be made");
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("the file can be copied");
        }
    }
}
