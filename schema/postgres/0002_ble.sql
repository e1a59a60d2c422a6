-- +goose Up
CREATE TABLE ble_plan (
    id           uuid PRIMARY KEY,
    org          uuid NOT NULL,
    location     uuid NOT NULL,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    level        integer NOT NULL DEFAULT 0, -- storey, 0 = ground floor
    min_x        double precision NOT NULL,  -- bounds in metres, the plan's own coordinates
    min_y        double precision NOT NULL,
    max_x        double precision NOT NULL,
    max_y        double precision NOT NULL,
    tag_height_m double precision NOT NULL DEFAULT 1.2,
    walls        jsonb NOT NULL DEFAULT '[]', -- polylines [[[x,y],…],…] in metres, drawn only
    version      bigint NOT NULL DEFAULT 1,   -- grows with every change of the plan, its receivers or zones
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (max_x > min_x AND max_y > min_y),
    UNIQUE (org, id),
    UNIQUE (location, name),
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);

CREATE TABLE ble_receiver (
    id       uuid PRIMARY KEY,
    org      uuid NOT NULL,
    plan     uuid NOT NULL,
    device   uuid NOT NULL UNIQUE, -- a device hangs in one place
    x        double precision NOT NULL,
    y        double precision NOT NULL,
    z        double precision NOT NULL DEFAULT 2.5, -- height above the floor
    rotation double precision NOT NULL DEFAULT 0,   -- degrees clockwise, drawn only
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, device) REFERENCES device (org, id) ON DELETE CASCADE
);

CREATE TABLE ble_zone (
    id      uuid PRIMARY KEY,
    org     uuid NOT NULL,
    plan    uuid NOT NULL,
    number  integer NOT NULL CHECK (number > 0), -- per plan, "Zone #3"
    name    text NOT NULL DEFAULT '',
    color   text NOT NULL CHECK (color ~ '^#[0-9A-Fa-f]{6}$'),
    polygon jsonb NOT NULL, -- [[x,y],…] in metres, simple, implicitly closed
    UNIQUE (plan, number),
    FOREIGN KEY (org, plan) REFERENCES ble_plan (org, id) ON DELETE CASCADE
);

CREATE TABLE ble_tag (
    id          uuid PRIMARY KEY,
    org         uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    transmitter text NOT NULL, -- schema.Transmitter: "ibeacon:UUID/major/minor", …
    type        text NOT NULL CHECK (type IN ('person', 'asset', 'vehicle')),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org, transmitter)
);

-- +goose Down
DROP TABLE ble_tag, ble_zone, ble_receiver, ble_plan;
