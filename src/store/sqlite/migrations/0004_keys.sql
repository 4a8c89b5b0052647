-- The keys of programs. A row is never removed, and nothing of it changes but that it is revoked: so how many there are, and how many of
-- them are revoked, tells whether somebody else has changed anything.
CREATE TABLE keys (
    key        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    -- SHA-256 of what its program sends, which is kept nowhere, in hexadecimal digits.
    digest     TEXT NOT NULL CHECK (length(digest) = 64),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- The name of one that is revoked may be given again.
CREATE UNIQUE INDEX keys_named ON keys (name) WHERE revoked_at IS NULL;
