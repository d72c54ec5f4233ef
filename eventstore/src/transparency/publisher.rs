//! Publishing the tree behind the log: first the tiles, then what is remembered, then the signed checkpoint.
//!
//! Tiles are a function of the log, so writing one again changes nothing, and any number of processes may publish the
//! same log, each in a folder of its own. A crash between any two steps leaves the checkpoint before it, with all its
//! tiles. Every epoch of a log has a folder of its own, so a restored log never overwrites what was signed before.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::disk::Disk;
use super::folder::TileFolder;
use super::merkle::{Hash, leaf_hash};
use super::proof::{subtree, verify_consistency};
use super::prover::Prover;
use super::published::PublishError;
use super::tile::{self, TILE_WIDTH, Tile, TileKind};
use super::{Signer, VerifierKey};
use crate::event::Position;
use crate::high_water::HighWater;
use crate::store::EventStore;

/// Publishes one epoch of one log. Whoever has it must not share it: one step at a time.
pub(super) struct Publisher {
    pub(super) store: EventStore,
    pub(super) files: Files,
    pub(super) signer: Signer,
    /// Where it is remembered how far the log reached before a checkpoint says so.
    pub(super) high_water: PathBuf,
    pub(super) last: Option<SignedCheckpoint>,
}

/// The folder, and the way to write into it.
#[derive(Clone)]
pub(super) struct Files {
    pub(super) folder: TileFolder,
    pub(super) disk: Arc<dyn Disk>,
}

impl Publisher {
    /// Signs the log as it is now, if it goes on from the last checkpoint, and returns the checkpoint.
    pub(super) async fn publish(&mut self) -> Result<SignedCheckpoint, PublishError> {
        let head = self.store.high_water().await?;
        if head.identity != *self.store.identity() {
            return Err(PublishError::NewEpoch);
        }
        let last = self.last.as_ref().map(|last| last.checkpoint().clone());
        if let Some(last) = &last {
            self.check_against(last, &head)?;
            if last.size == head.size && self.is_signed_with_this_key() {
                return self.last.clone().ok_or(PublishError::Nothing);
            }
        }
        self.write_tiles(last.as_ref(), &head).await?;
        let signed = self.sign(head).await?;
        if let Some(last) = last {
            self.files.remove_superseded(last.size, signed.checkpoint().size);
        }
        self.last = Some(signed.clone());
        Ok(signed)
    }

    fn check_against(&self, last: &Checkpoint, head: &HighWater) -> Result<(), PublishError> {
        if head.size < last.size {
            return Err(PublishError::Truncated {
                published: last.size,
                found: head.size,
            });
        }
        if head.size == last.size && head.root != last.root {
            return Err(PublishError::Rewritten { published: last.size });
        }
        Ok(())
    }

    fn is_signed_with_this_key(&self) -> bool {
        let key = std::slice::from_ref(self.signer.verifier_key());
        self.last.as_ref().is_some_and(|last| last.verify(key).is_ok())
    }

    /// From the last full tile on, or if what was written before is damaged, from the beginning.
    async fn write_tiles(&self, last: Option<&Checkpoint>, head: &HighWater) -> Result<(), PublishError> {
        let from = last.map_or(0, |last| last.size - last.size % TILE_WIDTH);
        let extended = self.write_tiles_from(from, last, head).await;
        match extended {
            Err(error) if from > 0 => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the published tiles do not fit the log; writing all of them again"
                );
                self.write_tiles_from(0, last, head).await
            }
            outcome => outcome,
        }
    }

    async fn write_tiles_from(
        &self,
        from: u64,
        last: Option<&Checkpoint>,
        head: &HighWater,
    ) -> Result<(), PublishError> {
        for index in from / TILE_WIDTH..head.size.div_ceil(TILE_WIDTH) {
            let leaves = self.leaves(index, head.size).await?;
            let (files, size) = (self.files.clone(), head.size);
            blocking(move || files.write_leaves(index, size, &leaves)).await?;
        }
        let (files, size) = (self.files.clone(), head.size);
        blocking(move || files.write_upper_tiles(from, size)).await?;
        let (folder, head, last) = (self.files.folder.clone(), head.clone(), last.cloned());
        blocking(move || check(&folder, &head, last.as_ref())).await
    }

    /// The leaves of one bundle of a log of `size` leaves.
    async fn leaves(&self, index: u64, size: u64) -> Result<Vec<bytes::Bytes>, PublishError> {
        let first = index * TILE_WIDTH;
        let count = (size - first).min(TILE_WIDTH) as usize;
        let leaves = self.store.backend().read(Position::new(first), count).await;
        let leaves = leaves.map_err(crate::store::ReadError::from)?;
        if leaves.len() == count {
            Ok(leaves.into_iter().map(|(_, leaf)| leaf).collect())
        } else {
            Err(PublishError::Missing {
                position: first + leaves.len() as u64,
            })
        }
    }

    /// An older copy of the log must be recognised by what is remembered before a checkpoint commits to more.
    async fn sign(&self, head: HighWater) -> Result<SignedCheckpoint, PublishError> {
        let checkpoint = Checkpoint {
            origin: head.identity.origin(),
            size: head.size,
            root: head.root,
        };
        let signed = SignedCheckpoint::sign(checkpoint, &self.signer);
        let (files, path, note) = (self.files.clone(), self.high_water.clone(), signed.to_string());
        blocking(move || {
            files.write(&path, format!("{head}\n").as_bytes())?;
            files.write(&files.folder.checkpoint_path(), note.as_bytes())
        })
        .await?;
        Ok(signed)
    }
}

/// What was written has the root of the log, and goes on from the last checkpoint.
fn check(folder: &TileFolder, head: &HighWater, last: Option<&Checkpoint>) -> Result<(), PublishError> {
    let mut prover = Prover::new(folder.clone(), head.size);
    if prover.root()? != head.root {
        return Err(PublishError::Rewritten { published: head.size });
    }
    let Some(last) = last else { return Ok(()) };
    let proof = prover.consistency(last.size)?;
    verify_consistency(last.size, &last.root, head.size, &head.root, &proof)
        .map_err(|_| PublishError::Rewritten { published: last.size })
}

impl Files {
    /// Publishes `keys`, the one that signs from now on first.
    pub(super) fn write_keys(&self, keys: &[VerifierKey]) -> Result<(), PublishError> {
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        self.write(&self.folder.vkey_path(), text.as_bytes())
    }

    fn write_leaves(&self, index: u64, size: u64, leaves: &[bytes::Bytes]) -> Result<(), PublishError> {
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let bundle = tile::bundle(leaves.iter().map(|leaf| &leaf[..]));
        self.write_tile(TileKind::Entries, index, size, &bundle)?;
        self.write_tile(TileKind::Hashes { level: 0 }, index, size, hashes.as_flattened())
    }

    /// Those that a tree of `from` leaves, a multiple of 256, did not have.
    fn write_upper_tiles(&self, from: u64, size: u64) -> Result<(), PublishError> {
        for tile in Tile::new_tiles(from, size) {
            let TileKind::Hashes { level: level @ 1.. } = tile.kind else {
                continue;
            };
            let mut bytes = match Tile::of_tree(tile.kind, tile.index, from) {
                Some(known) => self.read(known)?,
                None => Vec::new(),
            };
            let below = TileKind::Hashes { level: level - 1 };
            let first = tile.index * TILE_WIDTH;
            for index in first + bytes.len() as u64 / 32..first + u64::from(tile.width) {
                let full = Tile {
                    kind: below,
                    index,
                    width: TILE_WIDTH as u16,
                };
                let below = self.read(full)?;
                bytes.extend_from_slice(&subtree(below.as_chunks().0));
            }
            self.write_tile(tile.kind, tile.index, size, &bytes)?;
        }
        Ok(())
    }

    fn write_tile(&self, kind: TileKind, index: u64, size: u64, bytes: &[u8]) -> Result<(), PublishError> {
        match Tile::of_tree(kind, index, size) {
            Some(tile) => self.write(&self.folder.tile_path(tile), bytes),
            None => Ok(()),
        }
    }

    fn read(&self, tile: Tile) -> Result<Vec<u8>, PublishError> {
        self.folder
            .tile(tile)
            .map_err(|source| io_error(&self.folder.tile_path(tile), source))
    }

    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
        self.disk.write(path, bytes).map_err(|source| io_error(path, source))
    }

    /// Partial tiles of places that are full now. What cannot be removed only takes up room.
    fn remove_superseded(&self, old: u64, size: u64) {
        let entries = |tile: Tile| Tile {
            kind: TileKind::Entries,
            ..tile
        };
        let filled = Tile::new_tiles(old, size).filter(Tile::is_full).flat_map(|tile| {
            let is_leaves = tile.kind == TileKind::Hashes { level: 0 };
            [Some(tile), is_leaves.then(|| entries(tile))]
        });
        for tile in filled.flatten() {
            let mut path = self.folder.tile_path(tile).into_os_string();
            path.push(".p");
            match self.disk.remove_folder(Path::new(&path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::debug!(%error, %tile, "partial tiles could not be removed");
                }
                _ => {}
            }
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> PublishError {
    PublishError::Io {
        path: path.to_owned(),
        source,
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PublishError> + Send + 'static,
) -> Result<T, PublishError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(PublishError::Interrupted(error)),
    }
}
