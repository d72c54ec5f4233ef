use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use eventstore::{AppendError, EventStore, Mode};
use serde_json::json;
use tempfile::TempDir;

use super::{Acknowledged, acknowledged, audit, pair};
use crate::postgres_server::Server;

/// A file system of a few megabytes, for root only.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("SKIPPED: a full disk was not tested, because this user may not mount a small one");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no more than `kilobytes` free.
    fn fill(&self, kilobytes: u64) -> PathBuf {
        let ballast = self.path().join("ballast");
        let output = Command::new("df")
            .args(["--output=avail", "-k"])
            .arg(self.path())
            .output()
            .unwrap();
        let free: u64 = String::from_utf8_lossy(&output.stdout)
            .lines()
            .nth(1)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let bytes = vec![0; usize::try_from((free - kilobytes) * 1024).unwrap()];
        fs::write(&ballast, bytes).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Appends until the disk is full; the events before that stay, and appends go on once there is room.
async fn fill_up(store: &EventStore, revision: &mut u64) -> (Vec<Acknowledged>, AppendError) {
    let mut known = Vec::new();
    loop {
        let mut large = pair("w", *revision);
        large.writes[0].events[0].data = json!({ "text": "x".repeat(30_000) });
        match store.append(large).await {
            Ok(appended) => known.push(acknowledged(&appended)),
            Err(error) => return (known, error),
        }
        *revision += 1;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_harms_nothing_in_sqlite() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let url = format!("sqlite://{}", disk.path().join("log.db").display());
    let store = EventStore::open(&url, Mode::Append).await.unwrap();
    let ballast = disk.fill(1_024);
    let mut revision = 0;
    let (mut known, refused) = fill_up(&store, &mut revision).await;
    assert!(matches!(refused, AppendError::Database(_)), "{refused}");
    assert!(!known.is_empty());
    assert_eq!(store.head().await.unwrap().size, 2 * known.len() as u64);

    fs::remove_file(ballast).unwrap();
    known.push(acknowledged(&store.append(pair("w", revision)).await.unwrap()));
    store.close().await;
    audit(&url, &known).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_and_harms_nothing_in_postgres() {
    let Some(disk) = SmallDisk::mount(160) else { return };
    let folder = disk.path().join("server");
    fs::create_dir(&folder).unwrap();
    let server = Server::start_in(folder);
    let url = server.database().await;
    let store = EventStore::open(&url, Mode::Append).await.unwrap();
    let ballast = disk.fill(3_000);
    let mut revision = 0;
    let (mut known, refused) = fill_up(&store, &mut revision).await;
    // A server that cannot write its journal stops altogether.
    assert!(
        matches!(
            refused,
            AppendError::Database(_) | AppendError::Unavailable(_) | AppendError::OutcomeUnknown(_)
        ),
        "{refused}"
    );
    assert!(!known.is_empty());

    fs::remove_file(ballast).unwrap();
    if TcpStream::connect(("127.0.0.1", server.port())).is_err() {
        server.resume();
    }
    let next = store.head().await.unwrap().size / 2;
    known.push(acknowledged(&store.append(pair("w", next)).await.unwrap()));
    store.close().await;
    audit(&url, &known).await;
}
