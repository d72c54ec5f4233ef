//! Proofs from published tiles.

use std::collections::VecDeque;
use std::io;

use super::folder::TileFolder;
use super::merkle::{Frontier, Hash};
use super::proof::{self, Node, OutOfTree, Recipe, frontier_nodes};
use super::tile::{self, Tile};

/// Tiles kept between proofs. A proof in a log of 2^40 leaves needs six.
const TILES_KEPT: usize = 16;

/// Makes proofs in the tree of one size from the tiles in a folder, a few file reads each.
///
/// What it gives out is as right as the tiles: check it against a signed root before handing it on.
pub struct Prover {
    folder: TileFolder,
    /// Of the tree that proofs are about.
    size: u64,
    /// Of the tree that the tiles are read of: the same, or larger.
    published: u64,
    kept: VecDeque<(Tile, Vec<u8>)>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    OutOfTree(#[from] OutOfTree),
    #[error("{tile} could not be read")]
    Tile {
        tile: Tile,
        #[source]
        source: io::Error,
    },
    #[error("{tile} has {bytes} bytes and should have {}", u32::from(tile.width) * 32)]
    TileLength { tile: Tile, bytes: usize },
}

impl Prover {
    /// For the tree of the first `size` leaves in `folder`.
    #[must_use]
    pub fn new(folder: TileFolder, size: u64) -> Self {
        Self::within(folder, size, size)
    }

    /// For the tree of the first `size` of `published` leaves in `folder`.
    pub(super) fn within(folder: TileFolder, size: u64, published: u64) -> Self {
        Self {
            folder,
            size,
            published,
            kept: VecDeque::new(),
        }
    }

    /// The way from the leaf at `index` to the root.
    ///
    /// # Errors
    ///
    /// [`ProveError`] if there is no such leaf or a tile cannot be read.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, ProveError> {
        Recipe::inclusion(index, self.size)?.follow(|node| self.node(node))
    }

    /// That the first `old` leaves are the tree's beginning.
    ///
    /// # Errors
    ///
    /// [`ProveError`] if the tree is smaller or a tile cannot be read.
    pub fn consistency(&mut self, old: u64) -> Result<Vec<Hash>, ProveError> {
        Recipe::consistency(old, self.size)?.follow(|node| self.node(node))
    }

    /// The root as the tiles have it.
    ///
    /// # Errors
    ///
    /// [`ProveError`] if a tile cannot be read.
    pub fn root(&mut self) -> Result<Hash, ProveError> {
        proof::root(self.size, |node| self.node(node))
    }

    /// The right edge as the tiles have it, to append to.
    ///
    /// # Errors
    ///
    /// [`ProveError`] if a tile cannot be read.
    pub fn frontier(&mut self) -> Result<Frontier, ProveError> {
        let nodes = frontier_nodes(self.size).into_iter();
        Ok(Frontier::new(
            self.size,
            nodes.map(|node| self.node(node)).collect::<Result<_, _>>()?,
        ))
    }

    fn node(&mut self, node: Node) -> Result<Hash, ProveError> {
        let out_of_tree = OutOfTree {
            asked: node.index << node.level,
            size: self.size,
        };
        let (tile, range) = Tile::with(node, self.published).ok_or(out_of_tree)?;
        let hashes = self.tile(tile)?;
        Ok(proof::subtree(&hashes[range]))
    }

    fn tile(&mut self, tile: Tile) -> Result<&[Hash], ProveError> {
        let kept = self.kept.iter().position(|(kept, _)| *kept == tile);
        let at = match kept {
            Some(at) => at,
            None => {
                let bytes = self
                    .folder
                    .tile(tile)
                    .map_err(|source| ProveError::Tile { tile, source })?;
                self.kept.truncate(TILES_KEPT - 1);
                self.kept.push_front((tile, bytes));
                0
            }
        };
        let bytes = &self.kept[at].1;
        tile::hashes(tile, bytes).ok_or(ProveError::TileLength {
            tile,
            bytes: bytes.len(),
        })
    }
}
