//! A PostgreSQL server of the tests' own: in a temporary folder, on a free port, and gone when the process is gone.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// Waits until its standard input ends, which it does when the test process is gone, however that went.
const GUARDIAN: &str = r#"read -r _; "$1/pg_ctl" stop -D "$2/data" -m immediate; rm -rf "$2""#;

pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// `initdb` and the server refuse to run as root.
    unprivileged: Option<(u32, u32)>,
    guardian: Option<Child>,
}

impl Server {
    /// The server that all tests of this process share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Server> = LazyLock::new(Server::start);
        &SHARED
    }

    /// A server that may be harmed.
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap().keep())
    }

    /// The same in a folder of the caller's choice, which is removed in the end.
    pub(crate) fn start_in(folder: PathBuf) -> Self {
        let mut server = Self {
            programs: programs(),
            folder,
            port: free_port(),
            unprivileged: unprivileged(),
            guardian: None,
        };
        if let Some((user, group)) = server.unprivileged {
            chown(&server.folder, Some(user), Some(group)).unwrap();
        }
        server.guardian = Some(server.guard());
        server.run(
            "initdb",
            &[
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ],
        );
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nmax_connections = 300\n",
            server.port
        );
        let mut file = File::options()
            .append(true)
            .open(server.data().join("postgresql.conf"))
            .unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        server.resume();
        server
    }

    /// What `kill -9` and a power cut do to it: no checkpoint, no goodbye.
    pub(crate) fn crash(&self) {
        let pid_file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let status = Command::new("kill")
            .args(["-9", pid_file.lines().next().unwrap()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Starts it, after a crash as soon as the last of its processes is gone.
    pub(crate) fn resume(&self) {
        let log = self.folder.join("log");
        for _ in 0..50 {
            let started = self
                .command("pg_ctl")
                .args(["start", "-w", "-s", "-t", "60"])
                .arg(format!("-l{}", log.display()))
                .status();
            if started.unwrap().success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!(
            "the PostgreSQL server did not start:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        );
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A new, empty database of an owner without privileges.
    pub(crate) async fn database(&self) -> String {
        self.copy_of("template1").await
    }

    /// A copy of a database to which nobody is connected.
    pub(crate) async fn copy_of(&self, template: &str) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("log_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.administrator("postgres").await;
        for statement in [
            "DO $$ BEGIN CREATE ROLE charthouse LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$"
                .to_owned(),
            format!("CREATE DATABASE {name} OWNER charthouse TEMPLATE {template}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
        format!("postgres://charthouse@127.0.0.1:{}/{name}", self.port)
    }

    /// A session that may do everything.
    pub(crate) async fn administrator(&self, database: &str) -> PgConnection {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        url.parse::<sqlx::postgres::PgConnectOptions>()
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn guard(&self) -> Child {
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&self.programs)
            .arg(&self.folder);
        // In a group of its own, so that an interrupt from the keyboard leaves it its work to do.
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.unprivileged(&mut command).spawn().unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self
            .command(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .arg("-D")
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.unprivileged(&mut command);
        command
    }

    fn unprivileged<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // The folder of the caller may be closed to that user.
        command.current_dir("/").env("LC_ALL", "C");
        match self.unprivileged {
            Some((user, group)) => command.uid(user).gid(group),
            None => command,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            drop(guardian.stdin.take());
            guardian.wait().unwrap();
        }
    }
}

/// Where `initdb` and `pg_ctl` are: `CHARTHOUSE_POSTGRES_BIN`, or Debian's newest.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("CHARTHOUSE_POSTGRES_BIN") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max();
    let Some((_, folder)) = newest else {
        panic!(
            "these tests need PostgreSQL: run tests/setup/get-postgres.sh, or name its folder in CHARTHOUSE_POSTGRES_BIN"
        )
    };
    folder
}

/// User and group to run as instead of root.
fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let nobody = users.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let ids: Vec<u32> = nobody
        .split(':')
        .skip(2)
        .take(2)
        .map(|id| id.parse().unwrap())
        .collect();
    Some((ids[0], ids[1]))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
