//! Whatever is done to the log is found, and called by its name. The files are real: made by a server, then edited.

mod case;

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::{
    Server,
    evidence::{Verdict, entries, verify, vkey},
    tamper::Database,
};

use self::case::Case;

/// An Ed25519 key that signed nothing here: the first test vector of RFC 8032.
const FOREIGN_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72,
    0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fn flip_a_bit(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x01;
    fs::write(path, bytes).unwrap();
}

/// Another id in the same place, so that the leaf stays what a leaf must be.
fn forged(leaf: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(leaf.to_vec()).unwrap();
    let at = text.find("\"correlationid\":\"").unwrap() + 20;
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    bytes
}

#[track_caller]
fn is(verdict: &Verdict, name: &str, exit_code: i32) {
    assert_eq!(
        (verdict.name.as_str(), verdict.exit_code),
        (name, exit_code),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn an_untouched_log_is_verified_in_every_form() {
    let case = Case::new().await;
    assert!(case.size() > 256, "there is a full tile");
    is(&case.tiles(&[]).await, "verified", 0);
    is(&case.tiles_since().await, "verified", 0);
    is(&case.log().await, "verified", 0);
    is(&case.log_since(&case.path("early")).await, "verified", 0);
    for (file, position) in case.evidence.proofs.iter().zip(["41", "42"]) {
        let proved = case.proof(file, &["--position", position]).await;
        is(&proved, "verified", 0);
        assert!(
            proved.message.contains(&format!("at position {position} of ")),
            "{proved:?}"
        );
    }
}

#[tokio::test]
async fn keys_are_read_from_files_too() {
    let case = Case::new().await;
    let folder = case.published();
    let keys = folder.join("vkey");
    let words = ["tiles", folder.to_str().unwrap(), "--key", keys.to_str().unwrap()];
    is(&verify(&words).await, "verified", 0);
}

#[tokio::test]
async fn one_bit_in_a_tile_is_found() {
    for (place, name, code) in [
        ("entries/000", "altered-leaf", 12),
        ("entries/001", "altered-leaf", 12),
        ("0/000", "altered-hash", 14),
        ("0/001", "altered-hash", 14),
        ("1/000", "altered-hash", 14),
    ] {
        let case = Case::new().await;
        flip_a_bit(&case.tile(place), 30);
        is(&case.tiles(&[]).await, name, code);
    }
}

#[tokio::test]
async fn events_that_are_missing_added_or_out_of_order_in_a_bundle_are_found() {
    let drop = |leaves: &mut Vec<Vec<u8>>| drop(leaves.remove(10));
    let add = |leaves: &mut Vec<Vec<u8>>| leaves.insert(10, leaves[9].clone());
    let swap = |leaves: &mut Vec<Vec<u8>>| leaves.swap(10, 11);
    for edit in [&drop as &dyn Fn(&mut Vec<Vec<u8>>), &add, &swap] {
        let case = Case::new().await;
        case.edit_bundle(edit);
        let found = case.tiles(&[]).await;
        is(&found, "missing-leaf", 13);
        assert!(found.message.contains("position 10"), "{found:?}");
    }
    let case = Case::new().await;
    fs::remove_file(case.tile("entries/000")).unwrap();
    is(&case.tiles(&[]).await, "missing-leaf", 13);
}

#[tokio::test]
async fn a_leaf_altered_with_its_hash_does_not_fit_the_tree() {
    let case = Case::new().await;
    case.edit_bundle(|leaves| leaves[10] = forged(&leaves[10]));
    let leaves = entries(&fs::read(case.tile("entries/000")).unwrap());
    let hashes: Vec<_> = leaves
        .iter()
        .flat_map(|leaf| harness::evidence::leaf_hash(leaf))
        .collect();
    fs::write(case.tile("0/000"), hashes).unwrap();
    is(&case.tiles(&[]).await, "altered-hash", 14);
}

#[tokio::test]
async fn a_checkpoint_of_a_foreign_key_or_of_another_log_is_told() {
    let case = Case::new().await;
    let folder = case.published();
    let checkpoint = case.checkpoint();
    let origin = checkpoint.lines().next().unwrap();
    let foreign = vkey(origin, &FOREIGN_KEY);
    let tiles = ["tiles", folder.to_str().unwrap(), "--key"];
    is(&verify(&[&tiles[..], &[&foreign]].concat()).await, "bad-signature", 10);
    let other_log = vkey("charthouse:other/log", &FOREIGN_KEY);
    is(&verify(&[&tiles[..], &[&other_log]].concat()).await, "wrong-origin", 11);
    let larger = checkpoint.replacen(&format!("\n{}\n", case.size()), "\n999\n", 1);
    fs::write(folder.join("checkpoint"), larger).unwrap();
    is(&case.tiles(&[]).await, "bad-signature", 10);
}

#[tokio::test]
async fn a_stale_checkpoint_and_a_cut_tail_are_told_apart() {
    let case = Case::new().await;
    let late = case.file("late", case.checkpoint());
    fs::write(case.published().join("checkpoint"), &case.evidence.early).unwrap();
    is(&case.tiles(&[]).await, "verified", 0);
    is(&case.tiles(&["--since", &late]).await, "stale-checkpoint", 19);
    fs::remove_file(case.tile("0/001")).unwrap();
    is(&case.tiles(&["--since", &late]).await, "truncated-log", 15);
}

#[tokio::test]
async fn what_was_done_to_the_database_is_found() {
    type Edit = fn(&Database, &[Vec<u8>]);
    let cases: [(&str, Edit, &str, i32); 6] = [
        (
            "a bit in a leaf",
            |log, leaves| log.replace(10, &forged(&leaves[10]), false),
            "altered-leaf",
            12,
        ),
        (
            "a bit in a hash",
            |log, _| log.run("UPDATE event SET leaf_hash = zeroblob(32) WHERE position = 10"),
            "altered-hash",
            14,
        ),
        (
            "an event dropped",
            |log, _| log.run("DELETE FROM event WHERE position = 10"),
            "missing-leaf",
            13,
        ),
        (
            "an event inserted",
            |log, _| {
                log.run(
                    "UPDATE event SET position = -position - 1 WHERE position >= 10;
                     UPDATE event SET position = -position WHERE position < 0;
                     INSERT INTO event SELECT 10, 'x', 1, randomblob(16), type, time_ms, leaf_hash, leaf
                     FROM event WHERE position = 9;",
                );
                log.cover_up();
            },
            "missing-leaf",
            13,
        ),
        (
            "events out of order",
            |log, leaves| {
                log.replace(10, &leaves[11], true);
                log.replace(11, &leaves[10], true);
            },
            "missing-leaf",
            13,
        ),
        (
            "the tail cut",
            |log, _| log.run("DELETE FROM event WHERE position > 100"),
            "truncated-log",
            15,
        ),
    ];
    for (what, edit, name, code) in cases {
        let case = Case::new().await;
        let log = Database::of(&case.data());
        edit(&log, &log.leaves());
        drop(log);
        let late = case.file("late", case.checkpoint());
        let found = case.log_since(&late).await;
        assert_eq!(
            (found.name.as_str(), found.exit_code),
            (name, code),
            "{what}: {found:?}"
        );
    }
}

#[tokio::test]
async fn what_was_covered_up_is_found_by_a_remembered_checkpoint() {
    let case = Case::new().await;
    let late = case.file("late", case.checkpoint());
    let log = Database::of(&case.data());
    let leaves = log.leaves();
    log.replace(10, &forged(&leaves[10]), true);
    is(&case.log().await, "rewritten-history", 16);
    log.cover_up();
    is(&case.log().await, "verified", 0);
    is(&case.log_since(&late).await, "rewritten-history", 16);
    log.replace(10, &leaves[10], true);
    log.run("DELETE FROM event WHERE position > 100");
    log.cover_up();
    is(&case.log().await, "verified", 0);
    is(&case.log_since(&late).await, "truncated-log", 15);
}

#[tokio::test]
async fn a_history_rewritten_and_signed_again_with_the_real_key_is_found_by_a_remembered_checkpoint() {
    let case = Case::new().await;
    let late = case.file("late", case.checkpoint());
    let log = Database::of(&case.data());
    log.replace(10, &forged(&log.leaves()[10]), true);
    log.cover_up();
    drop(log);
    // Where the server still remembers, it signs nothing.
    let mut server = Server::start(&case.data()).await;
    assert!(server.stop().await.success());
    assert!(
        server.errors().contains("is not the one whose first"),
        "{}",
        server.errors()
    );
    assert_eq!(case.checkpoint(), fs::read_to_string(&late).unwrap());
    // So the forger removes that, too.
    fs::remove_dir_all(case.data().join("log")).unwrap();
    fs::remove_file(case.data().join("high-water")).unwrap();
    server.start_again().await;
    assert!(server.stop().await.success());
    is(&case.tiles(&[]).await, "verified", 0);
    is(&case.tiles(&["--since", &late]).await, "rewritten-history", 16);
    is(&case.log_since(&late).await, "rewritten-history", 16);
}

#[tokio::test]
async fn a_proof_proves_its_own_event_only() {
    let case = Case::new().await;
    let [one, other] = &case.evidence.proofs;
    is(&case.proof(one, &["--position", "42"]).await, "other-proof", 17);
    let line = |file: &str, start: &str| file.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    let leaf_of_the_other = one.replacen(&line(one, "extra "), &line(other, "extra "), 1);
    is(&case.proof(&leaf_of_the_other, &[]).await, "other-proof", 17);
    let leaf = STANDARD
        .decode(line(one, "extra ").trim_start_matches("extra "))
        .unwrap();
    let altered = format!("extra {}", STANDARD.encode(forged(&leaf)));
    is(
        &case.proof(&one.replacen(&line(one, "extra "), &altered, 1), &[]).await,
        "altered-leaf",
        12,
    );
    let way_of_the_other = |number: usize| {
        let lines = |file: &str| file.lines().nth(number).unwrap().to_owned();
        one.replacen(&lines(one), &lines(other), 1)
    };
    is(&case.proof(&way_of_the_other(3), &[]).await, "altered-leaf", 12);
    let signature = line(one, "— ");
    let forged = signature.replace(&signature[signature.len() - 20..signature.len() - 12], "AAAAAAAA");
    is(
        &case.proof(&one.replacen(&signature, &forged, 1), &[]).await,
        "bad-signature",
        10,
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_no_proof() {
    let case = Case::new().await;
    let [one, _] = &case.evidence.proofs;
    for file in [
        "",
        "hello",
        &one[..one.len() / 2],
        &one.replacen("index ", "index 0", 1),
    ] {
        is(&case.proof(file, &[]).await, "unreadable", 18);
    }
    let nothing = case.path("nothing");
    for words in [["proof", &nothing], ["tiles", &nothing]] {
        is(
            &verify(&[&words[..], &["--key", &case.evidence.key]].concat()).await,
            "unreadable",
            18,
        );
    }
    is(&verify(&["log", &nothing]).await, "unreadable", 18);
    is(
        &case.tiles(&["--since", &case.file("garbage", "hello")]).await,
        "unreadable",
        18,
    );
    let no_key = ["tiles", nothing.as_str(), "--key", "not-a-key"];
    is(&verify(&no_key).await, "unreadable", 18);
}

#[tokio::test]
async fn a_verdict_is_told_in_plain_words() {
    let case = Case::new().await;
    flip_a_bit(&case.tile("entries/000"), 30);
    let folder = case.published();
    let output = harness::program::command()
        .args(["verify", "tiles", folder.to_str().unwrap(), "--key", &case.evidence.key])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(12));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said,
        "NOT VERIFIED (altered-leaf): the event at position 0 was altered\n"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
