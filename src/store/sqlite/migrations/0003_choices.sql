-- What a conversation's owner has chosen for it; no row: nothing. A table of its own, for instructions may be long, and a conversation's
-- row is written anew with every message.
CREATE TABLE choices (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (key) ON DELETE CASCADE,
    model        TEXT,
    temperature  REAL,
    max_tokens   INTEGER,
    instructions TEXT NOT NULL
) STRICT;

-- The back end that answered.
ALTER TABLE turns ADD COLUMN backend TEXT;
-- What its reader should know of an answer, as a list in JSON.
ALTER TABLE turns ADD COLUMN notices TEXT NOT NULL DEFAULT '[]';
-- How long it thought before its first words, in milliseconds.
ALTER TABLE turns ADD COLUMN thought_ms INTEGER;
-- What the model thought before and between.
ALTER TABLE turns ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';
