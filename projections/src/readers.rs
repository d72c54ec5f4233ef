//! Threads that answer questions, each with its own connection.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use eventstore::EventStore;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{checkpoint::Checkpoint, error::ViewError, file};

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// Asks the views, and cannot change them. Clones share their threads.
#[derive(Clone)]
pub struct ViewReader(Arc<Readers>);

impl ViewReader {
    pub(crate) const fn new(readers: Arc<Readers>) -> Self {
        Self(readers)
    }

    /// Opens the views of `log` kept in the file at `path`, beside the process that keeps them.
    ///
    /// # Errors
    ///
    /// [`ViewError::Stale`] if this program did not make them from this log.
    pub async fn open(path: &Path, log: &EventStore) -> Result<Self, ViewError> {
        let found = Checkpoint::read(&file::open_for_reading(path)?)?;
        let is_of_log = match found {
            Some(checkpoint) => checkpoint.holds(log).await?,
            None => false,
        };
        if !is_of_log {
            return Err(ViewError::Stale(path.to_owned()));
        }
        let readers = Readers::start(path, 1, file::open_for_reading)?;
        Ok(Self(Arc::new(readers)))
    }

    /// Asks a question, on a thread that may wait for the disk. All it reads is of one moment, whose position
    /// [`position`](crate::position) tells.
    ///
    /// # Errors
    ///
    /// What the question answers; [`ViewError::Abandoned`] if it panicked.
    pub async fn read<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        self.0.ask(question).await
    }
}

/// Dropping it ends the threads once they have answered what was asked.
pub(crate) struct Readers {
    questions: mpsc::Sender<Question>,
}

impl Readers {
    pub(crate) fn start(
        path: &Path,
        threads: usize,
        open: fn(&Path) -> rusqlite::Result<Connection>,
    ) -> Result<Self, ViewError> {
        let (questions, asked) = mpsc::channel::<Question>();
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..threads {
            let mut conn = open(path)?;
            let asked = Arc::clone(&asked);
            let answer = move || {
                // The lock is held while waiting, so that the next question wakes exactly one thread.
                let next = || asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok(question) = next() {
                    // A question that panics is abandoned; the thread and its connection go on.
                    let _ = catch_unwind(AssertUnwindSafe(|| question(&mut conn)));
                }
            };
            let spawned = thread::Builder::new().name("views-reader".to_owned()).spawn(answer);
            spawned.map_err(|source| ViewError::File {
                path: path.to_owned(),
                source,
            })?;
        }
        Ok(Self { questions })
    }

    /// Asks within one read transaction.
    pub(crate) async fn ask<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let question = move |conn: &mut Connection| {
            // Whoever asked may have stopped waiting.
            if !answer.is_closed() {
                let _ = answer.send(in_one_moment(conn, question));
            }
        };
        self.questions
            .send(Box::new(question))
            .map_err(|_| ViewError::Abandoned)?;
        answered.await.map_err(|_| ViewError::Abandoned)?
    }
}

fn in_one_moment<T>(
    conn: &mut Connection,
    question: impl FnOnce(&Connection) -> Result<T, ViewError>,
) -> Result<T, ViewError> {
    let tx = conn.transaction()?;
    let answer = question(&tx)?;
    tx.commit()?;
    Ok(answer)
}
