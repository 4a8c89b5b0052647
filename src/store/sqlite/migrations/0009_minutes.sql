-- The minutes of the line, for the charts of the stats tab: those of the last week. Times are in milliseconds since the Unix epoch.
CREATE TABLE minutes (
    node TEXT NOT NULL,
    at INTEGER NOT NULL,
    running INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    started INTEGER NOT NULL,
    waited_ms INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    browsers INTEGER NOT NULL,
    memory INTEGER,
    PRIMARY KEY (at, node)
) STRICT, WITHOUT ROWID;
