-- Several processes over one database, each with a row in `nodes`, and the log of what they do to the line. Who has no row any more has been
-- declared gone, and can write nothing. Times of the log are nanoseconds since the Unix epoch.

-- What it has appended last.
ALTER TABLE nodes ADD COLUMN sequence bigint NOT NULL DEFAULT 0;
-- Where the other nodes reach it; none: it has the database to itself. Two that start at once with the same one find out by this.
ALTER TABLE nodes ADD COLUMN address text UNIQUE;

-- How often each has said that it is there, and what it had applied of the log then. Beside `nodes`, for whoever writes has his row there to himself until his commit, and saying
-- that one is there shall wait for nobody's commit.
CREATE TABLE beats (
    node    uuid PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
    count   bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0
);

CREATE TABLE log (
    number   bigint PRIMARY KEY,
    at       bigint NOT NULL,
    node     uuid NOT NULL,
    sequence bigint NOT NULL,
    payload  bytea NOT NULL,
    -- Of this and all before it.
    digest   bytea NOT NULL
);

-- One row, made when the log is first opened: the end of the log, which whoever appends has to himself until his commit. So numbers have no
-- gap and are committed in order.
CREATE TABLE log_head (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    at     bigint NOT NULL,
    digest bytea NOT NULL
);

-- One row, made with it: the whole state at some number of the log; what comes before it may be gone. Whoever writes it, which takes a
-- while, holds up nobody who appends.
CREATE TABLE log_snapshot (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    number   bigint NOT NULL,
    snapshot bytea NOT NULL
);

-- Which process uploads it: as long as that one is there, it may still finish it, or note what it has finished.
ALTER TABLE contents ADD COLUMN node uuid;

-- Appends. `status` is what has come of it: written, already, nothing or fenced; nothing of it ends the transaction in which it runs. To be sent
-- in one message with the commit: the end of the log is then held only while the server itself is at work, whatever becomes of the client.
CREATE FUNCTION log_append(
    me uuid, my_sequence bigint, is_gone uuid[], unless_node uuid, unless_beats bigint, entry bytea,
    OUT status text, OUT number bigint, OUT at bigint, OUT digest bytea
) LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    SELECT sequence INTO last FROM nodes WHERE id = me FOR UPDATE;
    IF last IS NULL THEN
        status := 'fenced';
        RETURN;
    END IF;
    IF my_sequence <= last THEN
        status := 'already';
        RETURN;
    END IF;
    -- What those are writing who are declared gone is waited for, before the end of the log is taken. Two that declare each other gone may wait
    -- for each other: the server finds out, ends one, and that one finds that it is gone.
    PERFORM FROM nodes WHERE id = ANY (is_gone) AND id <> me ORDER BY id FOR UPDATE;
    IF unless_node IS NOT NULL THEN
        -- A beat at this moment is waited for, and then counts; one that comes later finds no row.
        PERFORM FROM beats WHERE node = unless_node AND count = unless_beats FOR UPDATE;
        IF NOT FOUND THEN
            status := 'nothing';
            RETURN;
        END IF;
    END IF;
    UPDATE nodes SET sequence = my_sequence WHERE id = me;
    DELETE FROM nodes WHERE id = ANY (is_gone);
    SELECT h.number + 1, greatest(h.at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000), h.digest
        INTO STRICT number, at, digest FROM log_head h FOR UPDATE;
    digest := sha256(digest || int8send(number) || int8send(at) || uuid_send(me) || int8send(my_sequence) || entry);
    UPDATE log_head h SET number = log_append.number, at = log_append.at, digest = log_append.digest;
    INSERT INTO log VALUES (number, at, me, my_sequence, entry, digest);
    -- Whoever hears it need not ask, where it fits into a notification (8,000 bytes).
    PERFORM pg_notify('anteroom_log', CASE
        WHEN octet_length(entry) > 7500 THEN number::text
        ELSE concat_ws(' ', number, at, me, my_sequence, encode(digest, 'hex'), convert_from(entry, 'UTF8'))
    END);
    status := 'written';
END
$$;
