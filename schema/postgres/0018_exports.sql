-- +goose Up

-- What left the system: every export, whether it was streamed at once or made by a job
-- into a file, with all that says what it was. A row outlives its file.
CREATE TABLE export (
    id         uuid PRIMARY KEY, -- ordered by creation
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    dataset    text NOT NULL CHECK (length(dataset) BETWEEN 1 AND 100),
    version    integer NOT NULL,
    format     text NOT NULL CHECK (format IN ('csv', 'json', 'ndjson', 'parquet')),
    language   text NOT NULL DEFAULT '' CHECK (language IN ('', 'ru', 'en')),
    filters    jsonb NOT NULL DEFAULT '{}',
    locations  uuid[],           -- whose rows it may hold; NULL: those of all
    direct     boolean NOT NULL, -- streamed; there is no file
    account    uuid REFERENCES account ON DELETE SET NULL, -- who asked for it; of a key, its maker
    key        uuid REFERENCES api_key ON DELETE SET NULL,
    by_support boolean NOT NULL DEFAULT false,             -- a super-admin did
    state      text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'cut_off', 'expired', 'deleted')),
    claim      uuid,             -- the attempt that works at it now
    attempts   integer NOT NULL DEFAULT 0,
    beat_at    timestamptz,      -- when the attempt last said that it lives
    expected   bigint,           -- rows; NULL: unknown
    rows       bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    sha256     text NOT NULL DEFAULT '',
    error      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    expires_at timestamptz,      -- when the file goes
    UNIQUE (org, id)
);
CREATE INDEX export_list ON export (org, id);
CREATE INDEX export_open ON export (state, beat_at) WHERE state IN ('queued', 'running');
CREATE INDEX export_files ON export (expires_at) WHERE state = 'done' AND NOT direct;
SELECT make_tenant('export');

-- Questions to the warehouse that people kept.
CREATE TABLE ask_query (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    title      text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    sql        text NOT NULL CHECK (length(sql) BETWEEN 1 AND 65536),
    params     jsonb NOT NULL DEFAULT '[]',
    chart      jsonb,
    account    uuid REFERENCES account ON DELETE SET NULL, -- who kept it
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org, id),
    UNIQUE (org, title)
);
SELECT make_tenant('ask_query');

-- +goose Down
DROP TABLE ask_query, export;
