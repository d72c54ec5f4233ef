//! A log published as tiles.

use std::path::PathBuf;

use clap::Args;
use eventstore::transparency::{TileFolder, verify_tiles};

use super::{
    keys::{Keys, Since},
    progress::Progress,
    verdict::{Finding, Report},
};

#[derive(Debug, Args)]
pub struct Tiles {
    /// The folder with checkpoint and tile/; with tile/entries the events are checked too
    folder: PathBuf,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    since: Since,
}

impl Tiles {
    pub fn run(self) -> Result<Report, Finding> {
        let (keys, since) = (self.keys.read()?, self.since.read()?);
        let folder = TileFolder::at(self.folder);
        let mut progress = Progress::begin();
        let verified = verify_tiles(&folder, &keys, since.as_ref(), |done, of| progress.tell(done, of));
        progress.end();
        Ok(verified?.into())
    }
}
