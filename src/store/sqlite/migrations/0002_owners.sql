-- What was kept for each session is kept for its owner: an account, an API key, or a browser without an account, whose session
-- the owner is, under the same id. So nothing but names changes; SQLite takes keys, references and indices along.

ALTER TABLE sessions RENAME TO owners;
ALTER TABLE conversations RENAME COLUMN session TO owner;
ALTER TABLE turns RENAME COLUMN session TO owner;
ALTER TABLE files RENAME COLUMN session TO owner;
