-- What somebody has given for a server of tools that wants something of each person's own.
CREATE TABLE credentials (
    owner    bigint NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    -- The server's name.
    server   text NOT NULL,
    -- Encrypted, with a key that is not in the database.
    sealed   text NOT NULL,
    -- Milliseconds since the Unix epoch.
    given_at bigint NOT NULL,
    PRIMARY KEY (owner, server)
);
