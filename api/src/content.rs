//! Documents kept as blobs: what events name by digest, in canonical JSON.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{
    content::{self, Removed},
    decider::Decider as _,
    digest::Digest,
    listing::Listing,
};
use eventstore::{BlobError, Blobs, EventStore, ReadError, Revision, StreamName};
use serde::{Serialize, de::DeserializeOwned};

use crate::chart_archive::Chart;

/// A document that is not kept yet, and what it will be named by.
pub struct Document {
    pub digest: Digest,
    canonical: Bytes,
}

impl Document {
    /// # Errors
    ///
    /// [`ContentError::NotCanonical`] if the value has no canonical JSON; those of this crate have.
    pub fn new(document: &impl Serialize) -> Result<Self, ContentError> {
        let canonical = serde_json_canonicalizer::to_vec(document).map_err(ContentError::NotCanonical)?;
        Ok(Self {
            digest: from_store(eventstore::Digest::of(&canonical)),
            canonical: canonical.into(),
        })
    }
}

/// Published content, by SHA-256. What is removed reads as absent.
#[derive(Clone)]
pub struct Content {
    blobs: Blobs,
    /// Says what was removed.
    log: EventStore,
    lately: Lately,
}

/// Documents that were written a moment ago: many commands name the same ones, such as the review policy. What nothing
/// names is swept only when it was not written for more than a day, so these are still there.
#[derive(Clone, Default)]
struct Lately(Arc<Mutex<HashMap<Digest, Instant>>>);

/// How long a document counts as written lately.
const LATELY: Duration = Duration::from_secs(60);
const LATELY_MAX: usize = 1_000;

impl Lately {
    fn has(&self, digest: Digest) -> bool {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(&digest).is_some_and(|at| at.elapsed() < LATELY)
    }

    fn note(&self, digest: Digest, at: Instant) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= LATELY_MAX {
            written.clear();
        }
        written.insert(digest, at);
    }

    fn forget(&self, digest: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error("{0}")]
    Removed(Removed),
    #[error("it could not be found out whether the content was removed")]
    Log(#[from] ReadError),
    #[error("the blob store failed")]
    Blob(#[from] BlobError),
    #[error("the document has no canonical form")]
    NotCanonical(#[source] serde_json::Error),
    #[error("the document {digest} is not what its event says it is")]
    Malformed {
        digest: Digest,
        #[source]
        source: serde_json::Error,
    },
}

impl Content {
    #[must_use]
    pub fn new(blobs: Blobs, log: EventStore) -> Self {
        Self {
            blobs,
            log,
            lately: Lately::default(),
        }
    }

    #[must_use]
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Keeps `bytes`; they are durable when this returns, so an event may name them.
    ///
    /// # Errors
    ///
    /// [`ContentError::Removed`] if they were removed once; [`ContentError::Blob`] if they could not be written.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, ContentError> {
        let digest = from_store(eventstore::Digest::of(&bytes));
        if self.was_removed(digest).await? {
            return Err(ContentError::Removed(Removed { digest }));
        }
        Ok(from_store(self.blobs.put(bytes).await?))
    }

    /// Takes the bytes away, if they are there.
    ///
    /// # Errors
    ///
    /// [`ContentError::Blob`] if they may still be there.
    pub async fn remove(&self, digest: Digest) -> Result<(), ContentError> {
        self.lately.forget(digest);
        Ok(self.blobs.remove(&to_store(digest)).await?)
    }

    async fn was_removed(&self, digest: Digest) -> Result<bool, ContentError> {
        let key = content::Content::key(digest);
        // A digest is always a stream's name.
        let Ok(stream) = StreamName::new(content::Content::CATEGORY, key) else {
            return Ok(false);
        };
        Ok(!self.log.read_stream(&stream, Revision::NONE).await?.is_empty())
    }

    /// The bytes named `digest`, verified; `None` if they were removed.
    ///
    /// # Errors
    ///
    /// [`ContentError::Blob`] if they cannot be read, or are not the bytes that were kept.
    pub async fn get(&self, digest: Digest) -> Result<Option<Bytes>, ContentError> {
        match self.blobs.get(&to_store(digest)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there are bytes named `digest`. Does not read them.
    ///
    /// # Errors
    ///
    /// [`ContentError::Blob`] if that could not be found out.
    pub async fn has(&self, digest: Digest) -> Result<bool, ContentError> {
        Ok(self.blobs.contains(&to_store(digest)).await?)
    }

    pub async fn listing(&self, digest: Digest) -> Result<Option<Listing>, ContentError> {
        self.document(digest).await
    }

    /// Keeps a document; it is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`ContentError::Blob`] if it could not be written.
    pub async fn keep(&self, document: Document) -> Result<(), ContentError> {
        if self.lately.has(document.digest) {
            return Ok(());
        }
        let begun = Instant::now();
        self.put(document.canonical).await?;
        self.lately.note(document.digest, begun);
        Ok(())
    }

    pub async fn chart(&self, digest: Digest) -> Result<Option<Chart>, ContentError> {
        self.document(digest).await
    }

    async fn document<T: DeserializeOwned>(&self, digest: Digest) -> Result<Option<T>, ContentError> {
        let Some(bytes) = self.get(digest).await? else {
            return Ok(None);
        };
        let document = serde_json::from_slice(&bytes);
        document
            .map(Some)
            .map_err(|source| ContentError::Malformed { digest, source })
    }
}

pub const fn to_store(digest: Digest) -> eventstore::Digest {
    eventstore::Digest::from_bytes(*digest.as_bytes())
}

pub const fn from_store(digest: eventstore::Digest) -> Digest {
    Digest::from_bytes(*digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_counts_as_written_for_a_while_unless_it_is_taken_away() {
        let (lately, digest) = (Lately::default(), Digest::from_bytes([1; 32]));
        let long_ago = Instant::now().checked_sub(LATELY).unwrap();
        lately.note(digest, long_ago);
        assert!(!lately.has(digest));
        lately.note(digest, Instant::now());
        assert!(lately.has(digest));
        lately.forget(digest);
        assert!(!lately.has(digest));
    }

    #[test]
    fn what_was_written_lately_is_bounded() {
        let lately = Lately::default();
        for n in 0..=LATELY_MAX {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            lately.note(Digest::from_bytes(bytes), Instant::now());
        }
        assert_eq!(lately.0.lock().unwrap().len(), 1);
    }
}
