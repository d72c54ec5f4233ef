use bytes::Bytes;

use super::*;
use crate::transparency::proof::InvalidProof;
use crate::transparency::{
    Checkpoint, MalformedCheckpoint, MalformedProofFile, Note, ProofFault, ProofFile, Prover, SignedCheckpoint,
    UntrustedCheckpoint, UntrustedNote, VerifierKey,
};

fn checkpoint(leaves: &[Vec<u8>]) -> SignedCheckpoint {
    let head = Checkpoint {
        origin: signer().verifier_key().name().to_owned(),
        size: leaves.len() as u64,
        root: root(leaves),
    };
    SignedCheckpoint::sign(head, &signer())
}

fn proof_file(index: u64) -> ProofFile {
    let leaves = leaves(300);
    let (_place, folder) = published(&leaves);
    ProofFile {
        index,
        leaf: Bytes::from(leaves[index as usize].clone()),
        proof: Prover::new(folder, 300).inclusion(index).unwrap(),
        checkpoint: checkpoint(&leaves),
    }
}

fn trusted() -> Vec<VerifierKey> {
    vec![signer().verifier_key().clone()]
}

#[test]
fn a_key_survives_its_text_and_no_other_text_is_one() {
    let text = signer().verifier_key().to_string();
    assert_eq!(text.parse::<VerifierKey>().as_ref(), Ok(signer().verifier_key()));
    let other_id = text.replace(&signer().verifier_key().id(), "00000000");
    for other in [
        "",
        "name",
        "name+00000000+",
        &text[..text.len() - 4],
        &other_id,
        &format!("x y{text}"),
    ] {
        assert!(other.parse::<VerifierKey>().is_err(), "{other}");
    }
}

#[test]
fn a_name_that_would_break_the_line_is_refused() {
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        assert!(Signer::new(name, &[1; 32]).is_err(), "{name:?}");
    }
}

#[test]
fn a_note_is_believed_if_a_trusted_key_signed_it() {
    let note = Note::sign("hello\n\nworld\n".to_owned(), &signer());
    assert_eq!(note.to_string().parse().as_ref(), Ok(&note));
    assert!(note.verify(&trusted()).is_ok());
    let stranger = Signer::new("charthouse:log/epoch", &[8; 32]).unwrap();
    assert_eq!(
        note.verify(&[stranger.verifier_key().clone()]),
        Err(UntrustedNote::UnknownKey)
    );
    let altered: Note = note.to_string().replace("world", "World").parse().unwrap();
    assert_eq!(altered.verify(&trusted()), Err(UntrustedNote::BadSignature));
}

#[test]
fn signatures_of_strangers_are_ignored() {
    let stranger = Signer::new("witness.example", &[8; 32]).unwrap();
    let text = "hello\n".to_owned();
    let (ours, theirs) = (Note::sign(text.clone(), &signer()), Note::sign(text, &stranger));
    let line = theirs.to_string().rsplit_once("\n\n").unwrap().1.to_owned();
    let both: Note = format!("{ours}{line}").parse().unwrap();
    assert!(both.verify(&trusted()).is_ok());
}

#[test]
fn other_texts_are_no_notes() {
    let note = Note::sign("hello\n".to_owned(), &signer()).to_string();
    for other in [
        "",
        "hello\n",
        "hello\n\n",
        "hello\n\n— name\n",
        "hello\n\n— name AAAA\n",
        note.trim_end(),
        &note.replace("hello", "hel\tlo"),
        &format!("{note}\n"),
        &"x".repeat(2 << 20),
    ] {
        assert!(other.parse::<Note>().is_err(), "{other:.40}");
    }
}

#[test]
fn a_checkpoint_survives_its_text() {
    let signed = checkpoint(&leaves(3));
    assert_eq!(signed.to_string().parse().as_ref(), Ok(&signed));
    assert_eq!(signed.verify(&trusted()), Ok(()));
}

#[test]
fn other_texts_are_no_checkpoints() {
    let text = checkpoint(&leaves(3)).checkpoint().to_string();
    for other in [
        "origin\n3\n".to_owned(),
        text.replace("\n3\n", "\n03\n"),
        text.replace("\n3\n", "\n-3\n"),
        text.replace('=', ""),
        text.replace("charthouse:log/epoch", ""),
        format!("{text}\nextension\n"),
    ] {
        assert_eq!(other.parse::<Checkpoint>(), Err(MalformedCheckpoint::Text), "{other}");
    }
    assert!(format!("{text}extension\n").parse::<Checkpoint>().is_ok());
}

#[test]
fn a_checkpoint_of_another_log_is_told_from_one_that_is_forged() {
    let signed = checkpoint(&leaves(3));
    let of = |name: &str, secret| vec![Signer::new(name, &[secret; 32]).unwrap().verifier_key().clone()];
    let other_log = signed.verify(&of("charthouse:other/epoch", 7));
    assert!(
        matches!(other_log, Err(UntrustedCheckpoint::Origin { .. })),
        "{other_log:?}"
    );
    let forged = signed.verify(&of("charthouse:log/epoch", 8));
    assert_eq!(forged, Err(UntrustedCheckpoint::Signature(UntrustedNote::UnknownKey)));
}

#[test]
fn a_proof_file_survives_its_text_and_proves_its_leaf() {
    for index in [0, 255, 299] {
        let file = proof_file(index);
        assert_eq!(file.to_string().parse().as_ref(), Ok(&file));
        assert_eq!(file.verify(&trusted()), Ok(()));
    }
}

#[test]
fn a_proof_file_holds_no_leaf_but_its_own() {
    let text = proof_file(42).to_string();
    let held: Vec<_> = text.split_whitespace().collect();
    let base64 = |leaf: &Vec<u8>| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, leaf);
    let of_others = leaves(300)
        .iter()
        .filter(|leaf| held.contains(&base64(leaf).as_str()))
        .count();
    assert_eq!(of_others, 1);
}

#[test]
fn an_altered_proof_file_proves_nothing() {
    let file = proof_file(42);
    let verified = |file: ProofFile| file.verify(&trusted());
    let mut altered = file.clone();
    altered.leaf = Bytes::from_static(b"leaf 4Z");
    assert_eq!(verified(altered), Err(ProofFault::Proof(InvalidProof::Root)));
    let mut altered = file.clone();
    altered.proof[3][0] ^= 1;
    assert_eq!(verified(altered), Err(ProofFault::Proof(InvalidProof::Root)));
    let mut altered = file.clone();
    altered.index = 43;
    assert_eq!(verified(altered), Err(ProofFault::Proof(InvalidProof::Root)));
    let mut altered = file.clone();
    altered.proof.pop();
    assert_eq!(
        verified(altered),
        Err(ProofFault::Proof(InvalidProof::Length { found: 8 }))
    );
    let text = file.to_string().replace("\n300\n", "\n301\n");
    let signature = Err(ProofFault::Checkpoint(UntrustedCheckpoint::Signature(
        UntrustedNote::BadSignature,
    )));
    assert_eq!(verified(text.parse().unwrap()), signature);
}

#[test]
fn other_texts_are_no_proof_files() {
    let text = proof_file(42).to_string();
    for (other, why) in [
        (text.replace("@v1", "@v2"), MalformedProofFile::FirstLine),
        (text.replace("extra ", "extra"), MalformedProofFile::Leaf),
        (text.replace("index 42", "index 042"), MalformedProofFile::Index),
        (
            text.replace("index 42\n", "index 42\nAAAA\n"),
            MalformedProofFile::Proof,
        ),
        (text.replace("\n\n", "\n"), MalformedProofFile::Proof),
        (
            text.replace("\n300\n", "\nmany\n"),
            MalformedProofFile::Checkpoint(MalformedCheckpoint::Text),
        ),
    ] {
        assert_eq!(other.parse::<ProofFile>(), Err(why), "{other}");
    }
}
