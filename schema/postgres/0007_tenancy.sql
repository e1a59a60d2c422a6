-- +goose Up
-- Each organisation's rows are hidden from the others by the database itself. The
-- server's connections work in one of two roles, which the program makes before it
-- migrates: mybeacon_app sees and changes the rows of the organisation that the
-- connection was set to (mybeacon.org), and none while it is set to none;
-- mybeacon_admin, of the engine itself and of super-admins, those of all. Neither
-- owns a table, and migrations run in neither.

-- +goose StatementBegin
CREATE FUNCTION current_organisation() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('mybeacon.org', true), '')::uuid
$$;
-- +goose StatementEnd

-- make_system gives a table to the engine alone: what belongs to no organisation and
-- is nobody's to read.
-- +goose StatementBegin
CREATE FUNCTION make_system(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    sequence text;
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO mybeacon_admin', relation);
    FOR sequence IN
        SELECT pg_get_serial_sequence(relation::text, a.attname) FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF sequence IS NOT NULL THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO mybeacon_admin', sequence);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- make_common gives a table to every scope: what belongs to no organisation.
-- +goose StatementBegin
CREATE FUNCTION make_common(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    sequence text;
BEGIN
    PERFORM make_system(relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO mybeacon_app', relation);
    FOR sequence IN
        SELECT pg_get_serial_sequence(relation::text, a.attname) FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF sequence IS NOT NULL THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO mybeacon_app', sequence);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- make_tenant hides the rows of a table from all but their organisation, which
-- stands in the column. Children and pairs carry it too. A row without one is the
-- engine's and super-admins' alone.
-- +goose StatementBegin
CREATE FUNCTION make_tenant(relation regclass, organisation name DEFAULT 'org') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM make_common(relation);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY of_organisation ON %s TO mybeacon_app USING (%I = current_organisation()) WITH CHECK (%2$I = current_organisation())', relation, organisation);
    EXECUTE format('CREATE POLICY of_all ON %s TO mybeacon_admin USING (true) WITH CHECK (true)', relation);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO mybeacon_app, mybeacon_admin', current_schema());
END
$$;
-- +goose StatementEnd

-- The readings get the column that their policies look at, by the key of what they
-- are part of.
ALTER TABLE ble_survey ADD UNIQUE (org, plan, id);
ALTER TABLE ble_survey_reading ADD COLUMN org uuid;
UPDATE ble_survey_reading r SET org = s.org FROM ble_survey s WHERE s.id = r.survey;
ALTER TABLE ble_survey_reading
    ALTER COLUMN org SET NOT NULL,
    DROP CONSTRAINT ble_survey_reading_plan_survey_fkey,
    ADD FOREIGN KEY (org, plan, survey) REFERENCES ble_survey (org, plan, id) ON DELETE CASCADE;
ALTER TABLE ble_reference ADD UNIQUE (org, plan, tag);
ALTER TABLE ble_reference_reading ADD COLUMN org uuid;
UPDATE ble_reference_reading h SET org = f.org FROM ble_reference f WHERE f.tag = h.tag;
ALTER TABLE ble_reference_reading
    ALTER COLUMN org SET NOT NULL,
    DROP CONSTRAINT ble_reference_reading_plan_tag_fkey,
    ADD FOREIGN KEY (org, plan, tag) REFERENCES ble_reference (org, plan, tag) ON DELETE CASCADE;

SELECT make_tenant('organisation', 'id');
SELECT make_tenant('organisation_product');
SELECT make_tenant('account');
SELECT make_tenant('api_token');
SELECT make_tenant('location');
SELECT make_tenant('device');
SELECT make_tenant('ble_plan');
SELECT make_tenant('ble_receiver');
SELECT make_tenant('ble_zone');
SELECT make_tenant('ble_tag');
SELECT make_tenant('ble_survey');
SELECT make_tenant('ble_survey_reading');
SELECT make_tenant('ble_reference');
SELECT make_tenant('ble_reference_reading');
SELECT make_tenant('ble_zone_example');
SELECT make_system('sessions');
SELECT make_system('plan_calibrations');

-- What a plan has learned goes with it. The core's table knows no organisations, so
-- nobody's own rights reach it.
-- +goose StatementBegin
CREATE FUNCTION forget_calibration() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM plan_calibrations WHERE plan_id = old.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
BEGIN
    -- Who calls it must not choose which table the name means.
    EXECUTE format('ALTER FUNCTION forget_calibration() SET search_path = %I, pg_temp', current_schema());
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION forget_calibration() FROM PUBLIC;
CREATE TRIGGER ble_plan_forgotten AFTER DELETE ON ble_plan
    FOR EACH ROW EXECUTE FUNCTION forget_calibration();

-- +goose Down
-- There is no way back: without the policies every organisation would see all.
-- +goose StatementBegin
DO $$ BEGIN RAISE EXCEPTION 'the rows of organisations stay apart: restore a backup from before'; END $$;
-- +goose StatementEnd
