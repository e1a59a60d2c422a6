-- +goose Up
-- A link to the live map of one location, for somebody without an account. It stays for
-- a month after its end, so that who comes with it is told what happened to it.
CREATE TABLE share (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    product    text NOT NULL, -- whose map it is
    location   uuid NOT NULL,
    plan       uuid, -- which the page opens first; NULL: any. Not referenced: a plan may go
    names      boolean NOT NULL, -- whether tags are called by their names
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of what stands behind # in the link
    created_by uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at timestamptz,
    UNIQUE (org, id),
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);
CREATE INDEX share_list ON share (org, created_at, id);
CREATE INDEX share_location ON share (org, location);

-- One per browser that opened the link; none outlives it.
CREATE TABLE share_session (
    id         uuid PRIMARY KEY,
    share      uuid NOT NULL,
    org        uuid NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen  timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (org, share) REFERENCES share (org, id) ON DELETE CASCADE
);
CREATE INDEX share_session_share ON share_session (org, share, created_at);

SELECT make_tenant('share');
SELECT make_tenant('share_session');

-- Open sockets must hear of what takes rights.
CREATE TRIGGER share_ended AFTER UPDATE OF revoked_at, expires_at ON share
    FOR EACH ROW EXECUTE FUNCTION tell_changed();
CREATE TRIGGER share_removed AFTER DELETE ON share
    FOR EACH ROW EXECUTE FUNCTION tell_changed();

-- +goose Down
DROP TABLE share_session, share;
