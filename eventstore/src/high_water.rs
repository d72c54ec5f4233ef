//! What is remembered of a log outside its database.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use uuid::Uuid;

use crate::folders;
use crate::store::Identity;
use crate::transparency::merkle;

/// How far a log was seen to reach.
///
/// Kept outside the log's database, it tells the log from an older copy of it: a backup that was restored
/// ends earlier, or goes on differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HighWater {
    pub identity: Identity,
    pub size: u64,
    /// The RFC 6962 root over that many leaves.
    pub root: merkle::Hash,
    /// The hash of the last of them; that of nothing if there is none.
    pub last_leaf: merkle::Hash,
}

/// A text that is not a remembered high water.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a high water is a log id, an epoch, a size and two hashes, divided by spaces")]
pub struct MalformedHighWater;

impl HighWater {
    /// What `path` remembers; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or holds something else.
    pub fn load(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, for whoever knows that the log may have gone on from here, and not how: whatever log is opened with it
    /// counts as restored.
    #[must_use]
    pub fn uncertain(self) -> Self {
        Self {
            last_leaf: merkle::Hash::default(),
            ..self
        }
    }

    /// Remembers it in `path`, durably and at once: a crash leaves either this or what was there before.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        folders::replace(path, format!("{self}\n").as_bytes())
    }
}

impl fmt::Display for HighWater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { log_id, epoch } = self.identity;
        let (root, last_leaf) = (hex::encode(self.root), hex::encode(self.last_leaf));
        write!(f, "{log_id} {epoch} {} {root} {last_leaf}", self.size)
    }
}

impl FromStr for HighWater {
    type Err = MalformedHighWater;

    fn from_str(text: &str) -> Result<Self, MalformedHighWater> {
        let words: Vec<_> = text.split(' ').collect();
        let [log_id, epoch, size, root, last_leaf] = words[..] else {
            return Err(MalformedHighWater);
        };
        let id = |text: &str| Uuid::try_parse(text).map_err(|_| MalformedHighWater);
        let hash = |text: &str| {
            let mut hash = merkle::Hash::default();
            hex::decode_to_slice(text, &mut hash).map_err(|_| MalformedHighWater)?;
            Ok(hash)
        };
        Ok(Self {
            identity: Identity {
                log_id: id(log_id)?,
                epoch: id(epoch)?,
            },
            size: size.parse().map_err(|_| MalformedHighWater)?,
            root: hash(root)?,
            last_leaf: hash(last_leaf)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn high_water(size: u64) -> HighWater {
        HighWater {
            identity: Identity {
                log_id: Uuid::from_u128(1),
                epoch: Uuid::from_u128(2),
            },
            size,
            root: [3; 32],
            last_leaf: [4; 32],
        }
    }

    #[test]
    fn a_high_water_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("high-water");
        assert_eq!(HighWater::load(&path).unwrap(), None);
        for size in [5, u64::MAX] {
            high_water(size).save(&path).unwrap();
            assert_eq!(HighWater::load(&path).unwrap(), Some(high_water(size)));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let text = high_water(5).to_string();
        for other in ["", &text[1..], &text[..text.len() - 1], &format!("{text} 6")] {
            assert_eq!(other.parse::<HighWater>(), Err(MalformedHighWater), "{other}");
        }
    }
}
