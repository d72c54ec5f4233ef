//! Backups beside a running server, and what is restored of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{
    Person, Server, Story,
    admin::Admin,
    backup::{back_up, back_up_with, restore},
    chart,
    postgres::Postgres,
    snapshot::files_below,
    story::audit_trail,
    text,
};
use serde_json::json;
use tempfile::TempDir;

const STORE: &str = "{ store { nodes { chartName displayName summary latestVersion { number packageDigest \
    chart { readme } } } } }";

struct Restored {
    data: PathBuf,
    backup: PathBuf,
    _folder: TempDir,
}

impl Restored {
    fn places() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            data: folder.path().join("restored"),
            backup: folder.path().join("backup"),
            _folder: folder,
        }
    }

    /// As an administrator does who keeps the keys apart.
    fn put_keys(&self, from: &Path) {
        fs::create_dir_all(self.data.join("keys")).unwrap();
        for file in files_below(&from.join("keys")).unwrap() {
            fs::copy(from.join("keys").join(&file), self.data.join("keys").join(&file)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_backup_made_beside_a_running_server_is_restored_event_for_event() {
    let story = Story::begin().await;
    story.published(&chart("redis", "1.0.0")).await;
    let (trail, store) = (audit_trail(&story.admin).await, story.user.ask(STORE, json!({})).await);
    let places = Restored::places();
    let made = back_up(story.server.data(), &places.backup).await.unwrap();
    assert_eq!(made["size"].as_u64().unwrap() as usize, trail.len());
    story.published(&chart("kafka", "1.0.0")).await;

    // The keys may be there before, and nothing else.
    places.put_keys(story.server.data());
    let restored = restore(&places.backup, &places.data, &[]).await.unwrap();
    for field in ["logId", "epoch", "size", "root", "blobs"] {
        assert_eq!(restored[field], made[field], "{field}");
    }
    let server = Server::start(&places.data).await;
    let there = |person: &Person| Person::new("there", person.token(), server.address());
    assert_eq!(there(&story.user).ask(STORE, json!({})).await, store);
    let after = audit_trail(&there(&story.admin)).await;
    assert_eq!(after[..trail.len()], trail);
    assert_eq!(text(&after[trail.len()], "/event"), "LogRestored");
}

#[tokio::test]
async fn a_backup_brings_a_log_to_a_server_of_databases_and_back_into_a_file() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "1.0.0")).await;
    story.server.stop().await;
    let postgres = Postgres::start();
    let url = postgres.url();
    let on_postgres = ["--log", &url];
    let there = Restored::places();
    let from_file = back_up(story.server.data(), &there.backup).await.unwrap();
    restore(&there.backup, &there.data, &on_postgres).await.unwrap();
    there.put_keys(story.server.data());
    let server = Server::start_with(&there.data, &on_postgres).await;
    let at = |server: &Server, person: &Person| Person::new("there", person.token(), server.address());
    let category = json!({ "name": "Databases", "icon": "database" });
    at(&server, &story.reviewer).does("createCategory", category).await;
    let trail = audit_trail(&at(&server, &story.admin)).await;

    let back = Restored::places();
    let from_postgres = back_up_with(&there.data, &back.backup, &on_postgres).await.unwrap();
    assert_eq!(from_postgres["logId"], from_file["logId"]);
    assert_eq!(from_postgres["size"].as_u64().unwrap() as usize, trail.len());
    assert_ne!(from_postgres["root"], from_file["root"]);
    let restored = restore(&back.backup, &back.data, &[]).await.unwrap();
    assert_eq!(restored["root"], from_postgres["root"]);
    back.put_keys(story.server.data());
    let server = Server::start(&back.data).await;
    assert_eq!(audit_trail(&at(&server, &story.admin)).await[..trail.len()], trail);
}

#[tokio::test]
async fn the_remembered_high_water_tells_whether_anything_is_missing() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "1.0.0")).await;
    story.server.stop().await;
    let high_water = story.server.data().join("high-water");
    let places = Restored::places();
    back_up(story.server.data(), &places.backup).await.unwrap();
    let option = ["--high-water", high_water.to_str().unwrap()];
    restore(&places.backup, &places.data, &option).await.unwrap();
    places.put_keys(story.server.data());
    let server = Server::start(&places.data).await;
    let admin = Person::new("admin", story.admin.token(), server.address());
    let names = harness::story::event_names(&admin).await;
    assert!(
        !names.contains(&"LogRestored".to_owned()),
        "nothing was lost: {names:?}"
    );
}

#[tokio::test]
async fn a_second_backup_copies_what_is_new_and_drops_what_was_removed() {
    let story = Story::begin().await;
    story.published(&chart("redis", "1.0.0")).await;
    let places = Restored::places();
    let first = back_up(story.server.data(), &places.backup).await.unwrap();
    assert_eq!(first["blobs"], first["blobsCopied"]);
    let answer = story.user.ask(STORE, json!({})).await;
    let digest = text(&answer, "/store/nodes/0/latestVersion/packageDigest");
    let removal = json!({ "digest": digest, "reason": "a court said so" });
    story.admin.does("removeContent", removal).await;
    story.app(&chart("kafka", "1.0.0")).await;
    let second = back_up(story.server.data(), &places.backup).await.unwrap();
    assert!(second["blobsCopied"].as_u64() < first["blobs"].as_u64(), "{second}");
    assert!(second["size"].as_u64() > first["size"].as_u64());
    let files = files_below(&places.backup).unwrap();
    let logs: Vec<_> = files
        .iter()
        .filter(|file| file.to_string_lossy().starts_with("log-"))
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    let hex = digest.trim_start_matches("sha256:");
    assert!(!files.iter().any(|file| file.ends_with(hex)));
    restore(&places.backup, &places.data, &[]).await.unwrap();
}

#[tokio::test]
async fn a_backup_under_load_is_whole() {
    let story = Story::begin().await;
    let (isv, workspace) = (story.isv.clone(), story.workspace.clone());
    let load = tokio::spawn(async move {
        for number in 0.. {
            let packed = chart(&format!("app-{number}"), "1.0.0").packed();
            let upload = isv.upload(&workspace, "chart", packed).await;
            isv.does("uploadApp", json!({ "workspace": workspace, "upload": upload }))
                .await;
        }
    });
    let places = Restored::places();
    let mut size = 0;
    for _ in 0..3 {
        let made = back_up(story.server.data(), &places.backup).await.unwrap();
        let now = made["size"].as_u64().unwrap();
        assert!(now > size);
        size = now;
    }
    load.abort();
    places.put_keys(story.server.data());
    restore(&places.backup, &places.data, &[]).await.unwrap();
    let server = Server::start(&places.data).await;
    let isv = Person::new("isv", story.isv.token(), server.address());
    let query = "query($workspace: ID!) { apps(workspace: $workspace, first: 20) { nodes { versions(first: 1) { nodes { chart { readme } } } } } }";
    let apps = isv.ask(query, json!({ "workspace": story.workspace })).await;
    for app in harness::list(&apps, "/apps/nodes") {
        assert!(!app["versions"]["nodes"][0]["chart"].is_null(), "{app}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_is_said_and_nothing_is_written() {
    let mut story = Story::begin().await;
    story.published(&chart("redis", "1.0.0")).await;
    story.server.stop().await;
    let sound = Restored::places();
    back_up(story.server.data(), &sound.backup).await.unwrap();
    let files = files_below(&sound.backup).unwrap();
    let log = files
        .iter()
        .find(|file| file.to_string_lossy().starts_with("log-"))
        .unwrap();
    let blob = files.iter().find(|file| file.starts_with("blobs")).unwrap();
    let damages: [(&Path, Damage, &str); 6] = [
        (log, |_| None, "is missing"),
        (log, |bytes| Some(bytes[..bytes.len() - 4_096].to_vec()), "is truncated"),
        (log, flipped, "was altered"),
        (blob, |_| None, "lacks the blob"),
        (blob, flipped, "was altered"),
        (Path::new("manifest.json"), |_| None, "is not a backup"),
    ];
    for (file, damage, words) in damages {
        let places = Restored::places();
        for file in &files {
            fs::create_dir_all(places.backup.join(file).parent().unwrap()).unwrap();
            fs::copy(sound.backup.join(file), places.backup.join(file)).unwrap();
        }
        let path = places.backup.join(file);
        match damage(fs::read(&path).unwrap()) {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let said = restore(&places.backup, &places.data, &[]).await.unwrap_err();
        assert!(said.contains(words), "{}: {said}", file.display());
        assert!(!places.data.join("log.db").exists());
    }
}

/// What becomes of a file; `None` removes it.
type Damage = fn(Vec<u8>) -> Option<Vec<u8>>;

fn flipped(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Some(bytes)
}

#[tokio::test]
async fn a_restore_needs_an_empty_place_and_an_unfinished_one_is_not_served() {
    let mut story = Story::begin().await;
    story.server.stop().await;
    let places = Restored::places();
    back_up(story.server.data(), &places.backup).await.unwrap();
    let said = restore(&places.backup, story.server.data(), &[]).await.unwrap_err();
    assert!(said.contains("holds something already"), "{said}");

    // As a restore leaves it that is killed on its way.
    fs::create_dir_all(&places.data).unwrap();
    fs::write(places.data.join("restoring"), "").unwrap();
    let said = restore(&places.backup, &places.data, &[]).await.unwrap_err();
    assert!(said.contains("did not come to its end"), "{said}");
    let said = Admin::of(&places.data)
        .attempt(&["workspace", "create", "acme"])
        .await
        .unwrap_err();
    assert!(said.contains("did not come to its end"), "{said}");
}

#[tokio::test]
async fn a_restored_log_is_not_opened_with_new_keys() {
    let story = Story::begin().await;
    let places = Restored::places();
    back_up(story.server.data(), &places.backup).await.unwrap();
    restore(&places.backup, &places.data, &[]).await.unwrap();
    let said = Admin::of(&places.data)
        .attempt(&["workspace", "create", "late"])
        .await
        .unwrap_err();
    assert!(said.contains("master.key"), "{said}");
    assert!(
        files_below(&places.data.join("keys")).unwrap().is_empty(),
        "no key was drawn"
    );
}

#[tokio::test]
async fn the_master_key_is_exchanged_beside_a_running_server_and_old_backups_open_with_the_old_one() {
    let mut story = Story::begin().await;
    let places = Restored::places();
    back_up(story.server.data(), &places.backup).await.unwrap();
    let key = story.server.data().join("keys/master.key");
    let before = fs::read_to_string(&key).unwrap();
    let viewer = "{ viewer { account { name } } }";
    let answered = story.command_line().run(&["vault", "rotate"]).await;
    assert!(text(&answered, "/message").contains("wrapped by a new master key"));
    assert_ne!(fs::read_to_string(&key).unwrap(), before);
    assert_eq!(
        text(&story.isv.ask(viewer, json!({})).await, "/viewer/account/name"),
        "isv"
    );
    story.server.kill().await;
    story.server.start_again().await;
    assert_eq!(
        text(&story.isv.ask(viewer, json!({})).await, "/viewer/account/name"),
        "isv"
    );

    restore(&places.backup, &places.data, &[]).await.unwrap();
    places.put_keys(story.server.data());
    let server = Server::start(&places.data).await;
    let isv = Person::new("isv", story.isv.token(), server.address());
    assert_eq!(text(&isv.ask(viewer, json!({})).await, "/viewer/account/name"), "isv");
}
