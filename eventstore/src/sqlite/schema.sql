-- The log, version 1 of its schema (see user_version).

CREATE TABLE log_head (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    log_id        BLOB    NOT NULL,
    epoch         BLOB    NOT NULL,
    size          INTEGER NOT NULL,
    frontier      BLOB    NOT NULL,   -- the right edge of the Merkle tree
    time_ms       INTEGER,            -- of the last leaf, in milliseconds since 1970
    oldest_writer INTEGER NOT NULL    -- the oldest generation of program that may append
) STRICT;

CREATE TABLE event (
    position  INTEGER PRIMARY KEY,    -- without gaps from 0; the rowid, so the feed is a table scan
    stream    TEXT    NOT NULL,
    revision  INTEGER NOT NULL,       -- without gaps from 1 in each stream
    id        BLOB    NOT NULL UNIQUE,
    type      TEXT    NOT NULL,
    time_ms   INTEGER NOT NULL,
    leaf_hash BLOB    NOT NULL,
    leaf      BLOB    NOT NULL,       -- the event, byte for byte
    UNIQUE (stream, revision)
) STRICT;

CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'an event is never updated');
END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'an event is never deleted');
END;

-- INSERT OR REPLACE deletes without firing the trigger above.
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event
WHEN NEW.position <> (SELECT coalesce(max(position) + 1, 0) FROM event)
  OR EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM event WHERE stream = NEW.stream AND revision = NEW.revision)
BEGIN
    SELECT RAISE(ABORT, 'an event is added at the end, under a new id and a new revision');
END;

-- What each command was answered.
CREATE TABLE command (
    actor    TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    request  BLOB    NOT NULL,
    position INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY (actor, id)
) STRICT, WITHOUT ROWID;

-- The same for commands that changed nothing; forgotten after a day.
CREATE TABLE unchanged_command (
    actor         TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    request       BLOB    NOT NULL,
    position      INTEGER NOT NULL,
    remembered_ms INTEGER NOT NULL,
    PRIMARY KEY (actor, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX unchanged_command_by_age ON unchanged_command (remembered_ms);

-- One data key for each subject, wrapped by a master key. Destroying it erases all the subject's entries.
CREATE TABLE vault_key (
    subject TEXT PRIMARY KEY,
    master  BLOB NOT NULL,            -- which master key wraps it
    wrapped BLOB                      -- NULL once destroyed; the row stays, so that none is made again
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_entry (
    digest     BLOB PRIMARY KEY,      -- SHA-256 of the ciphertext
    subject    TEXT NOT NULL,
    ciphertext BLOB NOT NULL
) STRICT;
