//! What somebody with the rights of the database's owner can do to the log.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::evidence::{frontier, leaf_hash};

/// The log's database, with nothing in the way.
pub struct Database {
    connection: Connection,
}

impl Database {
    /// Opens the log of a data folder on which no server runs, and takes its locks off.
    ///
    /// # Panics
    ///
    /// If it is not there.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let connection = Connection::open(data.join("log.db")).expect("the log can be opened");
        let database = Self { connection };
        for trigger in ["updated", "deleted", "replaced"] {
            database.run(&format!("DROP TRIGGER event_is_never_{trigger}"));
        }
        database
    }

    /// # Panics
    ///
    /// If the statements fail.
    pub fn run(&self, sql: &str) {
        self.connection.execute_batch(sql).expect("the statements run");
    }

    /// All leaves, in order.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn leaves(&self) -> Vec<Vec<u8>> {
        let mut statement = self
            .connection
            .prepare("SELECT leaf FROM event ORDER BY position")
            .expect("there are events");
        let leaves = statement.query_map([], |row| row.get(0)).expect("they can be read");
        leaves.map(|leaf| leaf.expect("a leaf is a blob")).collect()
    }

    /// Puts another leaf in the place of one, with or without its hash.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn replace(&self, position: usize, leaf: &[u8], and_its_hash: bool) {
        let update = "UPDATE event SET leaf = ?2, leaf_hash = iif(?4, ?3, leaf_hash) WHERE position = ?1";
        let changed = self
            .connection
            .execute(update, params![position as i64, leaf, leaf_hash(leaf), and_its_hash]);
        assert_eq!(changed, Ok(1));
    }

    /// Makes size and tree of the log those of the events that are there.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn cover_up(&self) {
        let leaves = self.leaves();
        let update = "UPDATE log_head SET size = ?, frontier = ?";
        let changed = self
            .connection
            .execute(update, params![leaves.len() as i64, frontier(&leaves)]);
        assert_eq!(changed, Ok(1));
    }
}

/// Brings what lies in the write-ahead log beside a SQLite file into the file itself.
///
/// # Panics
///
/// If it is no such file, or somebody has it open.
pub fn settle(file: &Path) {
    let connection = Connection::open(file).expect("the file opens");
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("nobody else has it open");
}
