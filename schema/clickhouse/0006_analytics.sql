-- Roll-ups of fixes: one partition per day of fixes, made by a job once the day is over
-- and made anew whenever anything was written to the day's fixes since (late data, rows
-- that were taken back). The job fills a table beside and puts its partition in the
-- place of the old one, so that a reader sees one or the other whole. Nothing is added
-- to them as rows come: fixes may be replaced, and a sum could not be.

-- For how long tags were where, by hour and square of half a metre.
CREATE TABLE IF NOT EXISTS dwell_cells
(
    org       UUID,
    day       Date COMMENT 'the day of the fixes, UTC',
    hour      DateTime('UTC') CODEC(Delta, ZSTD(1)),
    location  UUID,
    plan      UUID,
    tag       UUID,
    zone      UUID COMMENT 'zero: outside zones',
    cell_x    Int32 COMMENT 'floor(x_m / 0.5)' CODEC(T64, ZSTD(1)),
    cell_y    Int32 COMMENT 'floor(y_m / 0.5)' CODEC(T64, ZSTD(1)),
    ms        UInt32 CODEC(T64, ZSTD(1)),
    keep_days UInt16 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY day
ORDER BY (org, plan, tag, hour, zone, cell_y, cell_x)
TTL toDateTime(day) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000;

-- When tags were heard without a gap, by plan.
CREATE TABLE IF NOT EXISTS heard_spans
(
    org       UUID,
    day       Date COMMENT 'the day of the fixes, UTC; a span of the next day may go on where this one ends',
    location  UUID,
    plan      UUID,
    tag       UUID,
    from_at   DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    to_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    keep_days UInt16 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY day
ORDER BY (org, location, tag, from_at)
TTL toDateTime(day) + toIntervalDay(keep_days) DELETE WHERE keep_days < 20000;

-- Which days are rolled up, from what: a day whose fixes are another version by now is
-- read from the fixes until it is made anew.
CREATE TABLE IF NOT EXISTS rollups
(
    day     Date,
    version String COMMENT 'of the partition of fixes when it was read: its newest block and mutation',
    made_at DateTime64(3, 'UTC'),
    took_ms UInt32
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY day;

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
LEFT JOIN
(
    -- Of open visits only: the last fix of every tag would be sought in all there are.
    SELECT org, tag, max(at) AS last_at FROM fixes FINAL
    WHERE (org, tag) IN (SELECT org, tag FROM zone_visits FINAL WHERE left_at IS NULL) GROUP BY org, tag
) AS f ON f.org = v.org AND f.tag = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = v.org AND t.id = v.tag
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'zone') AS z ON z.org = v.org AND z.id = v.zone;

-- Stays cut at every full hour: what of each lies in which hour. Use it for dwell by
-- hour, weekday and day; with toTimeZone(hour, …) for those of a place.
CREATE OR REPLACE VIEW visit_hours AS
SELECT
    org, visit_id, tag, tag_name, location, plan, zone, zone_name, parent, top, open,
    toDateTime(k * 3600, 'UTC') AS hour,
    (least(b, (k + 1) * 3600000) - greatest(a, k * 3600000)) / 1000 AS dwell_s
FROM
(
    SELECT
        org, visit_id, tag, tag_name, location, plan, zone, zone_name, parent, top, open,
        toUnixTimestamp64Milli(entered_at) AS a, a + toInt64(round(v.dwell_s * 1000)) AS b,
        arrayJoin(range(intDiv(a, 3600000), intDiv(greatest(b - 1, a), 3600000) + 1)) AS k
    FROM visits AS v
);

-- Steps from zone to zone, by tag, over zones that are no parts: where it went and for
-- how long it was in none between. The first step of a tag has no zone before and no gap;
-- one with a long gap came from outside.
CREATE OR REPLACE VIEW steps AS
SELECT org, tag, tag_name, location, from_zone, from_name, zone AS to_zone, zone_name AS to_name, entered_at AS at, gap_s
FROM
(
    SELECT
        org, tag, tag_name, location, zone, zone_name, entered_at,
        lagInFrame(zone) OVER w AS from_zone, lagInFrame(zone_name) OVER w AS from_name,
        if(row_number() OVER w = 1, NULL, dateDiff('millisecond', lagInFrame(coalesce(left_at, entered_at)) OVER w, entered_at) / 1000) AS gap_s
    FROM visits WHERE top
    WINDOW w AS (PARTITION BY org, location, tag ORDER BY entered_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
);

-- First heard, last heard and for how long, by tag, location and day (UTC), in zones or not.
CREATE OR REPLACE VIEW tag_days AS
SELECT
    f.org AS org, f.tag AS tag, t.name AS tag_name, f.location AS location, f.day AS day,
    f.first_at AS first_at, f.last_at AS last_at, f.heard_s AS heard_s, f.outside_s AS outside_s
FROM
(
    SELECT
        org, tag, location, toDate(l.at) AS day, min(l.at) AS first_at, max(l.at + toIntervalMillisecond(valid_for_ms)) AS last_at,
        sum(valid_for_ms) / 1000 AS heard_s, sumIf(valid_for_ms, zone = toUUID('00000000-0000-0000-0000-000000000000')) / 1000 AS outside_s
    FROM fixes AS l FINAL GROUP BY org, tag, location, day
) AS f
LEFT JOIN (SELECT org, id, name FROM names FINAL WHERE kind = 'tag') AS t ON t.org = f.org AND t.id = f.tag;
