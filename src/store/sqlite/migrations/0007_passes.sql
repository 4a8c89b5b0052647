-- Passes: one-time links that let another device see a conversation, or be its owner's. Times are in milliseconds since the Unix epoch.
CREATE TABLE passes (
    key          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
    -- SHA-256 of what stands in the link, which is kept nowhere, in hexadecimal digits.
    digest       TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
    kind         TEXT NOT NULL CHECK (kind IN ('watch', 'move')),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER,
    revoked_at   INTEGER,
    -- Likewise of the cookie of whoever has used it.
    guest        TEXT CHECK (length(guest) = 64)
) STRICT;

CREATE INDEX passes_of_conversation ON passes (conversation);
