//! The view file: a cache of the log, which may be deleted at any time.

use std::path::Path;

use eventstore::EventStore;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use crate::{
    accounts, apps, audit, categories,
    checkpoint::{self, Checkpoint},
    clusters, content, decisions,
    error::ViewError,
    generations::Generations,
    health, past, releases, reviews, sessions, sql, storefront, tenancy, tokens,
};

/// Prepared statements a connection keeps: more than there are shapes of queries times a few page sizes.
const STATEMENTS_KEPT: usize = 256;
/// All of any file; `.cargo/config.toml` makes the library allow it.
const MMAP_MAX_BYTES: i64 = 1 << 40;
const CACHE_MAX_KIB: i64 = 8 * 1024;
/// How many pages are written before they go into the file, where the same few change with every event. More of them would
/// stay in the memory of every connection.
const WAL_PAGES: i64 = 2_000;
/// Whoever only reads reads the file where it is mapped; in its own memory are pages that are not in the file yet.
const READER_CACHE_MAX_KIB: i64 = 512;
const SCRATCH_CACHE_MAX_KIB: i64 = 64 * 1024;

/// Opens the highest generation of the view that this program made of `log`; if there is none, an empty one above the
/// others, which are left alone.
pub(crate) async fn open(files: &Generations, log: &EventStore) -> Result<(u64, Connection), ViewError> {
    for generation in files.present()? {
        if let Some(conn) = usable(&files.path(generation), log).await? {
            return Ok((generation, conn));
        }
    }
    let generation = files.next()?;
    if generation > 0 {
        tracing::info!("the views are not of this log or program, and are built anew");
    }
    Ok((generation, create(&files.path(generation), log)?))
}

/// The file, opened for writing, if it is a view of `log` made by this program.
pub(crate) async fn usable(path: &Path, log: &EventStore) -> Result<Option<Connection>, ViewError> {
    let Some((conn, checkpoint)) = existing(path)? else {
        return Ok(None);
    };
    Ok(checkpoint.holds(log).await?.then_some(conn))
}

/// Whether the file is a view of `log` made by this program. It is only read.
pub(crate) async fn is_usable(path: &Path, log: &EventStore) -> Result<bool, ViewError> {
    Ok(readable(path, log).await?.is_some())
}

/// The file, opened for reading, if it is a view of `log` made by this program.
pub(crate) async fn readable(path: &Path, log: &EventStore) -> Result<Option<Connection>, ViewError> {
    let Some((conn, checkpoint)) = checked(open_for_reading(path))? else {
        return Ok(None);
    };
    Ok(checkpoint.holds(log).await?.then_some(conn))
}

/// A connection that cannot write.
pub(crate) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    tune(&conn)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_MAX_KIB)?;
    Ok(conn)
}

/// The file with its checkpoint; `None` if there is no file, or it is not a view.
fn existing(path: &Path) -> Result<Option<(Connection, Checkpoint)>, ViewError> {
    if !path.exists() {
        return Ok(None);
    }
    checked(open_for_writing(path))
}

fn checked(opened: rusqlite::Result<Connection>) -> Result<Option<(Connection, Checkpoint)>, ViewError> {
    let opened = opened.and_then(|conn| Ok(Checkpoint::read(&conn)?.map(|found| (conn, found))));
    match opened {
        Ok(found) => Ok(found),
        Err(error) if is_unusable(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Another program's file, another schema, or a damaged file: not a failure of the disk.
fn is_unusable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
    )
}

/// Indexes of tables that nothing is looked up in while events are applied. Made once the rows are there, they are made in
/// one go; kept up row by row, they take longer than all the rest.
pub(crate) struct DeferredIndexes(Vec<String>);

impl DeferredIndexes {
    /// Drops them.
    pub(crate) fn of(conn: &Connection) -> rusqlite::Result<Self> {
        const FOUND: &str = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
            AND (tbl_name IN ('audit', 'release', 'app', 'queue', 'store_entry') OR tbl_name LIKE '%\\_history' ESCAPE '\\'
                 OR name IN ('decision_of_app', 'decision_of_workspace'))
            AND tbl_name <> 'store_entry_history'";
        let found: Vec<(String, String)> = sql::rows(conn, FOUND, vec![], |c| Ok((c.take()?, c.take()?)))?;
        for (name, _) in &found {
            conn.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        Ok(Self(found.into_iter().map(|(_, sql)| sql).collect()))
    }

    pub(crate) fn make(&self, conn: &Connection) -> rusqlite::Result<()> {
        self.0.iter().try_for_each(|sql| conn.execute_batch(sql))
    }
}

/// A new view for this process alone, which is lost if it is killed.
pub(crate) fn create_scratch(path: &Path, log: &EventStore) -> Result<Connection, ViewError> {
    let mut conn = Connection::open(path)?;
    // Whatever fails, the file is thrown away: nothing is ever taken back in it.
    conn.pragma_update(None, "journal_mode", "OFF")?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    tune(&conn)?;
    conn.pragma_update(None, "cache_size", -SCRATCH_CACHE_MAX_KIB)?;
    lay_out(&mut conn, log)?;
    Ok(conn)
}

fn create(path: &Path, log: &EventStore) -> Result<Connection, ViewError> {
    let mut conn = open_for_writing(path)?;
    lay_out(&mut conn, log)?;
    Ok(conn)
}

fn lay_out(conn: &mut Connection, log: &EventStore) -> Result<(), ViewError> {
    let tx = conn.transaction()?;
    for schema in [
        checkpoint::SCHEMA,
        content::SCHEMA,
        releases::SCHEMA,
        tenancy::SCHEMA,
        clusters::SCHEMA,
        health::SCHEMA,
        accounts::SCHEMA,
        sessions::SCHEMA,
        tokens::SCHEMA,
        audit::SCHEMA,
        decisions::SCHEMA,
    ] {
        tx.execute_batch(schema)?;
    }
    storefront::create(&tx)?;
    apps::create(&tx)?;
    reviews::create(&tx)?;
    categories::create(&tx)?;
    Checkpoint::start(log.identity()).insert(&tx)?;
    Ok(tx.commit()?)
}

/// Writes the file anew, so that nothing lies on in it of rows that were deleted: neither in free pages nor in the
/// index, nor in the write-ahead log. Rarely needed, and a view can be had again, so a failure is only told.
pub(crate) fn scrub(conn: &Connection) {
    let scrubbed = conn.execute_batch(
        "INSERT INTO store_text (store_text) VALUES ('optimize');
         INSERT INTO past_store_text (past_store_text) VALUES ('optimize');
         VACUUM; PRAGMA wal_checkpoint(TRUNCATE);",
    );
    if let Err(error) = scrubbed {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "text that was removed may still be in free pages of the view file; delete the file to be sure"
        );
    }
}

fn open_for_writing(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // What a crash takes is read from the log again.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    tune(&conn)?;
    Ok(conn)
}

fn tune(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // A plan never depends on the values that are bound, so no statement is prepared again because they changed.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "mmap_size", MMAP_MAX_BYTES)?;
    conn.pragma_update(None, "cache_size", -CACHE_MAX_KIB)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.execute_batch(past::SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_mapped_however_large_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open_for_writing(&folder.path().join("views.db")).unwrap();
        let allowed: i64 = conn.pragma_query_value(None, "mmap_size", |row| row.get(0)).unwrap();
        assert_eq!(
            allowed, MMAP_MAX_BYTES,
            "the library was built with `.cargo/config.toml`"
        );
    }
}
