//! A log published as a folder of tiles.

use std::ops::Range;
use std::path::Path;

use super::{Fault, Growing, Verified, is_misplaced, unread};
use crate::transparency::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::transparency::folder::TileFolder;
use crate::transparency::merkle::{Hash, leaf_hash};
use crate::transparency::note::VerifierKey;
use crate::transparency::proof::subtree;
use crate::transparency::prover::Prover;
use crate::transparency::tile::{self, TILE_WIDTH, Tile, TileKind};

/// Tiles that are in memory at once, with their leaves.
const TILES_AT_ONCE: usize = 64;

/// Hashes all that is published in `folder`, the leaves too if they are there, and compares with the signed checkpoint
/// and with what is remembered. `progress` is told how many of how many leaves are done.
///
/// # Errors
///
/// [`Fault`] says what was done to the log, and where, as far as it can be told.
pub fn verify_tiles(
    folder: &TileFolder,
    keys: &[VerifierKey],
    since: Option<&SignedCheckpoint>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, Fault> {
    let signed = checkpoint(folder)?;
    signed.verify(keys).map_err(Fault::Untrusted)?;
    let head = signed.checkpoint();
    if let Some(since) = since {
        since.verify(keys).map_err(Fault::Untrusted)?;
        check_age(folder, head, since.checkpoint())?;
    }
    let mut walk = Walk {
        folder,
        head,
        growing: Growing::new(since),
        full: Vec::new(),
        has_leaves: folder.path().join("tile/entries").exists(),
    };
    let (tiles, threads) = (head.size.div_ceil(TILE_WIDTH), threads());
    for first in (0..tiles).step_by(TILES_AT_ONCE) {
        let indices = first..tiles.min(first + TILES_AT_ONCE as u64);
        for looked in look_at_all(&walk.place(), indices, threads) {
            walk.take(looked?)?;
        }
        progress(walk.growing.frontier.size(), head.size);
    }
    let root = walk.growing.frontier.root();
    let upper = check_upper_tiles(folder, std::mem::take(&mut walk.full), head.size);
    if root != head.root {
        // A tile that does not fit the one above it says where; if all fit, all were made anew.
        return Err(upper.err().unwrap_or(Fault::Rewritten { size: head.size }));
    }
    upper?;
    Ok(Verified {
        since: walk.growing.check_since()?,
        origin: head.origin.clone(),
        size: head.size,
        root,
        leaves: if walk.has_leaves { head.size } else { 0 },
    })
}

fn checkpoint(folder: &TileFolder) -> Result<SignedCheckpoint, Fault> {
    let path = folder.checkpoint_path();
    match folder.checkpoint() {
        Ok(Some(note)) => note.parse().map_err(|source| Fault::Malformed { path, source }),
        Ok(None) => Err(Fault::NoCheckpoint { path: folder_of(&path) }),
        Err(source) => Err(Fault::Io { path, source }),
    }
}

fn folder_of(path: &Path) -> std::path::PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// The checkpoint that is published must not be older than the one that is remembered.
fn check_age(folder: &TileFolder, head: &Checkpoint, since: &Checkpoint) -> Result<(), Fault> {
    let (remembered, found) = (since.size, head.size);
    if since.origin != head.origin {
        return Err(Fault::Origin {
            found: head.origin.clone(),
            remembered: since.origin.clone(),
        });
    }
    if remembered <= found {
        return Ok(());
    }
    match Prover::new(folder.clone(), remembered).root() {
        Ok(root) if root == since.root => Err(Fault::Stale { remembered, found }),
        _ => Err(Fault::Truncated { remembered, found }),
    }
}

/// Where the tiles of one tree are.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: &'a TileFolder,
    size: u64,
    has_leaves: bool,
}

/// A tile of leaf hashes.
struct Looked {
    tile: Tile,
    hashes: Vec<Hash>,
    /// The tile's own hash, if it is full.
    subtree: Option<Hash>,
    /// The leaves as they are stored, if they do not have these hashes.
    other_leaves: Option<Vec<u8>>,
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Looks at the tiles of `indices` on all cores, and gives them back in order.
fn look_at_all(place: &Place<'_>, indices: Range<u64>, threads: usize) -> Vec<Result<Looked, Fault>> {
    let indices: Vec<u64> = indices.collect();
    let share = indices.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let look = |share: &[u64]| share.iter().map(|index| look_at(place, *index)).collect::<Vec<_>>();
        let others: Vec<_> = indices
            .chunks(share)
            .map(|share| (share, scope.spawn(move || look(share))))
            .collect();
        // A thread that ended badly left its share to be done.
        let join =
            |(share, thread): (_, std::thread::ScopedJoinHandle<'_, _>)| thread.join().unwrap_or_else(|_| look(share));
        others.into_iter().flat_map(join).collect()
    })
}

fn look_at(place: &Place<'_>, index: u64) -> Result<Looked, Fault> {
    let tile = Tile {
        kind: TileKind::Hashes { level: 0 },
        index,
        width: (place.size - index * TILE_WIDTH).min(TILE_WIDTH) as u16,
    };
    let bytes = place.folder.tile(tile).map_err(|source| unread(tile, source))?;
    let hashes = tile::hashes(tile, &bytes).ok_or(Fault::AlteredTile { tile })?.to_vec();
    let mut other_leaves = None;
    if place.has_leaves {
        let bundle = bundle_of(tile);
        let bytes = place.folder.tile(bundle).map_err(|source| unread(bundle, source))?;
        if !have_hashes(&bytes, &hashes) {
            other_leaves = Some(bytes);
        }
    }
    Ok(Looked {
        tile,
        subtree: tile.is_full().then(|| subtree(&hashes)),
        hashes,
        other_leaves,
    })
}

fn bundle_of(tile: Tile) -> Tile {
    Tile {
        kind: TileKind::Entries,
        ..tile
    }
}

fn have_hashes(bundle: &[u8], hashes: &[Hash]) -> bool {
    tile::entries(bundle).is_ok_and(|leaves| {
        leaves.len() == hashes.len() && leaves.iter().zip(hashes).all(|(leaf, hash)| leaf_hash(leaf) == *hash)
    })
}

struct Walk<'a> {
    folder: &'a TileFolder,
    head: &'a Checkpoint,
    growing: Growing<'a>,
    /// The hash of each full tile of leaf hashes.
    full: Vec<Hash>,
    has_leaves: bool,
}

impl<'a> Walk<'a> {
    fn place(&self) -> Place<'a> {
        Place {
            folder: self.folder,
            size: self.head.size,
            has_leaves: self.has_leaves,
        }
    }

    fn take(&mut self, looked: Looked) -> Result<(), Fault> {
        if let Some(leaves) = looked.other_leaves {
            return Err(self.what_differs(looked.tile, &leaves, &looked.hashes));
        }
        match looked.subtree {
            Some(subtree) => {
                self.growing.append_tile(&looked.hashes, subtree);
                self.full.push(subtree);
            }
            None => looked.hashes.iter().for_each(|hash| self.growing.append(*hash)),
        }
        Ok(())
    }

    /// What was done to a bundle whose leaves do not have the hashes of its tile, or to the tile.
    fn what_differs(&self, tile: Tile, bundle: &[u8], hashes: &[Hash]) -> Fault {
        let first = tile.index * TILE_WIDTH;
        let leaves = match tile::entries(bundle) {
            Ok(leaves) => leaves,
            Err(cut_off) => {
                let position = first + cut_off.entry as u64;
                return Fault::AlteredLeaf { position };
            }
        };
        let hashed: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        if hashed.len() == hashes.len() && self.fits(&hashed) {
            return Fault::AlteredTile { tile };
        }
        let differs = (0..).zip(&hashed).zip(hashes).find(|((_, one), other)| one != other);
        let at = differs.map_or(hashed.len().min(hashes.len()), |((at, _), _)| at);
        let position = first + at as u64;
        let is_elsewhere = leaves.get(at).is_some_and(|leaf| is_misplaced(leaf, position));
        if hashed.len() == hashes.len() && !is_elsewhere {
            Fault::AlteredLeaf { position }
        } else {
            Fault::Misplaced { position }
        }
    }

    /// Whether these are the hashes that the rest of the tree has in this place.
    fn fits(&self, hashes: &[Hash]) -> bool {
        let index = self.growing.frontier.size() / TILE_WIDTH;
        if hashes.len() as u64 == TILE_WIDTH {
            let above = Tile::of_tree(TileKind::Hashes { level: 1 }, index / TILE_WIDTH, self.head.size);
            let bytes = above.and_then(|above| self.folder.tile(above).ok()).unwrap_or_default();
            return bytes.as_chunks().0.get((index % TILE_WIDTH) as usize) == Some(&subtree(hashes));
        }
        let mut frontier = self.growing.frontier.clone();
        hashes.iter().for_each(|hash| frontier.append(*hash));
        frontier.root() == self.head.root
    }
}

/// Every tile above the lowest, given the hashes of the full tiles below it.
fn check_upper_tiles(folder: &TileFolder, mut below: Vec<Hash>, size: u64) -> Result<(), Fault> {
    let mut level = 1;
    while !below.is_empty() {
        let mut full = Vec::new();
        for (index, hashes) in (0..).zip(below.chunks(TILE_WIDTH as usize)) {
            let Some(tile) = Tile::of_tree(TileKind::Hashes { level }, index, size) else {
                continue;
            };
            let bytes = folder.tile(tile).map_err(|source| unread(tile, source))?;
            if bytes != hashes.as_flattened() {
                return Err(Fault::AlteredTile { tile });
            }
            if tile.is_full() {
                full.push(subtree(hashes));
            }
        }
        below = full;
        level += 1;
    }
    Ok(())
}
