//! The published tree as a folder: `checkpoint`, `vkey`, `tile/…`, as a web server would serve it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::tile::Tile;

/// A folder with the files of one log, or an empty one.
#[derive(Debug, Clone)]
pub struct TileFolder {
    path: PathBuf,
}

impl TileFolder {
    /// The folder at `path`. It need not be there yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the checkpoint is.
    #[must_use]
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// Where the keys are that signed its checkpoints, one a line, the newest first.
    #[must_use]
    pub fn vkey_path(&self) -> PathBuf {
        self.path.join("vkey")
    }

    #[must_use]
    pub fn tile_path(&self, tile: Tile) -> PathBuf {
        self.path.join(tile.to_string())
    }

    /// The signed checkpoint; `None` if nothing was published.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn checkpoint(&self) -> io::Result<Option<String>> {
        text(&self.checkpoint_path())
    }

    /// The keys of [`TileFolder::vkey_path`]; none if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn vkeys(&self) -> io::Result<String> {
        Ok(text(&self.vkey_path())?.unwrap_or_default())
    }

    /// The bytes of a tile. A partial one may have given way to the full one, and then is its beginning.
    ///
    /// # Errors
    ///
    /// If there is neither, or the file cannot be read.
    pub fn tile(&self, tile: Tile) -> io::Result<Vec<u8>> {
        match fs::read(self.tile_path(tile)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !tile.is_full() => {
                let full = fs::read(self.tile_path(tile.full()))?;
                tile.beginning_of(&full).map(<[u8]>::to_vec).ok_or(error)
            }
            read => read,
        }
    }
}

fn text(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
