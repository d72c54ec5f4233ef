//! How the tree is cut into files: C2SP `tlog-tiles`.
//!
//! A hash tile holds up to 256 hashes of one level of the tree, eight levels apart; an entry bundle holds up to 256
//! leaves. Full ones never change; partial ones belong to trees of a certain size.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::merkle::Hash;
use super::proof::Node;

/// Hashes in a full tile, leaves in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree that a tile spans.
const TILE_HEIGHT: u8 = 8;
/// A tree of 2^64 leaves has no more levels of tiles.
const LEVELS: u8 = 8;
const ENTRIES: &str = "entries";

/// What a tile is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of subtrees of 256^`level` leaves.
    Hashes { level: u8 },
    /// Leaves.
    Entries,
}

/// The place of a tile. Its text is its path, such as `tile/0/x001/x234/067` or `tile/entries/003.p/12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    pub kind: TileKind,
    pub index: u64,
    /// Between 1 and 256.
    pub width: u16,
}

/// A text that is not the path of a tile in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the path of a tile")]
pub struct NoSuchTile(String);

/// Bytes that are not an entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} of the bundle is cut off")]
pub struct MalformedBundle {
    pub entry: usize,
}

impl Tile {
    /// The tile at `index` as a tree of `size` leaves has it; `None` if it is empty there.
    #[must_use]
    pub fn of_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let hashes = size.checked_shr((level * TILE_HEIGHT).into()).unwrap_or(0);
        let width = hashes.saturating_sub(index.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH);
        (width > 0).then_some(Self {
            kind,
            index,
            width: width as u16,
        })
    }

    /// All hash tiles that a tree of `size` leaves has and one of `old` leaves has not.
    pub fn new_tiles(old: u64, size: u64) -> impl Iterator<Item = Self> {
        (0..LEVELS).flat_map(move |level| {
            let kind = TileKind::Hashes { level };
            let shift = u32::from(level * TILE_HEIGHT);
            let (from, to) = ((old >> shift) / TILE_WIDTH, (size >> shift).div_ceil(TILE_WIDTH));
            let grown = move |tile: &Self| Self::of_tree(kind, tile.index, old) != Some(*tile);
            (from..to)
                .filter_map(move |index| Self::of_tree(kind, index, size))
                .filter(grown)
        })
    }

    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width as u64 == TILE_WIDTH
    }

    /// The same place when it is full.
    #[must_use]
    pub const fn full(self) -> Self {
        Self {
            width: TILE_WIDTH as u16,
            ..self
        }
    }

    /// What a partial tile holds, given the full one.
    pub(super) fn beginning_of(self, full: &[u8]) -> Option<&[u8]> {
        let mut end = 0;
        for _ in 0..self.width {
            end += match self.kind {
                TileKind::Hashes { .. } => 32,
                TileKind::Entries => 2 + usize::from(u16::from_be_bytes(*full.get(end..)?.first_chunk()?)),
            };
        }
        full.get(..end)
    }

    /// The subtrees whose hashes a hash tile holds; for a bundle, its leaves.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        let level = match self.kind {
            TileKind::Hashes { level } => level * TILE_HEIGHT,
            TileKind::Entries => 0,
        };
        let first = self.index * TILE_WIDTH;
        (first..first + u64::from(self.width)).map(move |index| Node { level, index })
    }

    /// The tile of a tree of `size` leaves, and the hashes in it, that a perfect subtree is computed from.
    pub(crate) fn with(node: Node, size: u64) -> Option<(Self, Range<usize>)> {
        let (level, below) = (node.level / TILE_HEIGHT, node.level % TILE_HEIGHT);
        let first = node.index << below;
        let start = (first % TILE_WIDTH) as usize;
        let range = start..start + (1 << below);
        let tile = Self::of_tree(TileKind::Hashes { level }, first / TILE_WIDTH, size)?;
        (range.end <= usize::from(tile.width)).then_some((tile, range))
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/{ENTRIES}/")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

impl FromStr for Tile {
    type Err = NoSuchTile;

    fn from_str(path: &str) -> Result<Self, NoSuchTile> {
        let tile = parse(path).ok_or_else(|| NoSuchTile(path.to_owned()))?;
        // There is one spelling only.
        if tile.to_string() == path {
            Ok(tile)
        } else {
            Err(NoSuchTile(path.to_owned()))
        }
    }
}

fn parse(path: &str) -> Option<Tile> {
    let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        ENTRIES => TileKind::Entries,
        level => TileKind::Hashes {
            level: level.parse().ok().filter(|level| *level < LEVELS)?,
        },
    };
    let (index, width) = match place.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok().filter(|width| (1..256).contains(width))?),
        None => (place, TILE_WIDTH as u16),
    };
    let mut number: u64 = 0;
    for group in index.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let group: u64 = digits.parse().ok().filter(|_| digits.len() == 3)?;
        number = number.checked_mul(1_000)?.checked_add(group)?;
    }
    // No leaf of such a tile would have an index.
    number.checked_mul(TILE_WIDTH)?;
    Some(Tile {
        kind,
        index: number,
        width,
    })
}

/// Puts leaves of at most 65,535 bytes into a bundle.
#[must_use]
pub fn bundle<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        bytes.extend_from_slice(&(leaf.len() as u16).to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    bytes
}

/// The leaves in a bundle, in order.
///
/// # Errors
///
/// [`MalformedBundle`] if it ends within one.
pub fn entries(bundle: &[u8]) -> Result<Vec<&[u8]>, MalformedBundle> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let cut_off = || MalformedBundle { entry: entries.len() };
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let (entry, after) = after
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or_else(cut_off)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// The hashes in a hash tile; `None` if the bytes are not as many as it has.
pub(crate) fn hashes(tile: Tile, bytes: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(tile.width)).then_some(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_has_one_path() {
        let tile = |kind, index, width| Tile { kind, index, width };
        let leaves = TileKind::Hashes { level: 0 };
        for (tile, path) in [
            (tile(leaves, 0, 256), "tile/0/000"),
            (tile(leaves, 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(TileKind::Hashes { level: 2 }, 1_000, 1), "tile/2/x001/000.p/1"),
            (tile(TileKind::Entries, 273, 112), "tile/entries/273.p/112"),
        ] {
            assert_eq!(tile.to_string(), path);
            assert_eq!(path.parse(), Ok(tile));
        }
    }

    #[test]
    fn other_paths_name_nothing() {
        for path in [
            "tile/0/0",
            "tile/00/000",
            "tile/8/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001/x001",
            "tile/0/+01",
            "tile/0/../000",
            "tile/entries/",
            "tile/data/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(path.parse::<Tile>(), Err(NoSuchTile(path.to_owned())));
        }
    }

    #[test]
    fn a_tree_of_70000_leaves_has_the_tiles_the_specification_says() {
        let tiles: Vec<_> = Tile::new_tiles(0, 70_000).collect();
        let full = |level| {
            let kind = TileKind::Hashes { level };
            tiles.iter().filter(|tile| tile.kind == kind && tile.is_full()).count()
        };
        assert_eq!([full(0), full(1), full(2)], [273, 1, 0]);
        let partial: Vec<_> = tiles
            .iter()
            .filter(|tile| !tile.is_full())
            .map(Tile::to_string)
            .collect();
        assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }

    #[test]
    fn a_bundle_gives_back_its_leaves() {
        let leaves: [&[u8]; 3] = [b"one", b"", &[7; 65_535]];
        let bytes = bundle(leaves);
        assert_eq!(entries(&bytes).unwrap(), leaves);
        assert_eq!(entries(&bytes[..bytes.len() - 1]), Err(MalformedBundle { entry: 2 }));
        assert_eq!(entries(&bytes[..4]), Err(MalformedBundle { entry: 0 }));
    }
}
