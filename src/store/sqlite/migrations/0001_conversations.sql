-- Times are milliseconds since the Unix epoch. Ids are UUIDs, as 16 bytes.

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id BLOB NOT NULL PRIMARY KEY,
    session BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The last turn that is shown; those before it follow from turns.parent.
    head BLOB NOT NULL,
    -- Set while it can still be brought back.
    deleted_at INTEGER
) STRICT;

CREATE INDEX conversations_by_use ON conversations (session, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX conversations_by_age ON conversations (updated_at);
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE turns (
    -- The order of acceptance.
    number INTEGER PRIMARY KEY,
    -- Chosen by a browser, so it counts only together with the session.
    id BLOB NOT NULL,
    session BLOB NOT NULL,
    conversation BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- The turn it follows; those that follow the same one are versions of each other.
    parent BLOB,
    message TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')),
    reason TEXT,
    answer TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    attempts INTEGER NOT NULL,
    -- Its place in the order of its line, if it ever waited.
    tag INTEGER,
    arrival INTEGER,
    UNIQUE (session, id)
) STRICT;

CREATE INDEX turns_by_parent ON turns (conversation, parent);
CREATE INDEX turns_unfinished ON turns (state) WHERE state IN ('waiting', 'running');

CREATE TABLE files (
    id BLOB NOT NULL PRIMARY KEY,
    session BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('text', 'image')),
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX files_by_session ON files (session);
CREATE INDEX files_by_age ON files (uploaded_at);

-- Which turn carries which files.
CREATE TABLE turn_files (
    turn INTEGER NOT NULL REFERENCES turns (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    file BLOB NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    PRIMARY KEY (turn, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX turn_files_by_file ON turn_files (file);
