-- +goose Up
-- What is known of a plan's radio. All of a plan's is read again when radio
-- changed, and only then: a survey may have a million readings.
ALTER TABLE ble_plan ADD COLUMN radio bigint NOT NULL DEFAULT 0;
ALTER TABLE ble_receiver ADD UNIQUE (plan, id);
ALTER TABLE ble_tag ADD UNIQUE (org, id);

-- One walk over the plan, so that a bad one can be taken out again.
CREATE TABLE ble_survey (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL,
    plan       uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (plan, id),
    UNIQUE (plan, name),
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE
);

CREATE TABLE ble_survey_reading (
    plan      uuid NOT NULL,
    survey    uuid NOT NULL,
    number    integer NOT NULL,  -- within the survey, as entered
    receiver  uuid NOT NULL,
    x         double precision NOT NULL, -- metres
    y         double precision NOT NULL,
    rssi_cdbm smallint NOT NULL, -- hundredths of a dBm
    source    integer NOT NULL,  -- which transmitter; those of one source are equally loud
    PRIMARY KEY (survey, number),
    FOREIGN KEY (plan, survey) REFERENCES ble_survey (plan, id) ON DELETE CASCADE,
    FOREIGN KEY (plan, receiver) REFERENCES ble_receiver (plan, id) ON DELETE CASCADE
);
CREATE INDEX ble_survey_reading_receiver ON ble_survey_reading (plan, receiver);

-- A tag that hangs at a known point.
CREATE TABLE ble_reference (
    tag        uuid PRIMARY KEY,
    org        uuid NOT NULL,
    plan       uuid NOT NULL,
    x          double precision NOT NULL, -- metres
    y          double precision NOT NULL,
    since      timestamptz NOT NULL, -- what was heard before it hung there says nothing
    counted_to timestamptz NOT NULL, -- what was heard before is in the means
    UNIQUE (plan, tag),
    FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE
);

-- How loudly it is heard: a running mean that forgets, and what of it the engine
-- was told last.
CREATE TABLE ble_reference_reading (
    plan         uuid NOT NULL,
    tag          uuid NOT NULL,
    receiver     uuid NOT NULL,
    mean_cdbm    double precision NOT NULL, -- hundredths of a dBm
    weight       double precision NOT NULL, -- how many observations the mean stands for
    observations bigint NOT NULL,           -- how many there were
    rssi_cdbm    smallint,                  -- as told; NULL while there were too few
    measured_at  timestamptz NOT NULL,
    PRIMARY KEY (tag, receiver),
    FOREIGN KEY (plan, tag) REFERENCES ble_reference (plan, tag) ON DELETE CASCADE,
    FOREIGN KEY (plan, receiver) REFERENCES ble_receiver (plan, id) ON DELETE CASCADE
);
CREATE INDEX ble_reference_reading_receiver ON ble_reference_reading (plan, receiver);

-- "The tag was in the zone from then till then" and what was heard meanwhile.
CREATE TABLE ble_zone_example (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL,
    plan       uuid NOT NULL,
    zone       uuid, -- NULL: outside zones
    tag        uuid NOT NULL,
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,
    seconds    integer NOT NULL CHECK (seconds > 0), -- in which the tag was heard: one example each
    heard      jsonb NOT NULL, -- {"receivers": [id, …], "seconds": [[receiver's index, hundredths of a dBm, …], …]}
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, tag) REFERENCES ble_tag (org, id) ON DELETE CASCADE,
    FOREIGN KEY (plan, zone) REFERENCES ble_zone (plan, id) ON DELETE CASCADE
);
CREATE INDEX ble_zone_example_plan ON ble_zone_example (plan, zone);

-- +goose Down
DROP TABLE ble_zone_example, ble_reference_reading, ble_reference, ble_survey_reading, ble_survey;
ALTER TABLE ble_tag DROP CONSTRAINT ble_tag_org_id_key;
ALTER TABLE ble_receiver DROP CONSTRAINT ble_receiver_plan_id_key;
ALTER TABLE ble_plan DROP COLUMN radio;
