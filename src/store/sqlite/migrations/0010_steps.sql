-- What tools were used in an answer, as a list in JSON; none: there were none.
ALTER TABLE turns ADD COLUMN steps TEXT;
-- Whether a conversation is answered without tools.
ALTER TABLE choices ADD COLUMN without_tools INTEGER NOT NULL DEFAULT 0;

-- What an owner has said of a tool for a whole conversation.
CREATE TABLE leaves (
    conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
    tool         TEXT NOT NULL,
    -- The version of the tool that it was said of.
    fingerprint  TEXT NOT NULL,
    allowed      INTEGER NOT NULL,
    PRIMARY KEY (conversation, tool)
) STRICT, WITHOUT ROWID;

-- The files that tools have returned.
CREATE TABLE step_files (
    turn INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
    file INTEGER NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    PRIMARY KEY (turn, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX step_files_of_file ON step_files (file);
