-- +goose Up
-- What carried a tag from when to when. One at a time: the open one is what the tag
-- is called now, and a tag without an open one is bound to nothing.
CREATE TABLE ble_tag_binding (
    tag         uuid NOT NULL,
    org         uuid NOT NULL,
    number      integer NOT NULL CHECK (number > 0), -- within the tag, from 1
    type        text NOT NULL CHECK (type IN ('person', 'asset', 'vehicle')),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    from_at     timestamptz NOT NULL,
    to_at       timestamptz CHECK (to_at >= from_at), -- NULL: to this day
    by_account  uuid, -- NULL: the server itself, or a key. Not referenced: accounts go, history stays
    PRIMARY KEY (tag, number),
    FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ble_tag_binding_open ON ble_tag_binding (tag) WHERE to_at IS NULL;
CREATE INDEX ble_tag_binding_org ON ble_tag_binding (org, tag);

-- Bindings of one tag do not overlap, whatever program writes them. Whoever binds
-- holds the tag's row, so what is looked at here cannot change meanwhile.
-- +goose StatementBegin
CREATE FUNCTION ble_tag_binding_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ble_tag_binding b WHERE b.tag = new.tag AND b.number <> new.number
            AND tstzrange(b.from_at, b.to_at) && tstzrange(new.from_at, new.to_at)) THEN
        RAISE EXCEPTION 'bindings of one tag overlap' USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'ble_tag_binding_overlap';
    END IF;
    RETURN new;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER ble_tag_binding_follows BEFORE INSERT OR UPDATE ON ble_tag_binding
    FOR EACH ROW EXECUTE FUNCTION ble_tag_binding_follows();

INSERT INTO ble_tag_binding (tag, org, number, type, name, description, from_at)
    SELECT id, org, 1, type, name, description, created_at FROM ble_tag;

ALTER TABLE ble_tag ADD COLUMN photo text; -- the digest of the file; NULL: none

-- What was heard of a tag beside its place: one row of bounded size per tag that was
-- ever heard, written together every half a minute, and only when there is news.
CREATE TABLE ble_tag_heard (
    tag             uuid PRIMARY KEY,
    org             uuid NOT NULL,
    heard_at        timestamptz NOT NULL, -- at least then; the live engine knows better
    battery_percent smallint CHECK (battery_percent BETWEEN 0 AND 100),
    battery_at      timestamptz,
    addresses       jsonb NOT NULL DEFAULT '[]', -- [{"address": "aa:bb:…", "at": …}, …], the newest first, at most 8
    shared_at       timestamptz, -- when it was last heard from two addresses at the same time
    -- Where it was then, some minutes behind while it moves. Not referenced: a plan may go.
    last_at         timestamptz,
    last_location   uuid,
    last_plan       uuid,
    last_zone       uuid, -- NULL: outside zones
    last_x          double precision, -- metres
    last_y          double precision,
    CHECK ((battery_percent IS NULL) = (battery_at IS NULL)),
    FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE CASCADE
);
CREATE INDEX ble_tag_heard_battery ON ble_tag_heard (org, battery_percent) WHERE battery_percent IS NOT NULL;
CREATE INDEX ble_tag_heard_place ON ble_tag_heard (org, last_plan);

-- What a zone sounds like stays known when the tag that taught it goes.
ALTER TABLE ble_zone_example
    ALTER COLUMN tag DROP NOT NULL,
    DROP CONSTRAINT ble_zone_example_org_tag_fkey,
    ADD FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE SET NULL (tag);

SELECT make_tenant('ble_tag_binding');
SELECT make_tenant('ble_tag_heard');

-- +goose Down
DELETE FROM ble_zone_example WHERE tag IS NULL;
ALTER TABLE ble_zone_example
    ALTER COLUMN tag SET NOT NULL,
    DROP CONSTRAINT ble_zone_example_org_tag_fkey,
    ADD FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE CASCADE;
DROP TABLE ble_tag_heard, ble_tag_binding;
DROP FUNCTION ble_tag_binding_follows();
ALTER TABLE ble_tag DROP COLUMN photo;
