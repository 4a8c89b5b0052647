-- What a key may ask for in a minute; NULL: as much as the site's setting says.
ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER CHECK (requests_per_minute BETWEEN 1 AND 1000000);
ALTER TABLE keys ADD COLUMN tokens_per_minute INTEGER CHECK (tokens_per_minute BETWEEN 1 AND 1000000000);

-- How often they were changed: with how many keys there are and how many of them are revoked, the sum tells whether anything has changed.
ALTER TABLE keys ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
