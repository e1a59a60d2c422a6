-- +goose Up
ALTER TABLE ble_plan
    -- {"rooms": [{"polygon": [[x,y],…], "color", "label"}], "doors": [[[x,y],[x,y]],…],
    --  "labels": [{"x", "y", "text", "size_m"}]} in metres, drawn only
    ADD COLUMN figures jsonb NOT NULL DEFAULT '{"rooms": [], "doors": [], "labels": []}',
    -- {"file": its digest, "media_type", "width_px", "height_px", "metres_per_px",
    --  "x", "y": its lower left corner, "rotation_deg", "opacity"}
    ADD COLUMN image jsonb;
CREATE INDEX ble_plan_image ON ble_plan (org, (image ->> 'file')) WHERE image IS NOT NULL;

-- By how many dB it hears louder than its siblings, such as by its antenna.
ALTER TABLE ble_receiver ADD COLUMN gain_db double precision NOT NULL DEFAULT 0 CHECK (gain_db BETWEEN -60 AND 60);
-- How many are meant to be there at most; NULL: any number.
ALTER TABLE ble_zone ADD COLUMN capacity integer CHECK (capacity > 0);

-- What a plan looked like, so that history is shown on the plan of its time. A row
-- holds from its time to that of the next one.
CREATE TABLE ble_plan_version (
    org        uuid NOT NULL,
    plan       uuid NOT NULL,
    version    bigint NOT NULL, -- the plan's version when the row was written last
    at         timestamptz NOT NULL,
    by_account uuid REFERENCES account ON DELETE SET NULL, -- NULL: the server, an API key, or who is no more
    by_key     text NOT NULL DEFAULT '', -- name of the API key
    what       text[] NOT NULL, -- 'plan', 'drawing', 'image', 'scale', 'receivers', 'zones'
    image_file text,            -- digest of the picture, so that it is kept
    document   bytea NOT NULL,  -- gzip of the whole plan as JSON
    PRIMARY KEY (plan, version),
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE
);
CREATE INDEX ble_plan_version_at ON ble_plan_version (plan, at);
CREATE INDEX ble_plan_version_image ON ble_plan_version (org, image_file) WHERE image_file IS NOT NULL;
SELECT make_tenant('ble_plan_version');

-- +goose Down
DROP TABLE ble_plan_version;
ALTER TABLE ble_zone DROP COLUMN capacity;
ALTER TABLE ble_receiver DROP COLUMN gain_db;
DROP INDEX ble_plan_image;
ALTER TABLE ble_plan DROP COLUMN figures, DROP COLUMN image;
