//! The Merkle tree of RFC 6962, section 2.1, as far as appending needs it.
//!
//! Leaves and inner nodes are hashed with different first bytes (0x00, 0x01), so that no inner node
//! can be passed off as a leaf.

use sha2::{Digest, Sha256};

/// A SHA-256 hash of a leaf or of a subtree.
pub type Hash = [u8; 32];

/// `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(leaf).finalize().into()
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The right edge of a tree: the roots of its perfect subtrees, largest first.
///
/// There is one for every 1 in the binary form of the size, so it is at most 64 hashes however long
/// the log grows, and it is all that is needed to append and to name the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

/// Bytes that are not the frontier of a tree of the given size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frontier of {size} leaves does not have {bytes} bytes")]
pub struct MalformedFrontier {
    pub size: u64,
    pub bytes: usize,
}

impl Frontier {
    /// The frontier of `size` leaves, given its subtrees: as many as the size has 1s, largest first.
    pub(super) fn new(size: u64, subtrees: Vec<Hash>) -> Self {
        Self { size, subtrees }
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf at the right.
    pub fn append(&mut self, leaf_hash: Hash) {
        self.append_subtree(0, leaf_hash);
    }

    /// Adds a perfect subtree of 2^`level` leaves at the right of a tree whose size is a multiple of that.
    pub(super) fn append_subtree(&mut self, level: u32, mut subtree: Hash) {
        // As in binary addition: each trailing 1 of the size is a subtree as large as the one in hand.
        for _ in 0..(self.size >> level).trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                subtree = node_hash(&left, &subtree);
            }
        }
        self.subtrees.push(subtree);
        self.size += 1 << level;
    }

    /// The Merkle tree hash; that of an empty tree is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let from_the_right = self.subtrees.iter().rev().copied();
        from_the_right
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The subtree hashes, one after the other. The size is not included.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.subtrees.concat()
    }

    /// The inverse of [`Frontier::to_bytes`] for a tree of `size` leaves.
    ///
    /// # Errors
    ///
    /// [`MalformedFrontier`] if there are not as many hashes as such a tree has.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, MalformedFrontier> {
        let (subtrees, rest) = bytes.as_chunks::<32>();
        if rest.is_empty() && subtrees.len() == size.count_ones() as usize {
            Ok(Self {
                size,
                subtrees: subtrees.to_vec(),
            })
        } else {
            Err(MalformedFrontier {
                size,
                bytes: bytes.len(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MTH of RFC 6962, word for word.
    fn defined_root(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(&defined_root(&leaves[..k]), &defined_root(&leaves[k..]))
            }
        }
    }

    fn frontier(leaves: &[Vec<u8>]) -> Frontier {
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
        frontier
    }

    #[test]
    fn roots_equal_the_known_vectors_of_certificate_transparency() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .map(|leaf| hex::decode(leaf).unwrap());
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.into_iter().enumerate() {
            assert_eq!(hex::encode(frontier(&leaves[..size]).root()), root, "size {size}");
        }
    }

    #[test]
    fn a_frontier_of_another_size_is_refused() {
        let bytes = frontier(&vec![vec![]; 5]).to_bytes();
        assert_eq!(
            Frontier::from_bytes(7, &bytes),
            Err(MalformedFrontier { size: 7, bytes: 64 })
        );
        assert_eq!(
            Frontier::from_bytes(5, &bytes[..63]),
            Err(MalformedFrontier { size: 5, bytes: 63 })
        );
    }

    proptest! {
        #[test]
        fn the_frontier_has_the_root_the_rfc_defines(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..130)) {
            let frontier = frontier(&leaves);
            prop_assert_eq!(frontier.root(), defined_root(&leaves));
            prop_assert_eq!(Frontier::from_bytes(frontier.size(), &frontier.to_bytes()), Ok(frontier));
        }
    }
}
