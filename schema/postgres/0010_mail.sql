-- +goose Up

-- The mails that were asked for. What opens something, a link or a password, is kept
-- only until the mail was sent or the link has ended.
CREATE TABLE mail (
    id         uuid PRIMARY KEY, -- ordered by creation
    org        uuid REFERENCES organisation ON DELETE CASCADE, -- NULL: of no organisation
    recipient  text NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    language   text NOT NULL,
    template   text NOT NULL,
    data       jsonb NOT NULL DEFAULT '{}', -- what stands in the template
    secrets    jsonb,                       -- link and password; NULL: none, or wiped
    subject    text NOT NULL,
    state      text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
    attempts   integer NOT NULL DEFAULT 0,
    error      text NOT NULL DEFAULT '',    -- of the last attempt, in the mail server's words
    message_id text NOT NULL DEFAULT '',
    job        bigint,                      -- that sends it; NULL: none does
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,        -- when its link ends
    sent_at    timestamptz,
    text       text NOT NULL DEFAULT '',    -- as it was sent, without its secrets
    html       text NOT NULL DEFAULT ''
);
CREATE INDEX mail_state ON mail (state, id);
CREATE INDEX mail_secrets ON mail (expires_at) WHERE secrets IS NOT NULL;

-- An organisation's change adds its mails; none but the engine and super-admins read them.
SELECT make_tenant('mail');
REVOKE SELECT, UPDATE, DELETE ON mail FROM mybeacon_app;

-- What the server remembers of itself.
CREATE TABLE setting (
    key        text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100),
    value      jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
SELECT make_system('setting');

-- +goose Down
DROP TABLE setting, mail;
