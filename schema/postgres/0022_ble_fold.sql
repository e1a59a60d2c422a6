-- +goose Up
-- When the first of the edits was made that a version consists of; at is of the last. A
-- version takes in no more edits a while after it began, however quickly they follow.
ALTER TABLE ble_plan_version ADD COLUMN began timestamptz NOT NULL DEFAULT clock_timestamp();

-- +goose Down
ALTER TABLE ble_plan_version DROP COLUMN began;
