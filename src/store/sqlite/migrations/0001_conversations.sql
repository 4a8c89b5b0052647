-- Ids are 16 bytes, times are milliseconds since the Unix epoch. Integer keys grow with every row, so that they also tell
-- what was stored first: the clock may be set back, keys are not.

CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id  BLOB NOT NULL UNIQUE CHECK (length(id) = 16)
) STRICT;

CREATE TABLE conversations (
    key        INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    id         BLOB NOT NULL CHECK (length(id) = 16),
    -- The id of a turn of this session. No foreign key: a conversation and its first turn come together, and every
    -- removal of a turn would have to look for conversations that show it.
    head       BLOB NOT NULL CHECK (length(head) = 16),
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    title      TEXT NOT NULL,
    UNIQUE (session, id)
) STRICT;

-- The list of conversations, page by page.
CREATE INDEX conversations_listed ON conversations (session, updated_at, key) WHERE deleted_at IS NULL;
-- What a purge looks for.
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX conversations_used ON conversations (updated_at);

-- The long texts come last: what stands before them is read without them.
CREATE TABLE turns (
    key           INTEGER PRIMARY KEY,
    session       INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    conversation  INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
    parent        INTEGER REFERENCES turns (key),
    -- Chosen by browsers: it counts only within its session.
    id            BLOB NOT NULL CHECK (length(id) = 16),
    state         TEXT NOT NULL,
    reason        TEXT,
    -- The place in the order of its line.
    tag           INTEGER,
    arrival       INTEGER,
    attempts      INTEGER NOT NULL,
    accepted_at   INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    -- Whether tokens were counted at all; each of the two may be missing.
    counted       INTEGER NOT NULL,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    model         TEXT NOT NULL,
    message       TEXT NOT NULL,
    answer        TEXT NOT NULL,
    UNIQUE (session, id),
    CHECK ((tag IS NULL) = (arrival IS NULL))
) STRICT;

-- A conversation's turns, as they were accepted.
CREATE INDEX turns_of_conversation ON turns (conversation);
-- The versions of a turn: those that follow the same one.
CREATE INDEX turns_by_parent ON turns (parent, conversation);
-- What a start has to bring back into the line.
CREATE INDEX turns_unfinished ON turns (conversation) WHERE state IN ('waiting', 'running');

CREATE TABLE files (
    key         INTEGER PRIMARY KEY,
    session     INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    mime        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    UNIQUE (session, id)
) STRICT;

CREATE INDEX files_uploaded ON files (uploaded_at);

-- Which turn carries which file.
CREATE TABLE turn_files (
    turn     INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    file     INTEGER NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    PRIMARY KEY (turn, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_files_of_file ON turn_files (file);

-- Files that are of no use any more and whose contents may still be there, should the server have ended before it removed
-- them. Each purge names those of the one before again.
CREATE TABLE orphans (
    id BLOB PRIMARY KEY CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
