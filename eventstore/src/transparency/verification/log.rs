//! A log in its database, read without believing anything it says about itself.

use super::{Fault, Growing, Verified, is_misplaced};
use crate::backend::StoredRow;
use crate::event::Position;
use crate::store::{EventStore, ReadError};
use crate::transparency::checkpoint::SignedCheckpoint;
use crate::transparency::merkle::leaf_hash;
use crate::transparency::note::VerifierKey;

const ROWS_PER_READ: usize = 2_048;

/// Hashes every event of `store` and compares with the root it keeps, and with what is remembered of it: `since` must
/// be signed with one of the keys. Without `since` a log that was rewritten as a whole goes unnoticed.
///
/// `progress` is told, now and then, how many of how many events were hashed.
///
/// # Errors
///
/// [`Fault`] says what was done to the log, and where, as far as it can be told.
pub async fn verify_log(
    store: &EventStore,
    keys: &[VerifierKey],
    since: Option<&SignedCheckpoint>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, Fault> {
    let head = store.high_water().await?;
    let origin = head.identity.origin();
    if let Some(since) = since {
        since.verify(keys).map_err(Fault::Untrusted)?;
        let remembered = since.checkpoint().origin.clone();
        if remembered != origin {
            return Err(Fault::Origin {
                found: origin,
                remembered,
            });
        }
    }
    let mut growing = Growing::new(since);
    let mut wrong_hash = None;
    while growing.frontier.size() < head.size {
        let rows = rows(store, growing.frontier.size()).await?;
        if rows.is_empty() {
            break;
        }
        for (position, leaf, stored_hash) in rows {
            let expected = growing.frontier.size();
            if u64::try_from(position) != Ok(expected) {
                return Err(Fault::Misplaced { position: expected });
            }
            if expected == head.size {
                // Appended since the head was read.
                break;
            }
            let hash = leaf_hash(&leaf);
            if hash.as_slice() != stored_hash {
                wrong_hash.get_or_insert(expected);
            }
            growing.append(hash);
        }
        progress(growing.frontier.size(), head.size);
    }
    let (size, root) = (growing.frontier.size(), growing.frontier.root());
    if size < head.size {
        return Err(Fault::Truncated {
            remembered: head.size,
            found: size,
        });
    }
    if root != head.root {
        return Err(locate(store, wrong_hash, size, size).await?);
    }
    if let Some(position) = wrong_hash {
        return Err(Fault::AlteredHash { position });
    }
    let since = match growing.check_since() {
        Err(Fault::Rewritten { size: signed }) => return Err(locate(store, None, size, signed).await?),
        since => since?,
    };
    Ok(Verified {
        since,
        origin,
        size,
        root,
        leaves: size,
    })
}

/// What is wrong with a log whose first `signed` leaves do not have the root that it keeps, or that is remembered.
async fn locate(store: &EventStore, wrong_hash: Option<u64>, size: u64, signed: u64) -> Result<Fault, Fault> {
    let mut from = 0;
    while from < size {
        let rows = rows(store, from).await?;
        for (expected, (_, leaf, _)) in (from..).zip(&rows) {
            if is_misplaced(leaf, expected) {
                return Ok(Fault::Misplaced { position: expected });
            }
            if wrong_hash == Some(expected) {
                return Ok(Fault::AlteredLeaf { position: expected });
            }
        }
        from += rows.len().max(1) as u64;
    }
    Ok(Fault::Rewritten { size: signed })
}

async fn rows(store: &EventStore, from: u64) -> Result<Vec<StoredRow>, Fault> {
    let rows = store.backend().rows(Position::new(from), ROWS_PER_READ).await;
    Ok(rows.map_err(ReadError::from)?)
}
