//! Removes blobs that no event names: uploads that nobody made anything of.
//!
//! An upload can be named as long as its id lives. Putting the same bytes again makes them new. So what is older than
//! that, and is named neither in the log nor in a document that the log names, never will be.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use eventstore::{BlobEntry, BlobError, Digest, Position, ReadError};

use crate::{clock, services::Services};

/// The first sweep comes right after the start.
const INTERVAL: Duration = Duration::from_secs(24 * 3_600);
const EVENTS_PER_PAGE: usize = 4_096;
/// Most blobs removed in one go; the others wait for the next.
const SWEPT_MAX: usize = 10_000;
/// Larger blobs are archives and pictures, which name nothing.
const DOCUMENT_MAX_BYTES: u64 = 4 << 20;
/// Longer than uploads live: clocks of several processes may differ.
const MARGIN: Duration = Duration::from_secs(3_600);
const PREFIX: &[u8] = b"sha256:";

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error("the log could not be read")]
    Log(#[from] ReadError),
    #[error("the blobs could not be read")]
    Blobs(#[from] BlobError),
}

pub async fn keep_sweeping(services: Services) {
    loop {
        match sweep(&services).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed uploads that nothing came of"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "uploads that nothing came of could not be removed"
            ),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Removes what can never be named any more, and returns how many blobs that were.
async fn sweep(services: &Services) -> Result<usize, SweepError> {
    let age = services.limits.upload_lifetime.saturating_add(MARGIN);
    let Some(moment) = TimeDelta::from_std(age)
        .ok()
        .and_then(|age| clock::now().checked_sub_signed(age))
    else {
        return Ok(0);
    };
    let blobs = services.content.blobs();
    let (old, mut listed): (Vec<_>, Vec<_>) = blobs.list().await?.into_iter().partition(|blob| blob.put < moment);
    if old.is_empty() {
        return Ok(0);
    }
    let mut named = named_in_the_log(services).await?;
    listed.extend(old.iter().cloned());
    name_what_documents_name(services, &listed, &mut named).await?;
    let mut removed = 0;
    for blob in old.iter().filter(|blob| !named.contains(&blob.digest)).take(SWEPT_MAX) {
        removed += usize::from(blobs.remove_if_older(&blob.digest, moment).await?);
    }
    Ok(removed)
}

async fn named_in_the_log(services: &Services) -> Result<HashSet<Digest>, ReadError> {
    let (mut named, mut next) = (HashSet::new(), Position::START);
    loop {
        let events = services.log.read(next, EVENTS_PER_PAGE).await?;
        let Some(last) = events.last() else { return Ok(named) };
        next = last.position.next();
        for event in &events {
            named.extend(digests_in(&event.leaf));
        }
    }
}

/// A listing names pictures. Documents are JSON objects, and are named by the log themselves.
async fn name_what_documents_name(
    services: &Services,
    listed: &[BlobEntry],
    named: &mut HashSet<Digest>,
) -> Result<(), BlobError> {
    let may_name = |blob: &&BlobEntry| blob.bytes <= DOCUMENT_MAX_BYTES && named.contains(&blob.digest);
    let documents: Vec<_> = listed.iter().filter(may_name).map(|blob| blob.digest).collect();
    for digest in documents {
        match services.content.blobs().get(&digest).await {
            Ok(bytes) if bytes.first() == Some(&b'{') => named.extend(digests_in(&bytes)),
            Ok(_) | Err(BlobError::Missing(_) | BlobError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Every digest that is written anywhere in `text`.
fn digests_in(text: &[u8]) -> impl Iterator<Item = Digest> {
    let starts = text.windows(PREFIX.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == PREFIX).map(|(start, _)| start);
    starts.filter_map(|start| std::str::from_utf8(text.get(start..start + 71)?).ok()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_wherever_they_are_written() {
        let [one, other] = [Digest::of(b"1"), Digest::of(b"2")];
        let text = format!("{{\"a\":\"{one}\",\"b\":[\"sha256:short\",\"{other}\"]}}sha256:");
        assert_eq!(digests_in(text.as_bytes()).collect::<Vec<_>>(), [one, other]);
        assert_eq!(digests_in(b"").count(), 0);
    }
}
