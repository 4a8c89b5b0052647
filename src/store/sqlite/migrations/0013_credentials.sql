-- What somebody has given for a server of tools that wants something of each person's own.
CREATE TABLE credentials (
    owner    INTEGER NOT NULL REFERENCES owners (key) ON DELETE CASCADE,
    -- The server's name.
    server   TEXT NOT NULL,
    -- Encrypted, with a key that is not in the database.
    sealed   TEXT NOT NULL,
    -- Milliseconds since the Unix epoch.
    given_at INTEGER NOT NULL,
    PRIMARY KEY (owner, server)
) STRICT, WITHOUT ROWID;
