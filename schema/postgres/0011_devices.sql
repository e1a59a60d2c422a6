-- +goose Up
ALTER TABLE device
    -- Who may speak for the device: a long-lived token that people enter (token_hash),
    -- or whoever holds this Ed25519 key and logs in with it for an hour.
    ADD COLUMN public_key bytea CHECK (octet_length(public_key) = 32),
    ADD COLUMN login_hash bytea UNIQUE, -- SHA-256 of the token of the last log-in
    ADD COLUMN login_expires timestamptz,
    ADD COLUMN login_at timestamptz, -- what the last log-in was signed with: each is newer, so none works twice
    -- Until then another key may enrol: an administrator has reset the device.
    ADD COLUMN open_until timestamptz,
    ADD COLUMN self_registered boolean NOT NULL DEFAULT false,
    ADD COLUMN enrolled_at timestamptz,
    -- What the device says of itself.
    ADD COLUMN version text NOT NULL DEFAULT '' CHECK (length(version) <= 64),
    ADD COLUMN modules jsonb NOT NULL DEFAULT '{}', -- {"ble": true}: which run, by product
    ADD COLUMN health jsonb,
    ADD COLUMN config_running bigint, -- the version of config that runs
    ADD COLUMN reported_at timestamptz,
    -- What it is to do; what is left out has its default.
    ADD COLUMN config jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN config_version bigint NOT NULL DEFAULT 1,
    ADD COLUMN config_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN online boolean NOT NULL DEFAULT false, -- as of seconds ago; lists are filtered by it
    ADD COLUMN search text GENERATED ALWAYS AS (lower(name)) STORED,
    ADD COLUMN mac_hex text GENERATED ALWAYS AS (replace(mac::text, ':', '')) STORED;

CREATE INDEX device_list ON device (org, number, id);
CREATE INDEX device_at ON device (org, location, number);
CREATE INDEX device_online ON device (number, id) WHERE online;
CREATE INDEX device_online_of ON device (org, number, id) WHERE online;
CREATE INDEX device_never ON device (number, id) WHERE NOT online AND last_seen IS NULL;
CREATE INDEX device_unbound ON device (number) WHERE org IS NULL;

-- Where a device was bound, from when to when. What it heard belongs to whose it was
-- then, whenever it arrives. An open interval is the present one.
CREATE TABLE device_binding (
    device     uuid NOT NULL REFERENCES device ON DELETE CASCADE,
    number     integer NOT NULL, -- within the device, from 1
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    location   uuid, -- NULL: at none. Not referenced: a location may go, its history stays
    from_at    timestamptz NOT NULL,
    to_at      timestamptz CHECK (to_at >= from_at),
    -- The device was nobody's before: what it heard until then is this one's too.
    since_ever boolean NOT NULL DEFAULT false,
    by_account uuid, -- NULL: the server itself, or whoever held a claim code
    PRIMARY KEY (device, number)
);
CREATE UNIQUE INDEX device_binding_open ON device_binding (device) WHERE to_at IS NULL;
CREATE INDEX device_binding_closed ON device_binding (to_at) WHERE to_at IS NOT NULL;
CREATE INDEX device_binding_org ON device_binding (org);
INSERT INTO device_binding (device, number, org, location, from_at, since_ever)
    SELECT id, 1, org, location, created_at, true FROM device WHERE org IS NOT NULL;

-- Devices that are no more, and until when their boxes were somebody's.
CREATE TABLE device_gone (
    number bigint PRIMARY KEY,
    mac    macaddr NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX device_gone_mac ON device_gone (mac, at);

-- A code that lets one box in, for the organisation. The label finds it, so that
-- wrong guesses are counted; only the digest of the rest is kept.
CREATE TABLE device_claim (
    id         uuid PRIMARY KEY,
    org        uuid REFERENCES organisation ON DELETE CASCADE, -- NULL: binds to nobody
    label      text NOT NULL UNIQUE,
    hash       bytea NOT NULL,
    tries      integer NOT NULL DEFAULT 0, -- wrong ones
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    used_by    uuid REFERENCES device ON DELETE SET NULL
);
CREATE INDEX device_claim_list ON device_claim (created_at, id);

SELECT make_tenant('device_binding');
SELECT make_tenant('device_claim');
SELECT make_common('device_gone');

-- A key that is taken away, and a configuration that is to be pushed, must be heard of.
DROP TRIGGER device_changed ON device;
CREATE TRIGGER device_changed AFTER UPDATE OF org, location, clock, token_hash, public_key, config_version ON device
    FOR EACH ROW EXECUTE FUNCTION tell_changed();

-- +goose Down
DROP TRIGGER device_changed ON device;
CREATE TRIGGER device_changed AFTER UPDATE OF org, location, clock, token_hash ON device
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
DROP TABLE device_claim, device_gone, device_binding;
DROP INDEX device_unbound, device_never, device_online_of, device_online, device_at, device_list;
ALTER TABLE device DROP COLUMN mac_hex, DROP COLUMN search, DROP COLUMN online, DROP COLUMN config_at,
    DROP COLUMN config_version, DROP COLUMN config, DROP COLUMN reported_at, DROP COLUMN config_running, DROP COLUMN health,
    DROP COLUMN modules, DROP COLUMN version, DROP COLUMN enrolled_at, DROP COLUMN self_registered, DROP COLUMN open_until,
    DROP COLUMN login_at, DROP COLUMN login_expires, DROP COLUMN login_hash, DROP COLUMN public_key;
