use proptest::prelude::*;

use super::*;
use crate::transparency::proof::{InvalidProof, OutOfTree, Recipe, verify_consistency, verify_inclusion};
use crate::transparency::{ProveError, Prover};

/// PATH of RFC 6962, word for word.
fn defined_path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, other) = if m < k {
        (defined_path(m, &leaves[..k]), root(&leaves[k..]))
    } else {
        (defined_path(m - k, &leaves[k..]), root(&leaves[..k]))
    };
    path.push(other);
    path
}

/// SUBPROOF of RFC 6962, word for word.
fn defined_subproof(m: usize, leaves: &[Vec<u8>], is_whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_whole { vec![] } else { vec![root(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, other) = if m <= k {
        (defined_subproof(m, &leaves[..k], is_whole), root(&leaves[k..]))
    } else {
        (defined_subproof(m - k, &leaves[k..], false), root(&leaves[..k]))
    };
    proof.push(other);
    proof
}

fn of_leaves(recipe: &Recipe, leaves: &[Vec<u8>]) -> Vec<Hash> {
    let hash_of = |node: crate::transparency::proof::Node| {
        let (start, end) = (node.index << node.level, (node.index + 1) << node.level);
        Ok::<_, std::convert::Infallible>(root(&leaves[start as usize..end as usize]))
    };
    let Ok(proof) = recipe.follow(hash_of);
    proof
}

#[test]
fn every_proof_in_every_small_tree_is_the_one_the_rfc_defines() {
    for size in 1..=34 {
        let leaves = leaves(size);
        let of = |recipe: Recipe| of_leaves(&recipe, &leaves);
        for index in 0..size {
            let proof = of(Recipe::inclusion(index, size).unwrap());
            assert_eq!(proof, defined_path(index as usize, &leaves), "{index} of {size}");
            let hash = leaf_hash(&leaves[index as usize]);
            assert_eq!(verify_inclusion(hash, index, size, &proof, &root(&leaves)), Ok(()));
        }
        for old in 1..=size {
            let proof = of(Recipe::consistency(old, size).unwrap());
            assert_eq!(proof, defined_subproof(old as usize, &leaves, true), "{old} of {size}");
            let old_root = root(&leaves[..old as usize]);
            assert_eq!(verify_consistency(old, &old_root, size, &root(&leaves), &proof), Ok(()));
        }
    }
}

#[test]
fn every_tree_goes_on_from_the_empty_one() {
    let leaves = leaves(5);
    assert_eq!(
        of_leaves(&Recipe::consistency(0, 5).unwrap(), &leaves),
        Vec::<Hash>::new()
    );
    assert_eq!(verify_consistency(0, &root(&[]), 5, &root(&leaves), &[]), Ok(()));
    let other = verify_consistency(0, &[1; 32], 5, &root(&leaves), &[]);
    assert_eq!(other, Err(InvalidProof::Root));
}

#[test]
fn what_is_beyond_the_tree_has_no_proof() {
    assert_eq!(Recipe::inclusion(5, 5), Err(OutOfTree { asked: 5, size: 5 }));
    assert_eq!(Recipe::consistency(6, 5), Err(OutOfTree { asked: 6, size: 5 }));
    let root = root(&leaves(5));
    let beyond = InvalidProof::OutOfTree(OutOfTree { asked: 5, size: 5 });
    assert_eq!(verify_inclusion([0; 32], 5, 5, &[], &root), Err(beyond));
    let beyond = InvalidProof::OutOfTree(OutOfTree { asked: 6, size: 5 });
    assert_eq!(verify_consistency(6, &root, 5, &root, &[]), Err(beyond));
}

#[test]
fn proofs_are_made_from_tiles() {
    let leaves = leaves(66_000);
    let (_place, folder) = published(&leaves);
    // The first tile was partial once; now there is only the full one.
    for size in [1, 255, 256, 257, 700, 65_536, 66_000] {
        if Tile::new_tiles(0, size).any(|tile| folder.tile(tile).is_err()) {
            continue;
        }
        let root = root(&leaves[..size as usize]);
        let mut prover = Prover::new(folder.clone(), size);
        assert_eq!(prover.root().unwrap(), root);
        assert_eq!(prover.frontier().unwrap().root(), root);
        for index in [0, size / 3, size - 1] {
            let proof = prover.inclusion(index).unwrap();
            let hash = leaf_hash(&leaves[index as usize]);
            assert_eq!(
                verify_inclusion(hash, index, size, &proof, &root),
                Ok(()),
                "{index} of {size}"
            );
        }
    }
    let mut prover = Prover::new(folder.clone(), 66_000);
    for old in [1, 256, 257, 65_535, 65_536, 65_999] {
        let old_root = root(&leaves[..old as usize]);
        let proof = prover.consistency(old).unwrap();
        assert_eq!(
            verify_consistency(old, &old_root, 66_000, &root(&leaves), &proof),
            Ok(()),
            "{old}"
        );
    }
}

#[test]
fn a_tile_that_is_missing_or_cut_is_named() {
    let (_place, folder) = published(&leaves(300));
    let tile: Tile = "tile/0/001.p/44".parse().unwrap();
    std::fs::write(folder.tile_path(tile), [0; 33]).unwrap();
    let cut = Prover::new(folder.clone(), 300).inclusion(299).unwrap_err();
    assert!(
        matches!(cut, ProveError::TileLength { tile: named, bytes: 33 } if named == tile),
        "{cut}"
    );
    std::fs::remove_file(folder.tile_path(tile)).unwrap();
    let missing = Prover::new(folder, 300).inclusion(299).unwrap_err();
    assert!(
        matches!(missing, ProveError::Tile { tile: named, .. } if named == tile),
        "{missing}"
    );
}

proptest! {
    #[test]
    fn an_altered_inclusion_proof_proves_nothing(size in 1u64..600, index: prop::sample::Index, bit: prop::sample::Index, other in 0u64..600) {
        let (leaves, index) = (leaves(size), index.index(size as usize) as u64);
        let (hash, root) = (leaf_hash(&leaves[index as usize]), root(&leaves));
        let proof = of_leaves(&Recipe::inclusion(index, size).unwrap(), &leaves);
        prop_assume!(!proof.is_empty());
        let mut altered = proof.concat();
        let bit = bit.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let (altered, _) = altered.as_chunks::<32>();
        prop_assert!(verify_inclusion(hash, index, size, altered, &root).is_err());
        prop_assert!(verify_inclusion(hash, index, size, &proof[1..], &root).is_err());
        prop_assert!(verify_inclusion(hash, index, size, &[&proof[..], &[hash]].concat(), &root).is_err());
        if other != index {
            prop_assert!(verify_inclusion(hash, other, size, &proof, &root).is_err());
        }
    }

    #[test]
    fn an_altered_consistency_proof_proves_nothing(size in 2u64..600, old: prop::sample::Index, bit: prop::sample::Index) {
        let (leaves, old) = (leaves(size), old.index(size as usize - 1) as u64 + 1);
        let (old_root, new_root) = (root(&leaves[..old as usize]), root(&leaves));
        let proof = of_leaves(&Recipe::consistency(old, size).unwrap(), &leaves);
        let mut altered = proof.concat();
        let bit = bit.index(altered.len() * 8);
        altered[bit / 8] ^= 1 << (bit % 8);
        let (altered, _) = altered.as_chunks::<32>();
        prop_assert!(verify_consistency(old, &old_root, size, &new_root, altered).is_err());
        prop_assert!(verify_consistency(old, &old_root, size, &new_root, &proof[1..]).is_err());
        prop_assert!(verify_consistency(old, &new_root, size, &new_root, &proof).is_err());
    }
}
