-- +goose Up

-- Where an organisation has its alerts posted.
CREATE TABLE webhook (
    id         uuid PRIMARY KEY,
    org        uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    url        text NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
    enabled    boolean NOT NULL DEFAULT true,
    off_why    text NOT NULL DEFAULT '', -- why the server switched it off
    secret     bytea NOT NULL,           -- sealed with the key of the data directory
    old_secret bytea,                    -- signs as well until old_until, while the receiver changes over
    old_until  timestamptz,
    created_by text NOT NULL DEFAULT '', -- e-mail
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org, id),
    UNIQUE (org, name)
);
CREATE INDEX webhook_list ON webhook (org, name, id);

-- When to tell whom. A rule is at one location, and its rights are that location's.
CREATE TABLE alert_rule (
    id            uuid PRIMARY KEY,
    org           uuid NOT NULL,
    location      uuid NOT NULL,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    enabled       boolean NOT NULL DEFAULT true,
    kind          text NOT NULL CHECK (kind IN ('enter', 'leave', 'stay', 'capacity', 'tag_lost', 'receiver_silent', 'battery_low')),
    zones         uuid[] NOT NULL DEFAULT '{}', -- empty: every one of the location, here and below
    tags          uuid[] NOT NULL DEFAULT '{}', -- empty together with types: every tag
    types         text[] NOT NULL DEFAULT '{}',
    receivers     uuid[] NOT NULL DEFAULT '{}',
    after_s       integer NOT NULL DEFAULT 0 CHECK (after_s >= 0),
    most          integer NOT NULL DEFAULT 0 CHECK (most >= 0),      -- tags in a zone; 0: the zone's capacity
    below_percent integer NOT NULL DEFAULT 0 CHECK (below_percent BETWEEN 0 AND 100),
    schedule      jsonb,                                             -- NULL: always
    console       boolean NOT NULL DEFAULT true,
    emails        text[] NOT NULL DEFAULT '{}',
    webhooks      uuid[] NOT NULL DEFAULT '{}',
    muted_until   timestamptz,
    since         timestamptz NOT NULL DEFAULT now(), -- what was entered or left before says nothing
    created_by    text NOT NULL DEFAULT '',           -- e-mail
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org, id),
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);
CREATE INDEX alert_rule_list ON alert_rule (org, name, id);

-- What was raised. It outlives its rule, whose name and kind it keeps.
CREATE TABLE alert (
    id              uuid PRIMARY KEY, -- derived from rule, subject and beginning: nothing is raised twice
    org             uuid NOT NULL,
    location        uuid NOT NULL,
    rule            uuid NOT NULL,
    rule_name       text NOT NULL,
    kind            text NOT NULL,
    subject         uuid NOT NULL,    -- derived from tag, zone and receiver
    plan            uuid,
    tag             uuid,
    tag_name        text NOT NULL DEFAULT '',
    tag_type        text NOT NULL DEFAULT '',
    zone            uuid,
    zone_name       text NOT NULL DEFAULT '',
    receiver        uuid,
    receiver_name   text NOT NULL DEFAULT '',
    began_at        timestamptz NOT NULL,               -- event time: what the id is derived from
    at              timestamptz NOT NULL,               -- event time: when the condition was met
    raised_at       timestamptz NOT NULL DEFAULT now(), -- the server's time
    ended_at        timestamptz,                        -- event time; NULL: the cause goes on
    value           integer NOT NULL DEFAULT 0,         -- tags in the zone, per cent of the battery
    bound           integer NOT NULL DEFAULT 0,         -- seconds, tags or per cent: what the rule allows
    console         boolean NOT NULL DEFAULT true,
    muted           boolean NOT NULL DEFAULT false,     -- nobody was told
    acknowledged_by text NOT NULL DEFAULT '',           -- e-mail
    acknowledged_at timestamptz,
    note            text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    UNIQUE (org, id),
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX alert_open ON alert (rule, subject) WHERE ended_at IS NULL;
CREATE INDEX alert_list ON alert (org, raised_at, id);
CREATE INDEX alert_list_of_all ON alert (raised_at, id);

-- One digest for one recipient: it gathers alerts until it is due.
CREATE TABLE alert_delivery (
    id          uuid PRIMARY KEY,
    org         uuid NOT NULL REFERENCES organisation ON DELETE CASCADE,
    channel     text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    recipient   text NOT NULL DEFAULT '', -- e-mail, lower case
    webhook     uuid,
    state       text NOT NULL CHECK (state IN ('gathering', 'sending', 'sent', 'failed', 'refused')),
    test        boolean NOT NULL DEFAULT false,
    more        integer NOT NULL DEFAULT 0, -- beyond those listed
    attempts    integer NOT NULL DEFAULT 0,
    status      integer NOT NULL DEFAULT 0, -- of HTTP; 0: there was no answer
    error       text NOT NULL DEFAULT '',
    mail        uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (org, id),
    FOREIGN KEY (org, webhook) REFERENCES webhook (org, id) ON DELETE CASCADE,
    CHECK ((channel = 'mail') = (webhook IS NULL))
);
CREATE UNIQUE INDEX alert_delivery_gathering ON alert_delivery (org, recipient, webhook) NULLS NOT DISTINCT WHERE state = 'gathering' AND NOT test;
CREATE INDEX alert_delivery_of ON alert_delivery (webhook, created_at, id);
CREATE INDEX alert_delivery_recipient ON alert_delivery (org, recipient, created_at);
CREATE INDEX alert_delivery_old ON alert_delivery (created_at);

CREATE TABLE alert_delivery_item (
    org      uuid NOT NULL,
    delivery uuid NOT NULL,
    alert    uuid NOT NULL,
    event    text NOT NULL CHECK (event IN ('raised', 'ended')),
    PRIMARY KEY (delivery, alert, event),
    FOREIGN KEY (org, delivery) REFERENCES alert_delivery (org, id) ON DELETE CASCADE,
    FOREIGN KEY (org, alert) REFERENCES alert (org, id) ON DELETE CASCADE
);
CREATE INDEX alert_delivery_item_alert ON alert_delivery_item (org, alert);

-- Up to when each plan's events were looked at, and who was away then: what a restart
-- goes on from.
CREATE TABLE alert_progress (
    plan    uuid PRIMARY KEY,
    through timestamptz NOT NULL
);
CREATE TABLE alert_absence (
    tag      uuid PRIMARY KEY,
    org      uuid NOT NULL,
    location uuid NOT NULL,
    plan     uuid NOT NULL,
    heard_at timestamptz NOT NULL,
    FOREIGN KEY (org, location) REFERENCES location (org, id) ON DELETE CASCADE
);

SELECT make_tenant('webhook');
SELECT make_tenant('alert_rule');
SELECT make_tenant('alert');
SELECT make_tenant('alert_delivery');
SELECT make_tenant('alert_delivery_item');
SELECT make_tenant('alert_absence');
SELECT make_system('alert_progress');

-- +goose Down
DROP TABLE alert_absence, alert_progress, alert_delivery_item, alert_delivery, alert, alert_rule, webhook;
