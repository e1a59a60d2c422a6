-- +goose Up
-- What is searched everywhere is compared as it is stored, all of a row in one text:
-- lower case for every row of every search costs more than the rest of it. The line
-- break is in no search, so that nothing is found across two columns.
ALTER TABLE location ADD COLUMN words text GENERATED ALWAYS AS (lower(name || E'\n' || address)) STORED;
ALTER TABLE ble_tag ADD COLUMN words text
    GENERATED ALWAYS AS (lower(name || E'\n' || transmitter || E'\n' || replace(transmitter, ':', ''))) STORED;

-- +goose Down
ALTER TABLE ble_tag DROP COLUMN words;
ALTER TABLE location DROP COLUMN words;
