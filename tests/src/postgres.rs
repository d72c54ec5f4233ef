//! A PostgreSQL server of a test's own: in a temporary folder, on a free port, and stopped when it is dropped.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Waits until its standard input ends, which it does when the test process is gone, however that went.
const GUARDIAN: &str = r#"read -r _; "$1/pg_ctl" stop -D "$2/data" -m immediate; rm -rf "$2""#;

pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    guardian: Option<Child>,
}

impl Postgres {
    /// # Panics
    ///
    /// If there is no PostgreSQL, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Self {
            programs: programs(),
            folder: tempfile::tempdir().expect("the temporary folder can be written").keep(),
            port: free_port(),
            guardian: None,
        };
        if let Some((user, group)) = unprivileged() {
            chown(&server.folder, Some(user), Some(group)).expect("root gives folders away");
        }
        server.guardian = Some(server.guard());
        server.run(
            "initdb",
            &[
                "--username=charthouse",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ],
        );
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n",
            server.port
        );
        let configuration = File::options()
            .append(true)
            .open(server.folder.join("data/postgresql.conf"));
        let written = configuration.and_then(|mut file| file.write_all(settings.as_bytes()));
        written.expect("its configuration can be written");
        server.start_again();
        server
    }

    /// Starts a server that was stopped, on the same port.
    pub fn start_again(&self) {
        let log = format!("-l{}", self.folder.join("log").display());
        self.run("pg_ctl", &["start", "-w", "-s", "-t", "60", &log]);
    }

    /// Ends every connection, and the server.
    pub fn stop(&self) {
        self.run("pg_ctl", &["stop", "-w", "-s", "-m", "fast"]);
    }

    /// An empty database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://charthouse@127.0.0.1:{}/postgres", self.port)
    }

    fn guard(&self) -> Child {
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&self.programs)
            .arg(&self.folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        as_nobody(&mut command).spawn().expect("a shell can be run")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let ended = as_nobody(&mut command).status().expect("it can be run");
        assert!(ended.success(), "{program} {arguments:?}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            drop(guardian.stdin.take());
            // It has nothing to say; what it could not stop ends with the machine.
            let _ = guardian.wait();
        }
    }
}

/// `initdb` and the server refuse to run as root.
fn as_nobody(command: &mut Command) -> &mut Command {
    // The folder of the caller may be closed to that user.
    command.current_dir("/").env("LC_ALL", "C");
    match unprivileged() {
        Some((user, group)) => command.uid(user).gid(group),
        None => command,
    }
}

fn unprivileged() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").expect("a process sees itself");
    if own.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let nobody = users.lines().find(|line| line.starts_with("nobody:"))?;
    let mut ids = nobody.split(':').skip(2).map_while(|id| id.parse().ok());
    ids.next().zip(ids.next())
}

/// Where `initdb` and `pg_ctl` are: `CHARTHOUSE_POSTGRES_BIN`, or Debian's newest.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("CHARTHOUSE_POSTGRES_BIN") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = versions.filter_map(|entry| Some((number(&entry.path())?, entry.path().join("bin"))));
    let newest = installed.filter(|(_, folder)| folder.join("initdb").exists()).max();
    newest
        .expect("PostgreSQL is installed: run tests/setup/get-postgres.sh")
        .1
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there are free ports");
    listener.local_addr().expect("it listens").port()
}
