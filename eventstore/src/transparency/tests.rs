//! The tree against its definition, and against implementations that this project did not write.

mod notes;
mod others;
mod proofs;
mod publishing;
mod sigstore;

use super::merkle::{Frontier, Hash, leaf_hash};
use super::{Signer, Tile, TileFolder, TileKind, bundle};

/// Short leaves, no two alike.
fn leaves(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|index| format!("leaf {index}").into_bytes()).collect()
}

fn root(leaves: &[Vec<u8>]) -> Hash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
    frontier.root()
}

fn signer() -> Signer {
    Signer::new("charthouse:log/epoch", &[7; 32]).unwrap()
}

/// All tiles of the tree of these leaves, made from the definition.
fn published(leaves: &[Vec<u8>]) -> (tempfile::TempDir, TileFolder) {
    let place = tempfile::tempdir().unwrap();
    let folder = TileFolder::at(place.path().to_owned());
    let size = leaves.len() as u64;
    let bundles = (0..size.div_ceil(256)).filter_map(|index| Tile::of_tree(TileKind::Entries, index, size));
    for tile in Tile::new_tiles(0, size).chain(bundles) {
        let nodes = tile.nodes();
        let bytes = match tile.kind {
            TileKind::Hashes { .. } => nodes
                .flat_map(|node| {
                    root(&leaves[(node.index << node.level) as usize..((node.index + 1) << node.level) as usize])
                })
                .collect(),
            TileKind::Entries => bundle(nodes.map(|node| leaves[node.index as usize].as_slice())),
        };
        let path = folder.tile_path(tile);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    (place, folder)
}
