-- The minutes of the line, for the charts of the stats tab: those of the last week, of each node its own. Times are in milliseconds since
-- the Unix epoch.
CREATE TABLE minutes (
    node text NOT NULL,
    at bigint NOT NULL,
    running bigint NOT NULL,
    waiting bigint NOT NULL,
    started bigint NOT NULL,
    waited_ms bigint NOT NULL,
    ended bigint NOT NULL,
    browsers bigint NOT NULL,
    memory bigint,
    PRIMARY KEY (at, node)
);
