//! A bundle convinces somebody who trusts nothing but a key, and nothing that was done to it goes unnoticed.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _, Write as _},
    path::PathBuf,
};

use harness::{
    Person, Server, Story,
    admin::Admin,
    evidence::{Verdict, verify},
    text, verifiers,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::exports::decided;

type Files = BTreeMap<String, Vec<u8>>;

/// What an auditor was given by a server, and by another one, which has another log and another key.
struct Given {
    ours: Vec<u8>,
    key: String,
    theirs: Vec<u8>,
    their_key: String,
}

static GIVEN: OnceCell<Given> = OnceCell::const_new();

async fn given() -> &'static Given {
    GIVEN.get_or_init(Given::gather).await
}

impl Given {
    async fn gather() -> Self {
        let story = Story::begin().await;
        decided(&story, "<script>alert(1)</script> is no summary").await;
        let (ours, key) = bundle(&story.admin).await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let token = Admin::of(&data).person("other-auditor", &[&["auditor"]]).await;
        let server = Server::start(&data).await;
        let (theirs, their_key) = bundle(&Person::new("other-auditor", &token, server.address())).await;
        Self {
            ours,
            key,
            theirs,
            their_key,
        }
    }
}

async fn bundle(auditor: &Person) -> (Vec<u8>, String) {
    let answer = auditor.get("/exports/decisions.zip").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/zip");
    let key = auditor.get("/log/vkey").await.text().trim().to_owned();
    (answer.body, key)
}

fn unpacked(bundle: &[u8]) -> Files {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut files = Files::new();
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).unwrap();
        let (name, mut content) = (file.name().unwrap().into_owned(), vec![]);
        file.read_to_end(&mut content).unwrap();
        files.insert(name, content);
    }
    files
}

fn packed(files: &Files) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    for (name, content) in files {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// What is found in our bundle after it was altered.
async fn after(alter: impl FnOnce(&mut Files)) -> Verdict {
    let given = given().await;
    let mut files = unpacked(&given.ours);
    alter(&mut files);
    found(&packed(&files), &given.key).await
}

async fn found(bundle: &[u8], key: &str) -> Verdict {
    let (_folder, file) = stored(bundle);
    verify(&["bundle", file.to_str().unwrap(), "--key", key]).await
}

fn stored(bundle: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("decisions.zip");
    fs::write(&file, bundle).unwrap();
    (folder, file)
}

/// The statement, or the proof, of the first or the last decision.
fn decision(files: &Files, kind: &str, which: usize) -> String {
    let mut of_kind = files
        .keys()
        .filter(|name| name.starts_with("decisions/") && name.ends_with(kind));
    of_kind.nth(which).unwrap().clone()
}

fn is(verdict: &Verdict, name: &str, exit_code: i32) {
    assert_eq!(
        (verdict.name.as_str(), verdict.exit_code),
        (name, exit_code),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn a_bundle_is_verified_by_us_and_its_statements_by_somebody_else() {
    let given = given().await;
    let verdict = found(&given.ours, &given.key).await;
    is(&verdict, "verified", 0);
    assert!(verdict.message.contains("all 2 decisions"), "{}", verdict.message);

    let (folder, file) = stored(&given.ours);
    let files = unpacked(&given.ours);
    let key = folder.path().join("key.pem");
    fs::write(&key, &files["key.pem"]).unwrap();
    let arguments = [file.as_os_str(), key.as_os_str()];
    let subjects = verifiers::run("verify_dsse.py", &arguments).await.unwrap().join("\n");
    assert!(
        subjects.contains("redis-11.3.4.tgz ") && subjects.contains("kafka-1.0.0.tgz "),
        "{subjects}"
    );
    assert!(subjects.contains("population.csv "), "{subjects}");

    let theirs = unpacked(&given.theirs);
    fs::write(&key, &theirs["key.pem"]).unwrap();
    let refused = verifiers::run("verify_dsse.py", &arguments).await.unwrap_err();
    assert!(refused.contains("VerificationError"), "{refused}");
}

#[tokio::test]
async fn the_page_shows_what_a_stranger_wrote_and_runs_none_of_it() {
    let page = unpacked(&given().await.ours).remove("index.html").unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt; is no summary"),
        "{page}"
    );
    assert!(!page.contains("<script"));
    let links: Vec<_> = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(
        links.iter().all(|link| !link.contains(':') && !link.starts_with('/')),
        "{links:?}"
    );
    assert!(!page.contains("src=") && !page.contains("url("));
}

#[tokio::test]
async fn a_bundle_that_was_cut_or_broken_is_damaged() {
    let given = given().await;
    let cut = &given.ours[..given.ours.len() - 30];
    is(&found(cut, &given.key).await, "damaged-bundle", 21);
    let mut flipped = given.ours.clone();
    let files = unpacked(&given.ours);
    // Within the compressed bytes of some file in the middle.
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert_ne!(found(&flipped, &given.key).await.exit_code, 0);
    is(
        &after(|files| drop(files.remove("checkpoint"))).await,
        "damaged-bundle",
        21,
    );
    let extra = after(|files| drop(files.insert("notes.txt".to_owned(), b"all is well".to_vec()))).await;
    is(&extra, "damaged-bundle", 21);
    let stray = after(|files| drop(files.insert("decisions/0.dsse.json".to_owned(), vec![]))).await;
    is(&stray, "damaged-bundle", 21);
    assert!(files.len() > 10);
}

#[tokio::test]
async fn a_statement_or_a_file_that_was_altered_is_told() {
    let in_statement = after(|files| {
        let name = decision(files, ".dsse.json", 0);
        let mut envelope: serde_json::Value = serde_json::from_slice(&files[&name]).unwrap();
        let payload = text(&envelope, "/payload").to_owned();
        // Another letter of base64 is another byte of the statement.
        let altered = payload.replacen('J', "K", 1);
        assert_ne!(payload, altered);
        envelope["payload"] = altered.into();
        files.insert(name, envelope.to_string().into_bytes());
    });
    is(&in_statement.await, "altered-statement", 20);
    for file in ["population.csv", "index.html", "VERIFY.md"] {
        let verdict = after(|files| files.get_mut(file).unwrap().push(b'\n')).await;
        is(&verdict, "altered-statement", 20);
        assert!(verdict.message.contains(file), "{}", verdict.message);
    }
    let exchanged = after(|files| {
        let [first, last] = [0, 1].map(|which| decision(files, ".dsse.json", which));
        let statement = files[&last].clone();
        files.insert(first, statement);
    });
    is(&exchanged.await, "altered-statement", 20);
}

#[tokio::test]
async fn a_decision_that_is_missing_is_told() {
    let both = after(|files| {
        for kind in [".dsse.json", ".tlog-proof"] {
            let name = decision(files, kind, 1);
            files.remove(&name);
        }
    });
    is(&both.await, "missing-decision", 22);
    let statement = after(|files| {
        let name = decision(files, ".dsse.json", 0);
        files.remove(&name);
    });
    is(&statement.await, "missing-decision", 22);
}

#[tokio::test]
async fn what_is_of_another_log_or_of_another_event_is_told() {
    let given = given().await;
    let theirs = unpacked(&given.theirs);
    is(&found(&given.theirs, &given.their_key).await, "verified", 0);
    let foreign_key = found(&given.ours, &given.their_key).await;
    assert!([10, 11].contains(&foreign_key.exit_code), "{foreign_key:?}");
    let foreign_proof = after(|files| {
        let name = decision(files, ".tlog-proof", 0);
        files.insert(name, theirs["export.tlog-proof"].clone());
    });
    let foreign_proof = foreign_proof.await;
    assert!([10, 11].contains(&foreign_proof.exit_code), "{foreign_proof:?}");
    let foreign_statement = after(|files| {
        let name = decision(files, ".dsse.json", 0);
        files.insert(name, theirs["manifest.dsse.json"].clone());
    });
    is(&foreign_statement.await, "bad-signature", 10);
    let other_event = after(|files| {
        let [first, last] = [0, 1].map(|which| decision(files, ".tlog-proof", which));
        let proof = files[&last].clone();
        files.insert(first, proof);
    });
    is(&other_event.await, "other-proof", 17);
    let other_export = after(|files| {
        let name = decision(files, ".tlog-proof", 0);
        let proof = files[&name].clone();
        files.insert("export.tlog-proof".to_owned(), proof);
    });
    is(&other_export.await, "other-proof", 17);
}
