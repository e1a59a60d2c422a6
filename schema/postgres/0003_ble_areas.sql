-- +goose Up
ALTER TABLE ble_plan
    ADD COLUMN no_go jsonb NOT NULL DEFAULT '[]', -- polygons [[[x,y],…],…] in metres in which nobody can be
    ADD COLUMN zones_by text NOT NULL DEFAULT 'position' CHECK (zones_by IN ('position', 'examples'));

-- A zone may be a part of another one of its plan; one level deep, which the
-- program keeps while it holds the plan's lock.
ALTER TABLE ble_zone
    ADD COLUMN parent uuid CHECK (parent <> id),
    ADD UNIQUE (plan, id),
    ADD CONSTRAINT ble_zone_parent FOREIGN KEY (plan, parent) REFERENCES ble_zone (plan, id);
CREATE INDEX ble_zone_children ON ble_zone (parent) WHERE parent IS NOT NULL;

-- +goose Down
ALTER TABLE ble_zone DROP COLUMN parent;
ALTER TABLE ble_zone DROP CONSTRAINT ble_zone_plan_id_key;
ALTER TABLE ble_plan DROP COLUMN no_go, DROP COLUMN zones_by;
