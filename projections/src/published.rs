//! View files that one process publishes, so that others need not fold the whole log.
//!
//! A published file is a copy of the views at one position, kept with the blobs and named by what made it: the program's
//! view schema, the log and its epoch, the position, and the hash of its bytes. Whoever starts without views, or with
//! hopelessly old ones, begins with the one that goes furthest and follows the log from there. It is a cache of a cache:
//! whatever is wrong with it, the log is read instead.

use std::path::Path;

use chrono::{DateTime, Utc};
use eventstore::{Blobs, EventStore, PublishedFile, PublishedFiles};
use tokio::task::spawn_blocking;

use crate::{
    Views,
    checkpoint::Checkpoint,
    content,
    error::ViewError,
    file,
    generations::{self, Generations},
};

/// Views that are this many events behind a published file are exchanged for it: to fetch it is quicker than to catch up.
pub const BEHIND_EVENTS_MIN: u64 = 50_000;
/// How many published files of the same views stay: whoever is just fetching the older one may end.
const KEPT: usize = 2;

const KIND: &str = "views";

impl Views {
    /// Publishes the views as they stand, if they are at least `ahead` events ahead of what was published of them, and
    /// returns how many events they have applied. Meanwhile they go on.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if no copy could be made or kept. Nothing is published then.
    pub async fn publish(&self, log: &EventStore, blobs: &Blobs, ahead: u64) -> Result<Option<u64>, ViewError> {
        let _alone = self.shared.publishing.lock().await;
        let (published, of) = (blobs.published_files(KIND), name(log));
        let known = published.list().await?;
        let newest = known.iter().find(|file| file.of == of).map_or(0, |file| file.size);
        if self.position() < newest.saturating_add(ahead) {
            return Ok(None);
        }
        let copy = self.shared.files.copy();
        generations::delete(&copy)?;
        let size = self.publish_by(&copy, &of, &published).await;
        generations::delete(&copy)?;
        size.map(Some)
    }

    async fn publish_by(&self, copy: &Path, of: &str, published: &PublishedFiles) -> Result<u64, ViewError> {
        let (live, to) = (self.path(), copy.to_owned());
        let copied = spawn_blocking(move || {
            file::open_for_reading(&live)?.execute("VACUUM INTO ?", [to.to_string_lossy()])?;
            crate::position(&file::open_for_reading(&to)?)
        });
        let size = copied.await.map_err(|_| ViewError::Abandoned)??;
        published.publish(of, size, copy).await?;
        Ok(size)
    }

    /// Takes published files away that are of no use: all but the newest ones of these views, those of other programs and
    /// epochs that were published before `abandoned`, and at once those that may hold content that was removed since.
    /// Returns how many.
    ///
    /// # Errors
    ///
    /// [`ViewError`] if they may still be there.
    pub async fn sweep_published(
        &self,
        log: &EventStore,
        blobs: &Blobs,
        abandoned: DateTime<Utc>,
    ) -> Result<usize, ViewError> {
        let removed = self.read(content::last_removal).await?;
        let (files, of) = (blobs.published_files(KIND), name(log));
        let (mut swept, mut own) = (0, 0);
        for file in files.list().await? {
            let is_own = file.of == of;
            own += usize::from(is_own);
            let is_superseded = is_own && own > KEPT;
            let is_abandoned = !is_own && file.put < abandoned;
            // Positions of another epoch cannot be compared, but times can.
            let may_hold_removed = removed.is_some_and(|removed| match is_own {
                true => file.size <= removed.position,
                false => file.put <= removed.at,
            });
            if is_superseded || is_abandoned || may_hold_removed {
                files.remove(&file).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Makes the published file that goes furthest the newest generation of the views kept at `path`, if these are not there,
/// or far behind it. Whether there was one; [`Views::open`] opens it.
///
/// A file that is damaged, or is not of this log, is passed over with a warning.
///
/// # Errors
///
/// [`ViewError`] if the views at `path` or the log cannot be read. If published files cannot be had, that is a warning.
pub async fn start_from(path: &Path, log: &EventStore, blobs: &Blobs) -> Result<bool, ViewError> {
    let files = Generations::of(path);
    let reached = reached(&files, log).await?;
    let worthwhile = reached.map_or(1, |reached| reached.saturating_add(BEHIND_EVENTS_MIN));
    let (published, of, size) = (blobs.published_files(KIND), name(log), log.head().await?.size);
    let listed = match published.list().await {
        Ok(listed) => listed,
        Err(error) => {
            pass_over(None, &error);
            return Ok(false);
        }
    };
    let fitting = listed.iter().filter(|file| file.of == of && file.size >= worthwhile);
    for candidate in fitting {
        if candidate.size > size {
            tracing::warn!(
                size = candidate.size,
                of = size,
                "a published view file is ahead of the log, and is passed over"
            );
            continue;
        }
        match take(&files, candidate, log, &published).await {
            Ok(true) => {
                tracing::info!(
                    size = candidate.size,
                    of = size,
                    "the views start from a published file"
                );
                return Ok(true);
            }
            Ok(false) => tracing::warn!(
                size = candidate.size,
                "a published view file is not of this log, and is passed over"
            ),
            Err(ViewError::BeingBuilt) => return Ok(false),
            Err(error) => pass_over(Some(candidate.size), &error),
        }
    }
    Ok(false)
}

fn pass_over(size: Option<u64>, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(
        size,
        error,
        "a published view file could not be used; the log is read instead"
    );
}

/// How far the views have come that there are.
async fn reached(files: &Generations, log: &EventStore) -> Result<Option<u64>, ViewError> {
    for generation in files.present()? {
        if let Some(conn) = file::readable(&files.path(generation), log).await? {
            return Ok(Some(crate::position(&conn)?));
        }
    }
    Ok(None)
}

/// Fetches a published file as the next generation, if it is a view of this log.
async fn take(
    files: &Generations,
    candidate: &PublishedFile,
    log: &EventStore,
    published: &PublishedFiles,
) -> Result<bool, ViewError> {
    let _alone = files.lock()?;
    let building = files.building();
    generations::delete(&building)?;
    let fetched = published.fetch(candidate, &building).await;
    let usable = match fetched {
        Ok(()) => file::is_usable(&building, log).await,
        Err(error) => Err(error.into()),
    };
    if !matches!(usable, Ok(true)) {
        generations::delete(&building)?;
        return usable;
    }
    let finished = files.path(files.next()?);
    let renamed = std::fs::rename(&building, &finished);
    renamed.map_err(|source| ViewError::File {
        path: building.clone(),
        source,
    })?;
    Ok(true)
}

/// What a view file of this program and this log is known by.
fn name(log: &EventStore) -> String {
    let Checkpoint {
        program, log_id, epoch, ..
    } = Checkpoint::start(log.identity());
    format!("{}-{}-{}", program.replace(' ', "-"), log_id.simple(), epoch.simple())
}
