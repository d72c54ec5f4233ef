//! Publishes the views now and then, so that a process that starts without them need not fold the whole log.

use std::time::Duration;

use chrono::TimeDelta;
use projections::ViewError;

use crate::{clock, services::Services};

/// How soon content that was removed is gone from what is published, too.
const INTERVAL: Duration = Duration::from_secs(60);
/// So many events are folded in a second or two; it takes longer to copy the views than to fold fewer.
const AHEAD_EVENTS_MIN: u64 = 50_000;
/// What another program or epoch published is of use as long as somebody may go back to it.
const ABANDONED_AFTER: TimeDelta = TimeDelta::days(30);

pub async fn keep_publishing(services: Services) {
    loop {
        if let Err(error) = publish(&services).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the views could not be published; trying again"
            );
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn publish(services: &Services) -> Result<(), ViewError> {
    let Services {
        views, log, content, ..
    } = services;
    let abandoned = clock::now() - ABANDONED_AFTER;
    let swept = views.sweep_published(log, content.blobs(), abandoned).await?;
    if swept > 0 {
        tracing::info!(swept, "took published view files away that are of no use any more");
    }
    if let Some(size) = views.publish(log, content.blobs(), AHEAD_EVENTS_MIN).await? {
        tracing::info!(size, "published the views");
        views.sweep_published(log, content.blobs(), abandoned).await?;
    }
    Ok(())
}
