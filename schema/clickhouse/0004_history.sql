-- Fixes and visits can be taken back: when late data are worked in, what was
-- derived without them is written again with a higher rev, and what is not so any
-- more is marked is_deleted. FINAL leaves such rows out. The engine of a table cannot be changed,
-- so each is made anew, filled and put in the old one's place. A run that was cut
-- off anywhere begins again: what has the old name always has all rows.
ALTER TABLE fixes
    ADD COLUMN IF NOT EXISTS accuracy95_m Float32 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS zone_p Float32 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS is_deleted UInt8 DEFAULT 0;

CREATE OR REPLACE TABLE fixes_next
(
    org          UUID,
    tag          UUID,
    at           DateTime64(3, 'UTC') COMMENT 'whole event second' CODEC(Delta, ZSTD(1)),
    location     UUID,
    plan         UUID,
    x_m          Float32 CODEC(ZSTD(1)),
    y_m          Float32 CODEC(ZSTD(1)),
    accuracy_m   Float32 COMMENT 'radius that holds the tag with 68 %' CODEC(ZSTD(1)),
    accuracy95_m Float32 COMMENT 'radius that holds the tag with 95 %; 0: not known' CODEC(ZSTD(1)),
    zone         UUID COMMENT 'zero: outside zones',
    zone_p       Float32 COMMENT 'how probable the zone is, 0 to 1' CODEC(ZSTD(1)),
    receiver     UUID COMMENT 'the one that heard it loudest',
    rssi_cdbm    Int16 CODEC(ZSTD(1)),
    receivers    UInt8,
    valid_for_ms UInt32 CODEC(ZSTD(1)),
    rev          UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted   UInt8 DEFAULT 0 COMMENT '1: taken back; FINAL leaves it out',
    keep_days    UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev, is_deleted)
PARTITION BY toDate(at)
ORDER BY (org, tag, at)
TTL toDateTime(at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO fixes_next
    (org, tag, at, location, plan, x_m, y_m, accuracy_m, accuracy95_m, zone, zone_p, receiver, rssi_cdbm, receivers, valid_for_ms, rev, is_deleted, keep_days)
SELECT org, tag, at, location, plan, x_m, y_m, accuracy_m, accuracy95_m, zone, zone_p, receiver, rssi_cdbm, receivers, valid_for_ms, rev, is_deleted, keep_days
FROM fixes
SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES fixes AND fixes_next;

DROP TABLE fixes_next;

ALTER TABLE zone_visits
    ADD COLUMN IF NOT EXISTS parent UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'),
    ADD COLUMN IF NOT EXISTS is_deleted UInt8 DEFAULT 0;

CREATE OR REPLACE TABLE zone_visits_next
(
    org        UUID,
    tag        UUID,
    entered_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    visit_id   UUID,
    location   UUID,
    plan       UUID,
    zone       UUID,
    parent     UUID COMMENT 'the zone that this one is a part of: a visit to it goes on meanwhile; zero: no part',
    left_at    Nullable(DateTime64(3, 'UTC')),
    rev        UInt64 CODEC(Delta, ZSTD(1)),
    is_deleted UInt8 DEFAULT 0 COMMENT '1: taken back; FINAL leaves it out',
    keep_days  UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev, is_deleted)
PARTITION BY toYYYYMM(entered_at)
ORDER BY (org, tag, entered_at, visit_id)
TTL toDateTime(entered_at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000
SETTINGS non_replicated_deduplication_window = 1000;

INSERT INTO zone_visits_next
    (org, tag, entered_at, visit_id, location, plan, zone, parent, left_at, rev, is_deleted, keep_days)
SELECT org, tag, entered_at, visit_id, location, plan, zone, parent, left_at, rev, is_deleted, keep_days
FROM zone_visits
SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES zone_visits AND zone_visits_next;

DROP TABLE zone_visits_next;

-- What a plan's traffic taught about its receivers: the offset is in force for
-- fixes from from_at on, until the plan's next from_at. All receivers of a plan
-- change together; one that is not named has none. Fixes of the past are derived
-- again with what was in force then.
CREATE TABLE IF NOT EXISTS receiver_offsets
(
    org        UUID,
    plan       UUID,
    from_at    DateTime64(3, 'UTC') COMMENT 'whole event second' CODEC(Delta, ZSTD(1)),
    receiver   UUID COMMENT 'zero in a row that only says that none has an offset',
    location   UUID,
    offset_cdb Int16 COMMENT 'hundredths of a dB; positive: hears louder than its siblings' CODEC(ZSTD(1)),
    rev        UInt64 CODEC(Delta, ZSTD(1)),
    keep_days  UInt16 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(from_at)
ORDER BY (org, plan, from_at, receiver)
TTL toDateTime(from_at) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000
SETTINGS non_replicated_deduplication_window = 1000;

-- What was derived again, and why: one row per tag and stretch of late data. It is
-- the log of the job that does it, which goes on from there after a restart.
CREATE TABLE IF NOT EXISTS rederivations
(
    org        UUID,
    tag        UUID,
    from_at    DateTime64(3, 'UTC') COMMENT 'event time from which on rows were compared',
    to_at      DateTime64(3, 'UTC') COMMENT 'event time up to which',
    through    DateTime64(3, 'UTC') COMMENT 'late observations that had arrived by then are worked in',
    done_at    DateTime64(3, 'UTC'),
    late_rows  UInt64 COMMENT 'late observations that caused it',
    fixes      UInt32 COMMENT 'rows of fixes that were written or taken back',
    visits     UInt32 COMMENT 'rows of zone_visits that were written or taken back'
)
ENGINE = ReplacingMergeTree(done_at)
PARTITION BY toYYYYMM(done_at)
ORDER BY (org, tag, through)
TTL toDateTime(done_at) + toIntervalDay(400);

-- Late rows are looked for by when they arrived: with this, only in what arrived
-- lately.
ALTER TABLE observations ADD INDEX IF NOT EXISTS arrived arrived_at TYPE minmax GRANULARITY 1;

-- Stays of tags in zones, with names; left_at is NULL and dwell_s counts to the
-- tag's last fix while a visit is open. A stay in a part of a zone lies within one
-- in the whole: sum over rows with top.
CREATE OR REPLACE VIEW visits AS
SELECT
    v.org AS org,
    v.visit_id AS visit_id,
    v.tag AS tag,
    t.name AS tag_name,
    v.location AS location,
    v.plan AS plan,
    v.zone AS zone,
    z.name AS zone_name,
    v.parent AS parent,
    v.parent = toUUID('00000000-0000-0000-0000-000000000000') AS top,
    v.entered_at AS entered_at,
    v.left_at AS left_at,
    v.left_at IS NULL AS open,
    dateDiff('millisecond', v.entered_at, coalesce(v.left_at, greatest(f.last_at, v.entered_at))) / 1000 AS dwell_s
FROM zone_visits AS v FINAL
LEFT JOIN (SELECT org, tag, max(at) AS last_at FROM fixes FINAL GROUP BY org, tag) AS f ON f.org = v.org AND f.tag = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = v.org AND t.id = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = v.org AND z.id = v.zone;

-- How many tags were in a zone from at on: one row per change. A tag in a part of
-- a zone counts in both.
CREATE OR REPLACE VIEW occupancy AS
SELECT
    c.org AS org,
    c.location AS location,
    c.plan AS plan,
    c.zone AS zone,
    z.name AS zone_name,
    c.parent AS parent,
    c.at AS at,
    sum(c.step) OVER (PARTITION BY c.org, c.zone ORDER BY c.at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS tags
FROM
(
    SELECT org, location, plan, zone, any(parent) AS parent, at, sum(change) AS step
    FROM
    (
        SELECT org, location, plan, zone, parent, entered_at AS at, toInt64(1) AS change FROM zone_visits FINAL
        UNION ALL
        SELECT org, location, plan, zone, parent, assumeNotNull(left_at) AS at, toInt64(-1) AS change FROM zone_visits FINAL WHERE left_at IS NOT NULL
    )
    GROUP BY org, location, plan, zone, at
) AS c
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = c.org AND z.id = c.zone;

-- Where each tag was last.
CREATE OR REPLACE VIEW last_seen AS
SELECT
    f.org AS org,
    f.tag AS tag,
    t.name AS tag_name,
    f.at AS at,
    f.location AS location,
    f.plan AS plan,
    f.x_m AS x_m,
    f.y_m AS y_m,
    f.accuracy_m AS accuracy_m,
    f.accuracy95_m AS accuracy95_m,
    f.zone AS zone,
    z.name AS zone_name
FROM
(
    SELECT
        org, tag, max(l.at) AS at,
        argMax(location, l.at) AS location, argMax(plan, l.at) AS plan,
        argMax(x_m, l.at) AS x_m, argMax(y_m, l.at) AS y_m,
        argMax(accuracy_m, l.at) AS accuracy_m, argMax(accuracy95_m, l.at) AS accuracy95_m, argMax(zone, l.at) AS zone
    FROM fixes AS l FINAL GROUP BY org, tag
) AS f
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = f.org AND t.id = f.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = f.org AND z.id = f.zone;
