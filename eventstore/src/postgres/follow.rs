//! Learning what other processes append.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use tokio::sync::watch;

use super::{CHANNEL, Database};
use crate::writer::publish;

/// A notification is lost when the connection is, so the size is read now and then all the same.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Publishes the log's size until nobody asks or the database is closed. It outlives the loss of the connection.
pub(super) async fn follow(database: &Database, sizes: &watch::Sender<u64>) {
    loop {
        let ended = tokio::select! {
            () = sizes.closed() => return,
            ended = listen(database, sizes) => ended,
        };
        match ended {
            sqlx::Error::PoolClosed => return,
            error => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the log is not followed for the moment"
            ),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Returns what ended it.
async fn listen(database: &Database, sizes: &watch::Sender<u64>) -> sqlx::Error {
    let listening = async {
        let mut listener = PgListener::connect_with(&database.reads).await?;
        listener.listen(CHANNEL).await?;
        let log_id = database.head().await?.identity.log_id.simple().to_string();
        loop {
            // First what was appended while nobody listened.
            publish(sizes, database.size().await?);
            let received = async {
                // `None` says that the connection was lost, and with it perhaps news.
                while let Some(notification) = listener.try_recv().await? {
                    if let Some(size) = announced_size(&notification, &log_id) {
                        publish(sizes, size);
                    }
                }
                Ok::<_, sqlx::Error>(())
            };
            if let Ok(lost) = tokio::time::timeout(POLL_INTERVAL, received).await {
                lost?;
            }
        }
    };
    let ended: Result<std::convert::Infallible, sqlx::Error> = listening.await;
    match ended {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

/// Logs in several schemas of one database share the channel.
fn announced_size(notification: &PgNotification, log_id: &str) -> Option<u64> {
    let (log, size) = notification.payload().split_once(' ')?;
    (log == log_id).then(|| size.parse().ok()).flatten()
}
