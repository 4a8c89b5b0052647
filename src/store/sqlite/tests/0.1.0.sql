-- A database as version 0.1.0 has left it: its tables as that version made them, what its migrations noted, and rows as it wrote them. It is what people have on
-- their disks, so it is never changed.

PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;

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

CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);

INSERT INTO _sqlx_migrations VALUES (1, 'conversations', '2026-11-21 21:30:00', 1, x'ff2e78ba4c25019123284698252c5a9dd82af38ca03a423bf3a923b4d927b2468ed977257677b955754c38b77de64119', 1250000);

INSERT INTO sessions (key, id) VALUES (1, x'0123456789abcdef0123456789abcdef'), (2, x'fedcba9876543210fedcba9876543210');

INSERT INTO conversations (key, session, id, head, updated_at, deleted_at, title) VALUES
    (1, 1, x'0193500000007000800000000000000a', x'01935000000070008000000000000005', 1795296060000, NULL, 'Which apples keep longest?'),
    (2, 1, x'0193500000007000800000000000000b', x'01935000000070008000000000000006', 1795296070000, NULL, 'And pears?'),
    (3, 2, x'0193500000007000800000000000000c', x'01935000000070008000000000000007', 1795296080000, NULL, 'Somebody else''s');

INSERT INTO turns (key, session, conversation, parent, id, state, reason, tag, arrival, attempts, accepted_at, started_at, ended_at, counted, input_tokens,
                   output_tokens, model, message, answer) VALUES
    (1, 1, 1, NULL, x'01935000000070008000000000000001', 'done', NULL, 1, 0, 1, 1795296000000, 1795296000100, 1795296003000, 1, 12, 34, 'loopback@openai',
        'Which apples keep longest?', 'Late ones: **Boskoop**, for example.'),
    (2, 1, 1, 1, x'01935000000070008000000000000002', 'failed', 'The model server cannot be reached. It may be starting or stopped; try again in a moment.', 2, 1, 1,
        1795296010000, 1795296010100, 1795296012000, 0, NULL, NULL, 'loopback@openai', 'How cold?', ''),
    (3, 1, 1, 2, x'01935000000070008000000000000003', 'expired', 'No slot became free within 10 minutes. Try again when the line is shorter.', 3, 2, 0,
        1795296020000, NULL, 1795296620000, 0, NULL, NULL, 'loopback@openai', 'And how dark?', ''),
    (4, 1, 1, 3, x'01935000000070008000000000000004', 'done', 'length', 4, 3, 1, 1795296630000, 1795296630100, 1795296640000, 1, 20, 512, 'loopback@openai',
        'Tell me all.', 'It begins with'),
    (5, 1, 1, 4, x'01935000000070008000000000000005', 'cancelled', NULL, 5, 4, 0, 1795296650000, NULL, 1795296651000, 0, NULL, NULL, 'loopback@openai', 'Never mind.', ''),
    (6, 1, 2, NULL, x'01935000000070008000000000000006', 'waiting', NULL, 6, 5, 0, 1795296660000, NULL, NULL, 0, NULL, NULL, 'loopback@openai', 'And pears?', ''),
    (7, 2, 3, NULL, x'01935000000070008000000000000007', 'done', NULL, 7, 6, 1, 1795296670000, 1795296670100, 1795296673000, 0, NULL, NULL, 'loopback@openai',
        'A secret', 'A secret''s answer');

INSERT INTO files (key, session, id, name, kind, mime, size, uploaded_at) VALUES
    (1, 1, x'01935000000070008000000000000f01', 'apples.txt', 'text', 'text/plain', 12, 1795295990000);

INSERT INTO turn_files (turn, position, file) VALUES (1, 0, 1);
