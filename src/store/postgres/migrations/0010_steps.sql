-- What tools were used in an answer, as a list in JSON; none: there were none.
ALTER TABLE turns ADD COLUMN steps text;
-- Whether a conversation is answered without tools.
ALTER TABLE choices ADD COLUMN without_tools boolean NOT NULL DEFAULT false;

-- What an owner has said of a tool for a whole conversation.
CREATE TABLE leaves (
    conversation bigint NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
    tool         text NOT NULL,
    -- The version of the tool that it was said of.
    fingerprint  text NOT NULL,
    allowed      boolean NOT NULL,
    PRIMARY KEY (conversation, tool)
);

-- The files that tools have returned.
CREATE TABLE step_files (
    turn bigint NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
    file bigint NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    PRIMARY KEY (turn, file)
);

CREATE INDEX step_files_of_file ON step_files (file);
