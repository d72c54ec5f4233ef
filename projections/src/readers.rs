//! Threads that answer questions, each with its own connection to one file.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{error::ViewError, file, inline::Inline, past, sql};

/// Most threads that answer questions; there are no more than processors, since answers come from memory.
const READERS_MAX: usize = 4;
/// Threads that answer questions about the past, which take longer and do not hold up the others.
const PAST_READERS: usize = 2;

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// What was asked of views since they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub questions: u64,
    /// SQL statements that it took to answer them.
    pub statements: u64,
}

#[derive(Default)]
pub(crate) struct Counter {
    questions: AtomicU64,
    statements: AtomicU64,
}

impl Counter {
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            questions: self.questions.load(Ordering::Relaxed),
            statements: self.statements.load(Ordering::Relaxed),
        }
    }

    /// Counts a question that is asked on this thread.
    pub(crate) fn counting<T>(&self, ask: impl FnOnce() -> T) -> T {
        let before = sql::statements();
        let answer = ask();
        let statements = sql::statements() - before;
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.statements.fetch_add(statements, Ordering::Relaxed);
        tracing::trace!(statements, "a question was asked of the views");
        answer
    }
}

/// The file that questions are answered from.
pub(crate) struct Live {
    pub(crate) generation: u64,
    pub(crate) now: Readers,
    pub(crate) past: Readers,
}

impl Live {
    pub(crate) fn start(generation: u64, path: &Path, counter: &Arc<Counter>) -> Result<Self, ViewError> {
        Ok(Self {
            generation,
            now: Readers::start(path, readers(), file::open_for_reading, counter)?,
            past: Readers::start(path, PAST_READERS, past::open, counter)?,
        })
    }
}

fn readers() -> usize {
    thread::available_parallelism().map_or(READERS_MAX, |processors| processors.get().clamp(2, READERS_MAX))
}

/// Dropping it ends the threads once they have answered what was asked.
pub(crate) struct Readers {
    questions: mpsc::Sender<Question>,
    inline: Inline,
    counter: Arc<Counter>,
}

impl Readers {
    pub(crate) fn start(
        path: &Path,
        threads: usize,
        open: fn(&Path) -> rusqlite::Result<Connection>,
        counter: &Arc<Counter>,
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
        let inline: rusqlite::Result<_> = (0..threads).map(|_| open(path)).collect();
        Ok(Self {
            questions,
            inline: Inline::new(inline?, Arc::clone(counter)),
            counter: Arc::clone(counter),
        })
    }

    /// Asks within one read transaction.
    pub(crate) async fn ask<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let counter = Arc::clone(&self.counter);
        let question = move |conn: &mut Connection| {
            // Whoever asked may have stopped waiting.
            if !answer.is_closed() {
                let _ = answer.send(counter.counting(|| in_one_moment(conn, question)));
            }
        };
        self.questions
            .send(Box::new(question))
            .map_err(|_| ViewError::Abandoned)?;
        answered.await.map_err(|_| ViewError::Abandoned)?
    }

    /// The same on this thread, as long as a connection is free for that.
    pub(crate) async fn ask_inline<T, Q>(&self, question: Q) -> Result<T, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        match self.inline.ask(question) {
            Ok(answer) => answer,
            Err(question) => self.ask(question).await,
        }
    }
}

/// As a transaction of the library would, but without preparing what begins and ends it again for every question.
pub(crate) fn in_one_moment<T>(
    conn: &Connection,
    question: impl FnOnce(&Connection) -> Result<T, ViewError>,
) -> Result<T, ViewError> {
    if !conn.is_autocommit() {
        // The last question panicked.
        conn.execute_batch("ROLLBACK")?;
    }
    let run = |sql| conn.prepare_cached(sql)?.execute([]);
    run("BEGIN")?;
    let answer = question(conn);
    run("COMMIT")?;
    answer
}
