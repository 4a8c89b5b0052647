-- Where its owner has put a conversation in the list: the higher, the further up. 1: it is pinned; 2: it is not archived; the sum of both.
ALTER TABLE conversations ADD COLUMN shelf INTEGER NOT NULL DEFAULT 2 CHECK (shelf BETWEEN 0 AND 3);

-- The list, page by page. That by the time of last use alone stays, for searches.
CREATE INDEX conversations_shelved ON conversations (owner, shelf, updated_at, key) WHERE deleted_at IS NULL;
