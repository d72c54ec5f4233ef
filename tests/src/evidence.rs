//! `charthouse verify`, as a script would use it, and the tree as its specification says, apart from the product's code.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{program, text};

pub type Hash = [u8; 32];

/// What `charthouse verify` found.
#[derive(Debug)]
pub struct Verdict {
    pub name: String,
    pub exit_code: i32,
    pub message: String,
}

/// Runs `charthouse verify` with these words, and reads its verdict.
///
/// # Panics
///
/// If it cannot be run, or does not answer with one JSON object.
pub async fn verify(words: &[&str]) -> Verdict {
    let output = program::command()
        .arg("verify")
        .args(words)
        .arg("--json")
        .output()
        .await;
    let output = output.expect("the program can be run");
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let json: Value = serde_json::from_str(&answer).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        panic!("verify {words:?} answered {answer:?} {said}: {error}")
    });
    let verdict = Verdict {
        name: text(&json, "/verdict").to_owned(),
        exit_code: output.status.code().expect("it was not killed"),
        message: text(&json, "/message").to_owned(),
    };
    assert_eq!(json["exitCode"], verdict.exit_code, "{json}");
    verdict
}

/// The text of an Ed25519 key that signs under `name`.
#[must_use]
pub fn vkey(name: &str, public_key: &[u8]) -> String {
    let key = [&[1], public_key].concat();
    let hash = Sha256::digest([name.as_bytes(), b"\n", &key].concat());
    let id: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}+{id}+{}", STANDARD.encode(key))
}

/// `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::digest([&[0], leaf].concat()).into()
}

/// The roots of the perfect subtrees of a tree, the largest first, end to end.
#[must_use]
pub fn frontier(leaves: &[Vec<u8>]) -> Vec<u8> {
    let (mut start, mut frontier) = (0, vec![]);
    while start < leaves.len() {
        let size = 1 << (leaves.len() - start).ilog2();
        frontier.extend(root(&leaves[start..start + size]));
        start += size;
    }
    frontier
}

/// MTH of RFC 6962.
fn root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Sha256::digest([&[1][..], &root(left), &root(right)].concat()).into()
        }
    }
}

/// The leaves in an entry bundle.
#[must_use]
pub fn entries(bundle: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut leaves) = (bundle, vec![]);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (leaf, after) = after.split_at(u16::from_be_bytes(*length).into());
        leaves.push(leaf.to_vec());
        rest = after;
    }
    leaves
}

/// The inverse of [`entries`].
///
/// # Panics
///
/// If a leaf is larger than the format allows.
#[must_use]
pub fn bundle(leaves: &[Vec<u8>]) -> Vec<u8> {
    let length = |leaf: &Vec<u8>| u16::try_from(leaf.len()).expect("a leaf has at most 65,535 bytes");
    let entry = |leaf: &Vec<u8>| [&length(leaf).to_be_bytes()[..], leaf].concat();
    leaves.iter().flat_map(entry).collect()
}
