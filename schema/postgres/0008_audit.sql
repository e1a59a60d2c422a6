-- +goose Up

-- The audit log. An entry is a link of its organisation's chain: its hash is made of
-- what it says, its number and time, and the hash of the entry before it. The runtime's
-- roles add the words alone; number, time and hash are given by the owner's trigger.
-- Entries outlive what they are about, so they refer to nothing.
CREATE TABLE audit_entry (
    org       uuid, -- NULL: the system's own
    chain     uuid GENERATED ALWAYS AS (coalesce(org, '00000000-0000-0000-0000-000000000000')) STORED,
    seq       bigint NOT NULL,      -- in the chain, from 1, without gaps
    at        timestamptz NOT NULL, -- strictly later than that of the entry before it
    body      text NOT NULL,        -- JSON as it was hashed: who did what; digests in the place of personal values
    previous  bytea NOT NULL,       -- hash of the entry before it
    hash      bytea NOT NULL,
    -- Personal values by their places in the body, and the salts of their digests. Both
    -- can be erased without breaking the chain.
    personal  jsonb NOT NULL DEFAULT '{}',
    salts     jsonb NOT NULL DEFAULT '{}',
    email     text GENERATED ALWAYS AS (lower(personal ->> 'email')) STORED,
    user_id   uuid GENERATED ALWAYS AS (nullif(body::jsonb ->> 'user', '')::uuid) STORED,
    action    text GENERATED ALWAYS AS (body::jsonb ->> 'action') STORED,
    kind      text GENERATED ALWAYS AS (body::jsonb #>> '{object,kind}') STORED,
    object_id text GENERATED ALWAYS AS (body::jsonb #>> '{object,id}') STORED,
    -- What people search in.
    words     text GENERATED ALWAYS AS (lower((
        jsonb_path_query_array(body::jsonb, '$.object.name') || jsonb_path_query_array(body::jsonb, '$.fields[*].*') ||
        jsonb_path_query_array(body::jsonb, '$.key') || jsonb_path_query_array(body::jsonb, '$.reason') ||
        jsonb_path_query_array(personal, '$.*'))::text)) STORED,
    PRIMARY KEY (chain, seq)
);

-- How long each chain is and how it ends, so that a cut end is noticed.
CREATE TABLE audit_chain (
    chain   uuid PRIMARY KEY,
    org     uuid,
    entries bigint NOT NULL,
    at      timestamptz NOT NULL, -- of the last entry
    hash    bytea NOT NULL        -- of the last entry
);

CREATE INDEX audit_entry_at ON audit_entry (chain, at);
CREATE INDEX audit_entry_user ON audit_entry (chain, user_id, at);
CREATE INDEX audit_entry_email ON audit_entry (chain, email, at);
CREATE INDEX audit_entry_action ON audit_entry (chain, action, at);
CREATE INDEX audit_entry_all ON audit_entry (at, chain);

-- Links a new entry to its chain. The chain's row is locked until the transaction
-- ends, so that entries are committed in the order of their numbers.
-- +goose StatementBegin
CREATE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    own  uuid := coalesce(NEW.org, '00000000-0000-0000-0000-000000000000');
    head audit_chain%ROWTYPE;
BEGIN
    SELECT * INTO head FROM audit_chain WHERE chain = own FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_chain VALUES (own, NEW.org, 0, '-infinity', '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_chain WHERE chain = own FOR UPDATE;
    END IF;
    NEW.seq := head.entries + 1;
    NEW.at := greatest(clock_timestamp(), head.at + interval '1 microsecond');
    NEW.previous := head.hash;
    NEW.hash := sha256(convert_to('{"at":"' || to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","entry":' || NEW.body || ',"org":' || coalesce('"' || NEW.org || '"', 'null')
        || ',"previous":"' || encode(NEW.previous, 'hex') || '","seq":' || NEW.seq || '}', 'UTF8'));
    UPDATE audit_chain SET entries = NEW.seq, at = NEW.at, hash = NEW.hash WHERE chain = own;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_link BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_link();

-- Erases what the log knows of a person: the e-mail and address of what he did, names
-- and values of what was done to him, and his e-mails wherever else they stand. The
-- digests stay in the chain. Returns how many entries lost something.
-- +goose StatementBegin
CREATE FUNCTION audit_erase(person uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
    WITH emails AS (
        SELECT DISTINCT lower(personal ->> 'email') AS email FROM audit_entry WHERE user_id = person AND personal ? 'email'
    ), found AS (
        SELECT e.chain, e.seq, array_agg(p.key) AS keys FROM audit_entry e CROSS JOIN LATERAL jsonb_each_text(e.personal) p
        WHERE e.user_id = person AND p.key IN ('email', 'address')
            OR e.object_id = person::text AND p.key NOT IN ('email', 'address')
            OR lower(p.value) IN (SELECT email FROM emails)
        GROUP BY e.chain, e.seq
    ), erased AS (
        UPDATE audit_entry e SET personal = e.personal - f.keys, salts = e.salts - f.keys
        FROM found f WHERE e.chain = f.chain AND e.seq = f.seq RETURNING 1
    )
    SELECT count(*) FROM erased;
$$;
-- +goose StatementEnd

-- Who calls them must not choose which tables their names mean.
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_link() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION audit_erase(uuid) SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

-- The runtime reads and adds, and nothing else.
REVOKE ALL ON FUNCTION audit_link(), audit_erase(uuid) FROM PUBLIC;
-- The policies look at the chain, by which the indexes begin: an organisation's log is
-- found by them and not row by row. Nobody's organisation is the system's chain.
SELECT make_tenant('audit_entry', 'chain'), make_tenant('audit_chain', 'chain');
REVOKE ALL ON audit_entry, audit_chain FROM mybeacon_app, mybeacon_admin;
GRANT SELECT, INSERT (org, body, personal, salts) ON audit_entry TO mybeacon_app, mybeacon_admin;
GRANT SELECT ON audit_chain TO mybeacon_app, mybeacon_admin;
GRANT EXECUTE ON FUNCTION audit_erase(uuid) TO mybeacon_admin;

-- +goose Down
DROP TABLE audit_entry, audit_chain;
DROP FUNCTION audit_link(), audit_erase(uuid);
