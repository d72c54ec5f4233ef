//! Connections for questions that are answered on the thread that asks them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use crate::{
    error::ViewError,
    readers::{Counter, in_one_moment},
};

/// Connections to one file. Each is at most in one question.
pub(crate) struct Inline {
    free: Mutex<Vec<Connection>>,
    counter: Arc<Counter>,
}

impl Inline {
    pub(crate) fn new(connections: Vec<Connection>, counter: Arc<Counter>) -> Self {
        Self {
            free: Mutex::new(connections),
            counter,
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks within one read transaction. The question comes back if no connection is free.
    pub(crate) fn ask<T, Q>(&self, question: Q) -> Result<Result<T, ViewError>, Q>
    where
        Q: FnOnce(&Connection) -> Result<T, ViewError>,
    {
        let Some(conn) = self.free().pop() else {
            return Err(question);
        };
        let ask = || self.counter.counting(|| in_one_moment(&conn, question));
        let answer = catch_unwind(AssertUnwindSafe(ask));
        self.free().push(conn);
        Ok(answer.unwrap_or(Err(ViewError::Abandoned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many questions are asked within each other before one comes back.
    fn depth(inline: &Inline) -> usize {
        match inline.ask(|_| Ok(depth(inline))) {
            Ok(within) => 1 + within.unwrap(),
            Err(_) => 0,
        }
    }

    #[test]
    fn a_question_comes_back_once_as_many_are_asked_as_there_are_connections_and_only_then() {
        let connections = (0..3).map(|_| Connection::open_in_memory().unwrap());
        let counter = Arc::<Counter>::default();
        let inline = Inline::new(connections.collect(), Arc::clone(&counter));
        for _ in 0..2 {
            assert_eq!(depth(&inline), 3);
        }
        assert_eq!(counter.asked().questions, 6);
    }
}
