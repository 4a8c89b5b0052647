-- What a reader thinks of an answer: 1 it was good, -1 it was not; no row: nothing was said.
CREATE TABLE ratings (
    turn   INTEGER PRIMARY KEY REFERENCES turns (key) ON DELETE CASCADE,
    rating INTEGER NOT NULL CHECK (rating IN (1, -1))
) STRICT;
