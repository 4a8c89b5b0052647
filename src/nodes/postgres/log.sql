-- The log, and who may append to it. Times are nanoseconds since the Unix epoch.

-- The nodes that take part. One that is declared gone has no row any more, and can write nothing.
CREATE TABLE IF NOT EXISTS log_nodes (
    id       uuid PRIMARY KEY,
    -- How often it has said that it is there.
    beats    bigint NOT NULL DEFAULT 0,
    -- What it has appended last.
    sequence bigint NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS log (
    number   bigint PRIMARY KEY,
    at       bigint NOT NULL,
    node     uuid NOT NULL,
    sequence bigint NOT NULL,
    payload  bytea NOT NULL,
    -- Of this and all before it.
    digest   bytea NOT NULL
);

-- One row: the end of the log, which whoever appends has to himself until his commit. So numbers have no gap and are committed in order.
CREATE TABLE IF NOT EXISTS log_head (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    at     bigint NOT NULL,
    digest bytea NOT NULL,
    -- The whole state at some number of the log; what comes before it may be gone.
    snapshot_number bigint NOT NULL,
    snapshot        bytea NOT NULL
);

-- Appends, in one way to the server and back. `status` is what has come of it: written, already, nothing or fenced.
CREATE OR REPLACE FUNCTION log_append(
    me uuid, my_sequence bigint, is_up boolean, is_gone uuid[], unless_node uuid, unless_beats bigint, entry bytea,
    OUT status text, OUT number bigint, OUT at bigint, OUT digest bytea
) LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    IF is_up THEN
        INSERT INTO log_nodes (id) VALUES (me) ON CONFLICT DO NOTHING;
    END IF;
    -- Rows of nodes in one order, and before the head: nobody waits in a circle.
    PERFORM FROM log_nodes WHERE id = me OR id = ANY (is_gone) ORDER BY id FOR UPDATE;
    SELECT sequence INTO last FROM log_nodes WHERE id = me;
    IF last IS NULL THEN
        status := 'fenced';
        RETURN;
    END IF;
    IF my_sequence <= last THEN
        status := 'already';
        RETURN;
    END IF;
    IF unless_node IS NOT NULL AND NOT EXISTS (SELECT FROM log_nodes WHERE id = unless_node AND beats = unless_beats) THEN
        status := 'nothing';
        RETURN;
    END IF;
    UPDATE log_nodes SET sequence = my_sequence WHERE id = me;
    DELETE FROM log_nodes WHERE id = ANY (is_gone);
    UPDATE log_head h SET
        number = h.number + 1,
        at = greatest(h.at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000)
        RETURNING h.number, h.at, h.digest INTO number, at, digest;
    digest := sha256(digest || int8send(number) || int8send(at) || uuid_send(me) || int8send(my_sequence) || entry);
    UPDATE log_head h SET digest = log_append.digest;
    INSERT INTO log VALUES (number, at, me, my_sequence, entry, digest);
    -- Whoever hears it need not ask, where it fits into a notification (8,000 bytes).
    PERFORM pg_notify('anteroom_log', CASE
        WHEN octet_length(entry) > 7500 THEN number::text
        ELSE concat_ws(' ', number, at, me, my_sequence, encode(digest, 'hex'), convert_from(entry, 'UTF8'))
    END);
    status := 'written';
END
$$;
