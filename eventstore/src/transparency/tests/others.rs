use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof};
use proptest::prelude::*;
use signed_note::VerifierList;
use tlog_tiles::{HashReader, TileHashReader, TileReader};

use super::sigstore;
use super::*;
use crate::transparency::proof::{verify_consistency, verify_inclusion};
use crate::transparency::{Checkpoint, Prover, SignedCheckpoint, VerifierKey, entries};

/// The Go checksum database's reader, in Rust, over our files.
struct Files(TileFolder);

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Its paths name the height; those of C2SP do not.
        let read = |tile: &tlog_tiles::Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            self.0.tile(path.parse().unwrap()).unwrap()
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(*hash)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn others_agree_with_every_proof(size in 1u64..1_400, index: prop::sample::Index, old: prop::sample::Index) {
        let leaves = leaves(size);
        let (index, old) = (index.index(size as usize) as u64, old.index(size as usize) as u64 + 1);
        let (hash, root, old_root) = (leaf_hash(&leaves[index as usize]), root(&leaves), root(&leaves[..old as usize]));
        let (_place, folder) = published(&leaves);
        let mut prover = Prover::new(folder.clone(), size);
        let (inclusion, consistency) = (prover.inclusion(index).unwrap(), prover.consistency(old).unwrap());
        prop_assert_eq!(verify_inclusion(hash, index, size, &inclusion, &root), Ok(()));
        prop_assert_eq!(verify_consistency(old, &old_root, size, &root, &consistency), Ok(()));

        // tlog_tiles: it checks our proofs, and makes the same ones from our tiles.
        let [their_root, their_old_root, their_hash] = [root, old_root, hash].map(tlog_tiles::Hash);
        tlog_tiles::check_record(&theirs(&inclusion), size, their_root, index, their_hash).unwrap();
        tlog_tiles::check_tree(&theirs(&consistency), size, their_root, old, their_old_root).unwrap();
        let files = Files(folder);
        let reader = TileHashReader::new(size, their_root, &files);
        prop_assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap().0, root);
        prop_assert_eq!(tlog_tiles::prove_record(size, index, &reader).unwrap(), theirs(&inclusion));
        prop_assert_eq!(tlog_tiles::prove_tree(size, old, &reader).unwrap(), theirs(&consistency));
        prop_assert_eq!(reader.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).unwrap()[0].0, hash);

        // ct-merkle.
        let mut tree = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        let mut old_tree = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
        leaves[..old as usize].iter().for_each(|leaf| old_tree.push(leaf.clone()));
        let their_root = tree.root();
        prop_assert_eq!(their_root.as_bytes().as_slice(), &root);
        let proof = tree.prove_inclusion(index as usize);
        prop_assert_eq!(proof.as_bytes(), inclusion.concat());
        let proof = InclusionProof::try_from_bytes(inclusion.concat()).unwrap();
        tree.root().verify_inclusion(&leaves[index as usize], index, &proof).unwrap();
        let proof = tree.prove_consistency((size - old) as usize);
        prop_assert_eq!(proof.as_bytes(), consistency.concat());
        let proof = ConsistencyProof::try_from_bytes(consistency.concat()).unwrap();
        tree.root().verify_consistency(&old_tree.root(), &proof).unwrap();

        // sigstore-merkle, which verifies only.
        prop_assert_eq!(sigstore::leaf_hash(&leaves[index as usize]), hash);
        sigstore::verify_inclusion(hash, index, size, &inclusion, root);
        sigstore::verify_consistency((old, old_root), (size, root), &consistency);
    }

    #[test]
    fn others_find_the_same_paths(kind in 0u8..6, index in 0u64..10_000_000_000, width in 1u16..=256) {
        let tile = Tile { kind: TileKind::Hashes { level: kind }, index, width };
        let theirs = tlog_tiles::Tile::new(8, kind, index, width.into(), false);
        prop_assert_eq!(tile.to_string(), theirs.path().replacen("tile/8/", "tile/", 1));
    }
}

#[test]
fn a_tree_grows_by_the_tiles_that_others_say() {
    for (old, size) in [(0, 1), (0, 70_000), (255, 256), (256, 256), (256, 257), (300, 66_000)] {
        let mut ours: Vec<_> = Tile::new_tiles(old, size).map(|tile| tile.to_string()).collect();
        let theirs = tlog_tiles::Tile::new_tiles(8, old, size);
        let mut theirs: Vec<_> = theirs
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{old} to {size}");
    }
}

#[test]
fn others_read_our_checkpoints_and_keys() {
    let signer = signer();
    let checkpoint = Checkpoint {
        origin: signer.verifier_key().name().to_owned(),
        size: 70_000,
        root: [9; 32],
    };
    let signed = SignedCheckpoint::sign(checkpoint, &signer).to_string();
    let note = signed_note::Note::from_bytes(signed.as_bytes()).unwrap();
    let key = signed_note::StandardVerifier::new(&signer.verifier_key().to_string()).unwrap();
    let (verified, unknown) = note.verify(&VerifierList::new(vec![Box::new(key)])).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 0));
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(
        (read.origin(), read.size(), read.hash().0),
        ("charthouse:log/epoch", 70_000, [9; 32])
    );
}

#[test]
fn we_read_the_checkpoints_and_keys_of_others() {
    // The example in the documentation of Go's package for notes.
    let key: VerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        .parse()
        .unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let note = format!("{text}\n— PeterNeumann {signature}\n");
    let note: crate::transparency::Note = note.parse().unwrap();
    assert_eq!(note.text(), text);
    assert_eq!(note.verify(std::slice::from_ref(&key)), Ok(&key));
}

#[test]
fn a_bundle_of_a_published_tree_hashes_to_its_tile() {
    let leaves = leaves(300);
    let (_place, folder) = published(&leaves);
    let bundle = folder.tile("tile/entries/001.p/44".parse().unwrap()).unwrap();
    let hashes: Vec<Hash> = entries(&bundle).unwrap().into_iter().map(leaf_hash).collect();
    assert_eq!(
        hashes.concat(),
        folder.tile("tile/0/001.p/44".parse().unwrap()).unwrap()
    );
}
