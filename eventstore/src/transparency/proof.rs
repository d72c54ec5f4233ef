//! Inclusion and consistency proofs of RFC 9162, sections 2.1.3 and 2.1.4: the same hashes as RFC 6962's.
//!
//! Pure: which subtrees a proof needs is said here, and where their hashes come from is the caller's matter.

use std::ops::Range;

use super::merkle::{Frontier, Hash, node_hash};

/// A perfect subtree: the 2^`level` leaves from `index`·2^`level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

/// Which subtrees the hashes of a proof are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// For every hash of the proof, its perfect subtrees from left to right.
    parts: Vec<Vec<Node>>,
}

/// There is no such proof: a tree of `size` leaves has no leaf, or no smaller tree, `asked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves does not reach {asked}")]
pub struct OutOfTree {
    pub asked: u64,
    pub size: u64,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    #[error(transparent)]
    OutOfTree(#[from] OutOfTree),
    #[error("the proof has {found} hashes, which is not what such a proof has")]
    Length { found: usize },
    #[error("the proof does not lead to the root")]
    Root,
}

impl Recipe {
    /// The way from the leaf `index` to the root of a tree of `size` leaves, from the leaf's sibling upwards.
    ///
    /// # Errors
    ///
    /// [`OutOfTree`] if there is no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, OutOfTree> {
        if index >= size {
            return Err(OutOfTree { asked: index, size });
        }
        let mut spans = Vec::new();
        let mut tree = 0..size;
        while tree.end - tree.start > 1 {
            let middle = tree.start + split(&tree);
            let (with, without) = if index < middle {
                (tree.start..middle, middle..tree.end)
            } else {
                (middle..tree.end, tree.start..middle)
            };
            spans.push(without);
            tree = with;
        }
        Ok(Self::from_the_root(&spans))
    }

    /// That the first `old` of `size` leaves are a tree of their own. Nothing is needed for none or all of them.
    ///
    /// # Errors
    ///
    /// [`OutOfTree`] if there are not that many leaves.
    pub fn consistency(old: u64, size: u64) -> Result<Self, OutOfTree> {
        if old > size {
            return Err(OutOfTree { asked: old, size });
        }
        let mut spans = Vec::new();
        let mut tree = 0..size;
        while old > 0 && tree.end != old {
            let middle = tree.start + split(&tree);
            if old <= middle {
                spans.push(middle..tree.end);
                tree = tree.start..middle;
            } else {
                spans.push(tree.start..middle);
                tree = middle..tree.end;
            }
        }
        // Whoever checks the proof knows the root of the old tree, if that is what is left.
        if tree.start > 0 {
            spans.push(tree);
        }
        Ok(Self::from_the_root(&spans))
    }

    fn from_the_root(spans: &[Range<u64>]) -> Self {
        Self {
            parts: spans.iter().rev().cloned().map(perfect_subtrees).collect(),
        }
    }

    /// The hashes of the proof, given those of its subtrees.
    ///
    /// # Errors
    ///
    /// The first one of `hash_of`.
    pub fn follow<E>(&self, mut hash_of: impl FnMut(Node) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
        let part = |nodes: &Vec<Node>| {
            let hashes = nodes.iter().map(|node| hash_of(*node)).collect::<Result<Vec<_>, _>>()?;
            Ok(join(hashes))
        };
        self.parts.iter().map(part).collect()
    }
}

/// The perfect subtrees of the first `size` leaves, from left to right: what a [`Frontier`] holds.
#[must_use]
pub fn frontier_nodes(size: u64) -> Vec<Node> {
    perfect_subtrees(0..size)
}

/// The root of a tree of `size` leaves, given the hashes of its perfect subtrees.
///
/// # Errors
///
/// The first one of `hash_of`.
pub fn root<E>(size: u64, hash_of: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    Ok(join(
        frontier_nodes(size)
            .into_iter()
            .map(hash_of)
            .collect::<Result<_, _>>()?,
    ))
}

/// The hash of a perfect subtree, given all hashes of one level of it: a power of two.
#[must_use]
pub fn subtree(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    hashes.iter().for_each(|hash| frontier.append(*hash));
    frontier.root()
}

/// Makes sure that the leaf of this hash stands at `index` in the tree of `size` leaves under `root`.
///
/// # Errors
///
/// [`InvalidProof`] if the proof does not show that.
pub fn verify_inclusion(
    leaf_hash: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), InvalidProof> {
    if index >= size {
        return Err(OutOfTree { asked: index, size }.into());
    }
    let length = InvalidProof::Length { found: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(length);
        }
        if is_odd(node) || node == last {
            hash = node_hash(sibling, &hash);
            skip_lonely_levels(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(length);
    }
    if hash == *root { Ok(()) } else { Err(InvalidProof::Root) }
}

/// Makes sure that the tree of `old` leaves under `old_root` is the beginning of that of `size` leaves under `root`.
///
/// # Errors
///
/// [`InvalidProof`] if the proof does not show that.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), InvalidProof> {
    if old > size {
        return Err(OutOfTree { asked: old, size }.into());
    }
    let length = InvalidProof::Length { found: proof.len() };
    if old == 0 || old == size {
        let expected = if old == 0 { Frontier::default().root() } else { *root };
        return match proof {
            [] if *old_root == expected => Ok(()),
            [] => Err(InvalidProof::Root),
            _ => Err(length),
        };
    }
    let (mut node, mut last) = (old - 1, size - 1);
    while is_odd(node) {
        (node, last) = (node >> 1, last >> 1);
    }
    // A perfect old tree stands at the left edge of the new one, and its root begins the way.
    let mut way = proof.iter();
    let first = if node == 0 { old_root } else { way.next().ok_or(length)? };
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in way {
        if last == 0 {
            return Err(length);
        }
        if is_odd(node) || node == last {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            skip_lonely_levels(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(length);
    }
    let leads = old_hash == *old_root && hash == *root;
    if leads { Ok(()) } else { Err(InvalidProof::Root) }
}

/// At the right edge a subtree has no sibling on some levels.
fn skip_lonely_levels(node: &mut u64, last: &mut u64) {
    while !is_odd(*node) && *node != 0 {
        (*node, *last) = (*node >> 1, *last >> 1);
    }
}

fn is_odd(number: u64) -> bool {
    number & 1 == 1
}

/// Leaves of the left subtree: the largest power of two below the number of leaves, of which there are two at least.
fn split(tree: &Range<u64>) -> u64 {
    1 << (tree.end - tree.start - 1).ilog2()
}

/// From left to right, each smaller than the one before. The beginning is aligned to the first.
fn perfect_subtrees(leaves: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = leaves.start;
    while start < leaves.end {
        let level = (leaves.end - start).ilog2();
        nodes.push(Node {
            level: level as u8,
            index: start >> level,
        });
        start += 1 << level;
    }
    nodes
}

/// The hash over subtrees that stand side by side, each smaller than the one before.
fn join(hashes: Vec<Hash>) -> Hash {
    let from_the_right = hashes.into_iter().rev();
    let joined = from_the_right.reduce(|right, left| node_hash(&left, &right));
    joined.unwrap_or_else(|| Frontier::default().root())
}
