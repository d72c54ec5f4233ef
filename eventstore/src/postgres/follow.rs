//! Learning what other processes append, and telling them.
//!
//! A notification is a good part of what a small append costs, so it is sent only while another process listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use tokio::sync::watch;
use uuid::Uuid;

use super::Database;
use crate::writer::publish;

/// Tells other processes that the log has grown, or that there is one more of them.
pub(super) const CHANNEL: &str = "charthouse_log";
/// The name that a connection that listens has in `pg_stat_activity`.
pub(super) const FOLLOWER: &str = "charthouse follower";
/// What a process says that begins to listen.
const FOLLOWS: &str = "follows";
/// A notification is lost when the connection is, so the size is read now and then all the same.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Whether another process listens, as far as is known.
#[derive(Clone)]
pub(super) struct Followers(Arc<AtomicBool>);

impl Default for Followers {
    /// Until it is known, they are told.
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Followers {
    pub(super) fn are_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    async fn count(&self, listener: &mut PgListener) -> sqlx::Result<()> {
        let others: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid())",
        )
        .bind(FOLLOWER)
        .fetch_one(listener)
        .await?;
        self.0.store(others, Ordering::Relaxed);
        Ok(())
    }
}

/// What is said on [`CHANNEL`]. Logs in several schemas of one database share it.
pub(super) fn announcement(log_id: Uuid, what: &str) -> String {
    format!("{} {what}", log_id.simple())
}

/// Publishes the log's size until nobody asks or the database is closed. It outlives the loss of the connection.
pub(super) async fn follow(database: &Database, sizes: &watch::Sender<u64>) {
    loop {
        let ended = tokio::select! {
            () = sizes.closed() => return,
            ended = listen(database, sizes) => ended,
        };
        database.followers.0.store(true, Ordering::Relaxed);
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
        let mut listener = PgListener::connect_with(&database.listens).await?;
        listener.listen(CHANNEL).await?;
        let log_id = database.head().await?.identity.log_id;
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(announcement(log_id, FOLLOWS))
            .execute(&mut listener)
            .await?;
        loop {
            // First what was appended while nobody listened.
            publish(sizes, database.size().await?);
            database.followers.count(&mut listener).await?;
            if let Ok(lost) = tokio::time::timeout(POLL_INTERVAL, receive(&mut listener, log_id, sizes)).await {
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

/// Publishes what is announced, until somebody begins to follow, or the connection was lost and with it perhaps news.
async fn receive(listener: &mut PgListener, log_id: Uuid, sizes: &watch::Sender<u64>) -> sqlx::Result<()> {
    while let Some(notification) = listener.try_recv().await? {
        match announced(&notification, log_id) {
            Some(FOLLOWS) => return Ok(()),
            Some(size) => size.parse().into_iter().for_each(|size| publish(sizes, size)),
            None => {}
        }
    }
    Ok(())
}

fn announced(notification: &PgNotification, log_id: Uuid) -> Option<&str> {
    let (log, what) = notification.payload().split_once(' ')?;
    (log.parse() == Ok(log_id)).then_some(what)
}
