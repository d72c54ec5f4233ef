//! The one connection that appends, between two batches.
//!
//! A pool would test the connection whenever it comes back, which for a small append is a good part
//! of the whole. Here a connection comes back only after its transaction ended well, so it needs no test.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};

/// Longest wait for a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Spare<C: Connection> {
    options: C::Options,
    slot: Arc<Mutex<Slot<C>>>,
}

/// A connection to append with.
pub(crate) enum Taken<C> {
    Kept(C),
    New(C),
}

impl<C> Taken<C> {
    pub(crate) fn into_inner(self) -> C {
        match self {
            Self::Kept(connection) | Self::New(connection) => connection,
        }
    }
}

enum Slot<C> {
    Empty,
    Kept(C),
    Closed,
}

impl<C: Connection> Clone for Spare<C> {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            slot: Arc::clone(&self.slot),
        }
    }
}

impl<C: Connection> Spare<C> {
    pub(crate) fn new(options: C::Options) -> Self {
        Self {
            options,
            slot: Arc::new(Mutex::new(Slot::Empty)),
        }
    }

    /// The connection that was kept, or a new one.
    pub(crate) async fn take(&self) -> sqlx::Result<Taken<C>> {
        match self.exchange(Slot::Empty) {
            Slot::Kept(connection) => Ok(Taken::Kept(connection)),
            Slot::Empty => connect(&self.options).await.map(Taken::New),
            Slot::Closed => {
                self.exchange(Slot::Closed);
                Err(sqlx::Error::PoolClosed)
            }
        }
    }

    /// Keeps `connection`, which is in no transaction, for the next one.
    pub(crate) fn put_back(&self, connection: C) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*slot, Slot::Closed) {
            *slot = Slot::Kept(connection);
        }
    }

    pub(crate) async fn close(&self) {
        if let Slot::Kept(connection) = self.exchange(Slot::Closed)
            && let Err(error) = connection.close().await
        {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the connection that appends was not closed in order"
            );
        }
    }

    fn exchange(&self, with: Slot<C>) -> Slot<C> {
        std::mem::replace(&mut *self.slot.lock().unwrap_or_else(PoisonError::into_inner), with)
    }
}

/// Connects, or gives up in time.
pub(crate) async fn connect<C: Connection>(options: &C::Options) -> sqlx::Result<C> {
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    connected.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}
