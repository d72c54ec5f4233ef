//! What a batch needs from outside the view file: documents it names, and the past of apps that are not in memory.

use domain::{app::App, decider::Decider, digest::Digest, event::DomainEvent, ids::AppId};
use eventstore::{BlobError, Blobs, EventStore, Revision, StreamName};
use tokio::task::JoinSet;

use crate::{
    content::{Document, Wanted},
    dossier::Dossier,
    error::ViewError,
    fact::Fact,
};

/// Threads that read documents at once.
const READERS_MAX: usize = 4;
/// Documents that are not worth another thread.
const READ_BY_ONE: usize = 32;

/// Each app after so many events of its stream.
///
/// # Errors
///
/// If the log fails.
pub(crate) async fn dossiers(log: &EventStore, apps: &[(AppId, u64)]) -> Result<Vec<Dossier>, ViewError> {
    let mut dossiers = Vec::with_capacity(apps.len());
    for (id, revision) in apps {
        dossiers.extend(dossier(log, *id, *revision).await?);
    }
    Ok(dossiers)
}

/// # Errors
///
/// If the blob store fails. A document that is not there, or is not what it should be, is left out.
pub(crate) async fn documents(blobs: &Blobs, wanted: &[Wanted]) -> Result<Vec<Document>, ViewError> {
    let mut reads = JoinSet::new();
    for part in wanted.chunks(wanted.len().div_ceil(READERS_MAX).max(READ_BY_ONE)) {
        let (blobs, part) = (blobs.clone(), part.to_vec());
        reads.spawn_blocking(move || {
            let documents = part.into_iter().map(|wanted| document(&blobs, wanted));
            documents.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        });
    }
    let mut read = Vec::with_capacity(wanted.len());
    while let Some(done) = reads.join_next().await {
        read.extend(done.map_err(|_| ViewError::Abandoned)??);
    }
    Ok(read)
}

fn document(blobs: &Blobs, wanted: Wanted) -> Result<Option<Document>, BlobError> {
    let digest = wanted.digest();
    let bytes = match blobs.get_blocking(&eventstore::Digest::from_bytes(*digest.as_bytes())) {
        Ok(bytes) => bytes,
        Err(BlobError::Missing(_)) => return Ok(None),
        Err(error @ BlobError::Corrupt(_)) => {
            leave_out(digest, &error);
            return Ok(None);
        }
        Err(error @ (BlobError::Folder { .. } | BlobError::File { .. } | BlobError::Storage(_))) => return Err(error),
    };
    match wanted.read(&bytes) {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            leave_out(digest, &error);
            Ok(None)
        }
    }
}

fn leave_out(digest: Digest, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(%digest, error, "published content is unreadable and is treated as removed");
}

/// The app after the first `revision` events of its stream.
async fn dossier(log: &EventStore, id: AppId, revision: u64) -> Result<Option<Dossier>, ViewError> {
    let Ok(stream) = StreamName::new(App::CATEGORY, id) else {
        return Ok(None);
    };
    let mut dossier = None;
    for recorded in log.read_stream(&stream, Revision::NONE).await? {
        if recorded.revision.get() > revision {
            break;
        }
        let fact = Fact::decode(&recorded)?;
        if let DomainEvent::App(event) = &fact.event {
            dossier = Dossier::record(dossier, id, event, &fact);
        }
    }
    Ok(dossier)
}
