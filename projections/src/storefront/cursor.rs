//! Places in a list of the store, as a client carries them from page to page.
//!
//! A place says which list it is of: the order, the filter and the epoch of the log. In another list it would mean
//! something else, or nothing, and is refused.

use eventstore::Digest;

use super::{Filter, Listed, Sort};
use crate::{error::ViewError, page::Key};

/// Reads and writes the places of one list.
pub(super) struct Cursors {
    sort: Sort,
    /// What the list is known by.
    list: String,
}

/// Right after this row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct After {
    /// The position that the row is sorted by, or that tells rows of the same name apart.
    pub(super) position: u64,
    pub(super) name: String,
}

impl Cursors {
    /// Of the list that is asked for so, of a log in this epoch.
    pub(super) fn of(epoch: &str, filter: &Filter, sort: Sort) -> Self {
        let known_by = Digest::of(format!("{epoch} {sort:?} {filter:?}").as_bytes()).to_hex();
        Self {
            sort,
            list: known_by.chars().take(16).collect(),
        }
    }

    pub(super) fn key(&self, row: &Listed) -> Key {
        let (position, name) = match self.sort {
            Sort::NewestPublication => (row.entry.published_position, ""),
            Sort::Name => (row.entry.published_position, row.name.as_str()),
            Sort::LastUpdate => (row.entry.updated_position, ""),
        };
        Key::from_text(format!("{}.{position}.{name}", self.list))
    }

    /// # Errors
    ///
    /// [`ViewError::InvalidKey`] if it is no place at all; [`ViewError::ForeignKey`] if it is one of another list.
    pub(super) fn read(&self, key: &Key) -> Result<After, ViewError> {
        let invalid = || ViewError::InvalidKey(key.as_str().to_owned());
        let (list, place) = key.as_str().split_once('.').ok_or_else(invalid)?;
        let (position, name) = place.split_once('.').ok_or_else(invalid)?;
        let position = position.parse().map_err(|_| invalid())?;
        if list != self.list {
            return Err(ViewError::ForeignKey);
        }
        if self.sort != Sort::Name && !name.is_empty() {
            return Err(invalid());
        }
        Ok(After {
            position,
            name: name.to_owned(),
        })
    }
}
