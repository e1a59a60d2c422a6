-- +goose Up
-- What was asked with an Idempotency-Key, for a day. Who asks again with the same
-- key gets the first answer. Nobody reads here what another was answered: only
-- digests of callers and keys are kept, and the answer is sealed with the key.

CREATE TABLE idempotency (
    id       bytea PRIMARY KEY,  -- SHA-256 of caller, address and key
    caller   bytea NOT NULL,     -- SHA-256; counts towards how many keys he may have
    body     bytea NOT NULL,     -- SHA-256 of what was sent
    attempt  uuid NOT NULL,      -- the request that has the key now
    begun_at timestamptz NOT NULL DEFAULT now(),
    done_at  timestamptz,        -- set in the change's own transaction
    answer   bytea               -- NULL: none yet, too long, or with a secret that is shown once
);
CREATE INDEX idempotency_caller ON idempotency (caller);
CREATE INDEX idempotency_begun ON idempotency (begun_at);
SELECT make_common('idempotency');

-- +goose Down
DROP TABLE idempotency;
