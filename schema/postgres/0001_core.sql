-- +goose Up
CREATE TABLE organisation (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    time_zone  text NOT NULL DEFAULT 'UTC',
    keep_days  integer NOT NULL DEFAULT 365 CHECK (keep_days BETWEEN 1 AND 65535), -- 65535 = keep
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One row per product that is switched on; a missing row is "off".
CREATE TABLE organisation_product (
    org     uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    product text NOT NULL CHECK (product ~ '^[a-z][a-z0-9_]{1,31}$'),
    PRIMARY KEY (org, product)
);

CREATE TABLE account (
    id            uuid PRIMARY KEY,
    org           uuid REFERENCES organisation ON DELETE CASCADE, -- NULL: super-admin, of no organisation
    email         text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    name          text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    super_admin   boolean NOT NULL DEFAULT false,
    role          text NOT NULL DEFAULT 'viewer' CHECK (role IN ('owner', 'admin', 'manager', 'operator', 'viewer')),
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (super_admin = (org IS NULL))
);
CREATE UNIQUE INDEX account_email ON account (lower(email));

-- The session store of scs; token holds the hash of the cookie's value.
CREATE TABLE sessions (
    token  text PRIMARY KEY,
    data   bytea NOT NULL,
    expiry timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expiry);

CREATE TABLE api_token (
    id         uuid PRIMARY KEY,
    account    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    org        uuid REFERENCES organisation ON DELETE CASCADE,
    name       text NOT NULL DEFAULT '',
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of the token, which is shown once
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE TABLE location (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address    text NOT NULL DEFAULT '',
    time_zone  text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org, id),
    UNIQUE (org, name)
);

CREATE TABLE device (
    id         uuid PRIMARY KEY,
    number     bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- "Receiver #5": unique in the whole system, never used again
    org        uuid REFERENCES organisation ON DELETE SET NULL,
    location   uuid,
    mac        macaddr NOT NULL UNIQUE,
    name       text NOT NULL DEFAULT '',
    -- 'device': its clock is compared with ours; 'source': event times are taken
    -- as given, as for a recording.
    clock      text NOT NULL DEFAULT 'device' CHECK (clock IN ('device', 'source')),
    token_hash bytea UNIQUE, -- SHA-256 of the device token, which is shown once
    last_seen  timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (org, location) REFERENCES location (org, id),
    UNIQUE (org, id)
);

-- +goose Down
DROP TABLE device, location, api_token, sessions, account, organisation_product, organisation;
