-- Messages that stand behind another one of their conversation. Each becomes a turn, under the same id, once the one before it is answered;
-- their keys are their order.
CREATE TABLE follow_ups (
    key          INTEGER PRIMARY KEY,
    owner        INTEGER NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    created_at   INTEGER NOT NULL,
    -- Why it does not go by itself any more; none: it does.
    held         TEXT,
    message      TEXT NOT NULL,
    UNIQUE (owner, id)
) STRICT;

CREATE INDEX follow_ups_of_conversation ON follow_ups (conversation);

CREATE TABLE follow_up_files (
    follow_up INTEGER NOT NULL REFERENCES follow_ups (key) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    file      INTEGER NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    PRIMARY KEY (follow_up, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX follow_up_files_of_file ON follow_up_files (file);
