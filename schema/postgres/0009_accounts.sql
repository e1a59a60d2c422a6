-- +goose Up
ALTER TABLE organisation
    ADD COLUMN phone text NOT NULL DEFAULT '' CHECK (length(phone) <= 20),
    -- When its Owner was told that products are on; NULL: nobody was told yet.
    ADD COLUMN activated_at timestamptz;
UPDATE organisation o SET activated_at = now() WHERE EXISTS (SELECT FROM organisation_product p WHERE p.org = o.id);

ALTER TABLE account
    ADD COLUMN phone text NOT NULL DEFAULT '' CHECK (length(phone) <= 20),
    ADD COLUMN language text NOT NULL DEFAULT 'ru' CHECK (language IN ('ru', 'en')),
    ADD COLUMN read_only boolean NOT NULL DEFAULT false,
    ADD COLUMN limited boolean NOT NULL DEFAULT false, -- account_location says to which locations
    ADD COLUMN invited_at timestamptz,   -- when the last invitation was sent
    ADD COLUMN confirmed_at timestamptz, -- when the e-mail was proven; NULL: there is no password yet
    ADD COLUMN last_login timestamptz,
    -- What people search in: to lower 100,000 of them at each search takes a while.
    ADD COLUMN words text GENERATED ALWAYS AS (lower(email || ' ' || name)) STORED,
    ADD UNIQUE (org, id);
UPDATE account SET confirmed_at = created_at;
CREATE INDEX account_list ON account (org, email, id);
CREATE INDEX account_list_of_all ON account (email, id);

-- The locations of a person who is limited to some.
CREATE TABLE account_location (
    account  uuid NOT NULL,
    org      uuid NOT NULL,
    location uuid NOT NULL,
    write    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account, location),
    FOREIGN KEY (org, account) REFERENCES account (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);
CREATE INDEX account_location_location ON account_location (org, location);

-- What a person sees of a session. Without it the session of scs lets nobody in, and it
-- ends with that one; so does a super-admin's acting inside an organisation.
CREATE TABLE login (
    id            uuid PRIMARY KEY,
    session       text NOT NULL UNIQUE REFERENCES sessions (token) ON DELETE CASCADE,
    org           uuid, -- the account's
    account       uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_seen     timestamptz NOT NULL DEFAULT now(),
    address       text NOT NULL DEFAULT '',
    agent         text NOT NULL DEFAULT '' CHECK (length(agent) <= 300),
    acting_org    uuid REFERENCES organisation ON DELETE SET NULL,
    acting_reason text NOT NULL DEFAULT '',
    acting_since  timestamptz
);
CREATE INDEX login_account ON login (account, created_at);

ALTER TABLE api_token
    ADD COLUMN last_used timestamptz,
    ADD COLUMN acting_org uuid REFERENCES organisation ON DELETE SET NULL,
    ADD COLUMN acting_reason text NOT NULL DEFAULT '',
    ADD COLUMN acting_since timestamptz;
CREATE INDEX api_token_account ON api_token (account, created_at);

-- One-time links of mails. Using one removes it.
CREATE TABLE link (
    id         uuid PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of the token, which only the mail holds
    purpose    text NOT NULL CHECK (purpose IN ('confirm', 'password', 'invitation', 'email')),
    org        uuid REFERENCES organisation ON DELETE CASCADE,
    account    uuid REFERENCES account ON DELETE CASCADE, -- NULL: a registration, which is no account before it is confirmed
    email      text NOT NULL CHECK (length(email) BETWEEN 3 AND 254), -- where it was sent
    registered jsonb, -- what a registration said; the password as its hash
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CHECK ((account IS NULL) = (registered IS NOT NULL))
);
CREATE INDEX link_account ON link (account, purpose);
CREATE INDEX link_registered ON link (lower(email)) WHERE account IS NULL;
CREATE INDEX link_expires ON link (expires_at);

-- The second factor.
CREATE TABLE totp (
    account      uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    org          uuid, -- the account's
    secret       bytea NOT NULL,  -- sealed with the key of the data directory
    confirmed_at timestamptz,     -- NULL: begun, asks for nothing yet
    last_step    bigint NOT NULL DEFAULT 0, -- of the last code that was used; none works twice
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_code (
    account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    hash    bytea NOT NULL, -- SHA-256 of the account and the code
    used_at timestamptz,
    PRIMARY KEY (account, hash)
);

-- A key of an organisation. It never may more than who made it may at that moment,
-- and ends with him.
CREATE TABLE api_key (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    prefix     text NOT NULL,         -- its first characters, by which people tell keys apart
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of the key, which is shown once
    actions    text[] NOT NULL,
    limited    boolean NOT NULL DEFAULT false, -- api_key_location says to which locations
    created_by uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used  timestamptz,
    UNIQUE (org, id)
);
CREATE INDEX api_key_list ON api_key (org, created_at, id);

CREATE TABLE api_key_location (
    key      uuid NOT NULL,
    org      uuid NOT NULL,
    location uuid NOT NULL,
    write    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (key, location),
    FOREIGN KEY (org, key) REFERENCES api_key (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);

-- Sockets must hear of what takes rights; what is only noted, such as the last
-- log-in, matters to nobody.
DROP TRIGGER account_changed ON account;
CREATE TRIGGER account_changed AFTER UPDATE OF org, super_admin, role, disabled, read_only, limited ON account
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER account_removed AFTER DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
DROP TRIGGER api_token_changed ON api_token;
CREATE TRIGGER api_token_changed AFTER UPDATE OF expires_at, acting_org, acting_since ON api_token
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER api_token_removed AFTER DELETE ON api_token
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER account_location_changed AFTER INSERT OR UPDATE OR DELETE ON account_location
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed();
CREATE TRIGGER login_changed AFTER UPDATE OF acting_org, acting_since ON login
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER login_ended AFTER DELETE ON login
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
DROP TRIGGER session_ended ON sessions;
CREATE TRIGGER api_key_changed AFTER UPDATE OF actions, limited, expires_at ON api_key
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER api_key_removed AFTER DELETE ON api_key
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER organisation_product_changed AFTER INSERT OR DELETE ON organisation_product
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed();

SELECT make_tenant('account_location');
SELECT make_tenant('login');
SELECT make_tenant('link');
SELECT make_tenant('totp');
SELECT make_system('recovery_code');
SELECT make_tenant('api_key');
SELECT make_tenant('api_key_location');

-- +goose Down
DROP TRIGGER organisation_product_changed ON organisation_product;
DROP TABLE api_key_location, api_key, recovery_code, totp, link, login, account_location;
DROP TRIGGER api_token_removed ON api_token;
DROP TRIGGER account_removed ON account;
ALTER TABLE api_token DROP COLUMN last_used, DROP COLUMN acting_org, DROP COLUMN acting_reason, DROP COLUMN acting_since;
DROP INDEX account_list, account_list_of_all;
ALTER TABLE account DROP CONSTRAINT account_org_id_key, DROP COLUMN words, DROP COLUMN phone, DROP COLUMN language, DROP COLUMN read_only,
    DROP COLUMN limited, DROP COLUMN invited_at, DROP COLUMN confirmed_at, DROP COLUMN last_login;
CREATE TRIGGER session_ended AFTER DELETE ON sessions
    FOR EACH ROW WHEN (old.expiry > now()) EXECUTE FUNCTION tell_changed();
CREATE TRIGGER account_changed AFTER UPDATE OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER api_token_changed AFTER UPDATE OR DELETE ON api_token
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
ALTER TABLE organisation DROP COLUMN phone, DROP COLUMN activated_at;
