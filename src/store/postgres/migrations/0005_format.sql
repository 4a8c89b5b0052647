-- Which format the log is kept in, and in which each process keeps it: what entries and the snapshot say, and what is made of them. Processes of two
-- formats never work on one log.
ALTER TABLE log_head ADD COLUMN format integer NOT NULL DEFAULT 1;
ALTER TABLE nodes ADD COLUMN format integer NOT NULL DEFAULT 1;
