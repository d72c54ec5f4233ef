-- The log, version 1 of its schema.

-- Says whose tables these are. Other schema versions change everything but this table.
CREATE TABLE charthouse_log (schema_version bigint NOT NULL);
INSERT INTO charthouse_log VALUES (1);

CREATE TABLE log_head (
    one           smallint PRIMARY KEY CHECK (one = 1),
    log_id        uuid     NOT NULL,
    epoch         uuid     NOT NULL,
    size          bigint   NOT NULL,
    frontier      bytea    NOT NULL,   -- the right edge of the Merkle tree
    time_ms       bigint,              -- of the last leaf, in milliseconds since 1970
    oldest_writer bigint   NOT NULL    -- the oldest generation of program that may append
) WITH (fillfactor = 10);              -- the row is rewritten by every batch: leave room beside it

CREATE TABLE event (
    position  bigint PRIMARY KEY,      -- without gaps from 0
    stream    text   NOT NULL COLLATE "C",
    revision  bigint NOT NULL,         -- without gaps from 1 in each stream
    id        uuid   NOT NULL UNIQUE,
    type      text   NOT NULL,
    time_ms   bigint NOT NULL,
    leaf_hash bytea  NOT NULL,
    leaf      bytea  NOT NULL,         -- the event, byte for byte
    UNIQUE (stream, revision)
);
-- Leaves are too small to gain from compression, and reading one must cost no more than its bytes.
ALTER TABLE event ALTER COLUMN leaf SET STORAGE EXTERNAL;

CREATE FUNCTION an_event_is_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event is never altered (% on %)', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER event_is_never_altered BEFORE UPDATE OR DELETE OR TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION an_event_is_never_altered();

-- The owner of a table may grant this back to itself, so the trigger stands behind it.
REVOKE UPDATE, DELETE, TRUNCATE ON event FROM PUBLIC, CURRENT_USER;

-- What each command was answered.
CREATE TABLE command (
    actor    text   NOT NULL COLLATE "C",
    id       uuid   NOT NULL,
    request  bytea  NOT NULL,
    position bigint NOT NULL,
    events   bigint NOT NULL,
    PRIMARY KEY (actor, id)
);

-- The same for commands that changed nothing; forgotten after a day.
CREATE TABLE unchanged_command (
    actor         text   NOT NULL COLLATE "C",
    id            uuid   NOT NULL,
    request       bytea  NOT NULL,
    position      bigint NOT NULL,
    remembered_ms bigint NOT NULL,
    PRIMARY KEY (actor, id)
);

CREATE INDEX unchanged_command_by_age ON unchanged_command (remembered_ms);

-- One data key for each subject, wrapped by a master key. Destroying it erases all the subject's entries.
CREATE TABLE vault_key (
    subject text PRIMARY KEY COLLATE "C",
    master  bytea NOT NULL,            -- which master key wraps it
    wrapped bytea                      -- NULL once destroyed; the row stays, so that none is made again
);

CREATE TABLE vault_entry (
    digest     bytea PRIMARY KEY,      -- SHA-256 of the ciphertext
    subject    text  NOT NULL COLLATE "C",
    ciphertext bytea NOT NULL
);
