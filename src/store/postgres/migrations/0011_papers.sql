-- What was read of a file that is a document, as JSON; NULL: it is none.
ALTER TABLE files ADD COLUMN paper text;
