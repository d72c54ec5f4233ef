//! What a server left behind, copied for every test to spoil.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{
    Story,
    evidence::{Verdict, bundle, entries, verify},
    snapshot::Snapshot,
    text,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Enough for a full tile and a partial one.
const CATEGORIES: usize = 120;
/// What a server left, and what an auditor took from it while it ran.
pub(super) struct Evidence {
    data: Snapshot,
    pub(super) key: String,
    /// The checkpoint at the beginning.
    pub(super) early: String,
    pub(super) proofs: [String; 2],
}

static EVIDENCE: OnceCell<Evidence> = OnceCell::const_new();

impl Evidence {
    async fn gather() -> Self {
        let mut story = Story::begin().await;
        let early = story.nobody().get("/log/checkpoint").await.text();
        for number in 0..CATEGORIES {
            let input = json!({ "name": format!("Category {number}"), "icon": "database" });
            story.admin.does("createCategory", input).await;
        }
        let mut proofs = vec![];
        for position in ["41", "42"] {
            let query = "query($at: LogPosition!) { inclusionProof(position: $at) { file } }";
            let answer = story.admin.ask(query, json!({ "at": position })).await;
            proofs.push(text(&answer, "/inclusionProof/file").to_owned());
        }
        let key = story.nobody().get("/log/vkey").await.text().trim().to_owned();
        assert!(story.server.stop().await.success());
        Self {
            data: Snapshot::of(story.server.data()).unwrap(),
            key,
            early,
            proofs: proofs.try_into().unwrap(),
        }
    }
}

/// A copy of the evidence, to be spoilt.
pub(super) struct Case {
    pub(super) evidence: &'static Evidence,
    folder: TempDir,
}

impl Case {
    pub(super) async fn new() -> Self {
        let evidence = EVIDENCE.get_or_init(Evidence::gather).await;
        let folder = tempfile::tempdir().unwrap();
        evidence.data.restore(&folder.path().join("data")).unwrap();
        fs::write(folder.path().join("early"), &evidence.early).unwrap();
        Self { evidence, folder }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the log's only epoch.
    pub(super) fn published(&self) -> PathBuf {
        let mut epochs = fs::read_dir(self.data().join("log")).unwrap();
        epochs.next().unwrap().unwrap().path()
    }

    pub(super) fn checkpoint(&self) -> String {
        fs::read_to_string(self.published().join("checkpoint")).unwrap()
    }

    pub(super) fn size(&self) -> usize {
        size(&self.checkpoint())
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A tile, at its full width or as wide as it is.
    pub(super) fn tile(&self, place: &str) -> PathBuf {
        let path = self.published().join("tile").join(place);
        if path.is_file() {
            return path;
        }
        let mut partial = fs::read_dir(path.with_extension("p")).unwrap();
        let widest = partial.by_ref().map(|entry| entry.unwrap().path());
        widest.max_by_key(|path| width(path)).unwrap()
    }

    pub(super) async fn tiles(&self, more: &[&str]) -> Verdict {
        let folder = self.published();
        let words = ["tiles", folder.to_str().unwrap(), "--key", &self.evidence.key];
        verify(&[&words[..], more].concat()).await
    }

    pub(super) async fn tiles_since(&self) -> Verdict {
        self.tiles(&["--since", &self.path("early")]).await
    }

    pub(super) async fn log(&self) -> Verdict {
        verify(&["log", self.data().to_str().unwrap()]).await
    }

    pub(super) async fn log_since(&self, checkpoint: &str) -> Verdict {
        let data = self.data();
        verify(&[
            "log",
            data.to_str().unwrap(),
            "--key",
            &self.evidence.key,
            "--since",
            checkpoint,
        ])
        .await
    }

    pub(super) async fn proof(&self, file: &str, more: &[&str]) -> Verdict {
        let path = self.file("a.tlog-proof", file);
        verify(&[&["proof", &path, "--key", &self.evidence.key][..], more].concat()).await
    }

    pub(super) fn edit_bundle(&self, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let path = self.tile("entries/000");
        let mut leaves = entries(&fs::read(&path).unwrap());
        edit(&mut leaves);
        fs::write(path, bundle(&leaves)).unwrap();
    }
}

fn width(path: &Path) -> u16 {
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

fn size(checkpoint: &str) -> usize {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}
