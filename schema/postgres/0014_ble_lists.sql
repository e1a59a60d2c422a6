-- +goose Up
-- Lists of a hundred thousand tags are read in the order of their names, and searched
-- by a part of it: what is rare is looked for in all of them, so it is compared as it
-- is stored.
ALTER TABLE ble_tag ADD COLUMN search text GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX ble_tag_list ON ble_tag (org, name, id);

-- +goose Down
DROP INDEX ble_tag_list;
ALTER TABLE ble_tag DROP COLUMN search;
