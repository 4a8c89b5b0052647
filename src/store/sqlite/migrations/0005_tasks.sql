-- Requests to models that are kept until they are answered, and for a while after that. What is taken in together is a batch.

CREATE TABLE batches (
    key         INTEGER PRIMARY KEY,
    owner       INTEGER NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    -- The key that its program gave it, so that it can be sent again.
    idempotency TEXT,
    -- Of its text: two with the same key have to be the same.
    hash        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When the last of its tasks was over.
    ended_at    INTEGER,
    count       INTEGER NOT NULL,
    -- How many of them are not over, and how many are.
    open        INTEGER NOT NULL,
    ended       INTEGER NOT NULL,
    url         TEXT,
    secret      TEXT,
    UNIQUE (owner, idempotency)
) STRICT;

-- What a purge looks for.
CREATE INDEX batches_ended ON batches (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE tasks (
    key           INTEGER PRIMARY KEY,
    owner         INTEGER NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    batch         INTEGER NOT NULL REFERENCES batches (key) ON DELETE CASCADE,
    id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name          TEXT,
    priority      INTEGER NOT NULL,
    -- open: it is in the line, or stands behind it.
    state         TEXT NOT NULL,
    reason        TEXT,
    -- How many tasks it waits for.
    blocked       INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    -- How many of these the end of a server has cut short.
    stopped       INTEGER NOT NULL DEFAULT 0,
    -- The how manieth of its batch that was over.
    ordinal       INTEGER,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    counted       INTEGER NOT NULL,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    model         TEXT NOT NULL,
    metadata      TEXT,
    request       TEXT NOT NULL,
    result        TEXT
) STRICT;

CREATE INDEX tasks_of_owner ON tasks (owner, key);
CREATE INDEX tasks_of_batch ON tasks (batch, ordinal);
-- What has to go on.
CREATE INDEX tasks_open ON tasks (owner) WHERE state IN ('open', 'running');

-- Which task is asked only once another one is done.
CREATE TABLE task_needs (
    task  INTEGER NOT NULL REFERENCES tasks (key) ON DELETE CASCADE,
    needs INTEGER NOT NULL REFERENCES tasks (key) ON DELETE CASCADE,
    PRIMARY KEY (task, needs)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_needs_of ON task_needs (needs);

-- What programs are still to be told: that a task is over, or all of a batch.
CREATE TABLE deliveries (
    key        INTEGER PRIMARY KEY,
    owner      INTEGER NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    batch      INTEGER NOT NULL REFERENCES batches (key) ON DELETE CASCADE,
    task       INTEGER REFERENCES tasks (key) ON DELETE CASCADE,
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- When it is tried next; none: it is given up.
    due_at     INTEGER
) STRICT;

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_batch ON deliveries (batch);
CREATE INDEX deliveries_of_task ON deliveries (task);
CREATE INDEX deliveries_of_owner ON deliveries (owner);
